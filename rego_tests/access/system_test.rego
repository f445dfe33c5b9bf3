package gateway.access.system_test

import data.gateway.access.system as rule
import data.testing

system(schema, name) := {"schema": schema, "name": name, "kind": "system", "access": ["read"], "labels": []}

reading(relations) := testing.decide(testing.by(["agents"], {"relations": relations}))

test_what_tools_introspect_is_read_without_a_grant if {
	decision := reading([
		system("pg_catalog", "pg_class"),
		system("pg_catalog", "pg_attribute"),
		system("pg_catalog", "pg_namespace"),
		system("information_schema", "columns"),
	])
	decision.outcome == "allow"
	testing.codes(decision) == {"access.member"}
}

test_system_relations_that_are_not_listed_are_denied if {
	every name in ["pg_authid", "pg_shadow", "pg_stats", "pg_statistic", "pg_largeobject", "pg_user_mapping", "pg_file_settings"] {
		testing.denied(reading([testing.pg_class, system("pg_catalog", name)]), "access.system")
	}
	testing.denied(reading([system("pg_toast", "pg_class")]), "access.system")
}

test_no_grant_opens_them if {
	asked := testing.by(["owners"], {"relations": [system("pg_catalog", "pg_authid")]})
	testing.denied(testing.decide(asked), "access.system")
}

test_system_relations_are_never_written if {
	every access in [["write"], ["read", "write"], []] {
		asked := testing.does(["owners"], "update", "write", {"relations": [object.union(testing.pg_class, {"access": access})]})
		testing.denied(testing.decide(asked), "access.system")
	}
}

test_maintenance_of_system_relations_hangs_on_its_grant if {
	pg_statistic := object.union(system("pg_catalog", "pg_statistic"), {"access": ["write"]})
	every action in ["analyze", "vacuum"] {
		asked := testing.does(["owners"], action, "admin", {"relations": [pg_statistic]})
		not "access.system" in testing.codes(testing.decide(asked))
		testing.outcome(testing.does(["agents"], action, "admin", {"relations": [pg_statistic]})) == "deny"
	}
	asked := testing.does(["owners"], "cluster", "admin", {"relations": [pg_statistic]})
	testing.denied(testing.decide(asked), "access.system")
}

test_a_listed_view_of_the_system_may_read_what_is_not_listed if {
	base := object.union(system("pg_catalog", "pg_authid"), {"via": ["pg_catalog.pg_roles"]})
	reading([system("pg_catalog", "pg_roles"), base]).outcome == "allow"
	every via in [["public.roles"], ["pg_catalog.pg_roles", "public.roles"], ["pg_catalog.pg_shadow"], ["roles"], ["a.b.c"], []] {
		odd := object.union(base, {"via": via})
		testing.denied(reading([odd]), "access.system")
	}
}

test_columns_with_statements_of_others_are_hidden if {
	query := {"schema": "pg_catalog", "relation": "pg_stat_activity", "name": "query", "labels": [], "clauses": ["select"]}
	activity := system("pg_catalog", "pg_stat_activity")
	state := object.union(query, {"name": "state"})
	testing.outcome(testing.by(["agents"], {"relations": [activity], "columns": [state]})) == "allow"
	testing.denied(testing.decide(testing.by(["agents"], {"relations": [activity], "columns": [query, state]})), "access.system_column")
}

test_a_view_over_them_is_no_way_round if {
	activity := object.union(system("pg_catalog", "pg_stat_activity"), {"via": ["public.activity"]})
	testing.denied(reading([activity]), "access.system")
	plain := object.union(testing.pg_class, {"via": ["public.tables"]})
	reading([plain]).outcome == "allow"
	listed := object.union(activity, {"via": ["pg_catalog.pg_stat_ssl"]})
	reading([listed]).outcome == "allow"
}

test_in_an_open_posture_grants_decide_about_them if {
	asked := {"relations": [system("pg_catalog", "pg_stats")]}
	testing.outcome_with(testing.by(["owners"], asked), {"posture": {"payments": "open"}}) == "allow"
	testing.denied(testing.decide_with(testing.by(["agents"], asked), {"posture": {"payments": "open"}}), "access.not_granted")
	query := {"schema": "pg_catalog", "relation": "pg_stat_activity", "name": "query", "labels": [], "clauses": ["select"]}
	shown := {"relations": [system("pg_catalog", "pg_stat_activity")], "columns": [query]}
	testing.outcome_with(testing.by(["owners"], shown), {"posture": {"payments": "open"}}) == "allow"
}

test_what_is_denied_is_not_covered_either if {
	authid := testing.by(["agents"], {"relations": [system("pg_catalog", "pg_authid")]})
	not covered(authid)
	covered(testing.document)
	some place, names in data.gateway.lib.allow.hidden
	[schema, relation] := split(place, ".")
	column := {"schema": schema, "relation": relation, "name": names[0], "labels": [], "clauses": ["select"]}
	not covered(testing.by(["agents"], {"relations": [], "columns": [column]}))
}

covered(asked) if {
	rule.covered == true with input as asked with data.site as testing.site
}
