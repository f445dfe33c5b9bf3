package gateway.access.grants_test

import data.gateway.access.grants
import data.testing

# Whether grants cover a document, whatever the rule's own denials say.
covers(asked, entries) := covered if {
	covered := grants.covered with input as asked with data.site as object.union(testing.site, {"grants": entries})
}

everything_of(group, actions) := [{"groups": [group], "connections": ["payments"], "relations": ["*"], "actions": actions}]

test_coverage_needs_a_grant_of_the_action_and_of_each_relation if {
	covers(testing.document, everything_of("agents", ["select"])) == true
	covers(testing.by(["agents"], {"relations": []}), []) == false
	covers(testing.document, everything_of("agents", ["insert"])) == false
	covers(testing.does(["agents"], "create", "ddl", {"relations": []}), everything_of("agents", ["create"])) == true
	covers(testing.does(["agents"], "create", "ddl", {"relations": []}), everything_of("agents", ["select"])) == false
	covers(testing.does(["agents"], "create", "ddl", {"relations": []}), testing.site.grants) == false
	covers(testing.does(["agents"], "select", "reads", {"relations": []}), everything_of("agents", ["*"])) == false
	covers(testing.does(["agents"], "insert", "write", {"relations": []}), everything_of("agents", ["select"])) == false
}

test_writing_the_catalog_does_not_stand_for_the_grant_of_the_action if {
	written := object.union(testing.pg_class, {"access": ["write"]})
	covers(testing.does(["agents"], "vacuum", "admin", {"relations": [written]}), everything_of("agents", ["select"])) == false
}

read_orders(groups, action) := testing.does(groups, action, "read", {"relations": [testing.orders]})

change(groups, action, writes) := testing.does(groups, action, "write", {
	"relations": [testing.writes(testing.orders, ["write"], writes)],
})

test_without_any_grant_the_connection_is_closed if {
	testing.denied(testing.decide(testing.by(["visitors"], {"relations": []})), "access.no_grant")
	testing.denied(testing.decide(testing.by([], {"relations": []})), "access.no_grant")
}

test_a_grant_of_another_connection_does_not_count if {
	asked := testing.but({"resource": {"connection": "ledger"}})
	testing.denied(testing.decide(asked), "access.no_grant")
}

test_a_member_may_ask_what_touches_no_relation if {
	decision := testing.decide(testing.by(["agents"], {"relations": []}))
	decision.outcome == "allow"
	decision.reasons == [{"code": "access.member", "args": {"connection": "payments"}}]
}

test_reading_needs_the_action_it_is_called_by if {
	every action in ["select", "copy_out", "explain"] {
		testing.outcome(read_orders(["agents"], action)) == "allow"
	}
	testing.outcome(read_orders(["writers"], "select")) == "allow"
	testing.denied(testing.decide(read_orders(["writers"], "copy_out")), "access.not_granted")
	testing.denied(testing.decide(read_orders(["writers"], "explain")), "access.not_granted")
}

test_another_schema_is_not_covered if {
	ledger := object.union(testing.orders, {"schema": "ledger"})
	decision := testing.decide(testing.by(["agents"], {"relations": [testing.orders, ledger]}))
	testing.denied(decision, "access.not_granted")
	some reason in decision.reasons
	reason.args == {"action": "select", "relation": "ledger.orders"}
}

test_a_name_with_a_dot_is_covered_by_the_star_only if {
	every odd in [{"name": "orders.x"}, {"schema": "public.x", "name": "orders"}] {
		dotted := object.union(testing.orders, odd)
		testing.outcome(testing.by(["agents"], {"relations": [dotted]})) == "deny"
		testing.outcome(testing.by(["owners"], {"relations": [dotted]})) == "allow"
	}
}

test_writing_needs_the_grant_of_what_is_done if {
	every action in ["insert", "update", "delete"] {
		testing.outcome(change(["writers"], action, [action])) == "allow"
		testing.denied(testing.decide(change(["agents"], action, [action])), "access.not_granted")
	}
	testing.denied(testing.decide(change(["writers"], "merge", ["merge"])), "access.not_granted")
}

test_an_upsert_needs_update_too if {
	grants := [{"groups": ["feeders"], "connections": ["payments"], "relations": ["public.*"], "actions": ["insert"]}]
	testing.outcome_with(change(["feeders"], "insert", ["insert"]), {"grants": grants}) == "allow"
	testing.denied(testing.decide_with(change(["feeders"], "insert", ["insert", "update"]), {"grants": grants}), "access.not_granted")
}

test_a_delete_inside_a_select_needs_delete if {
	asked := testing.by(["agents"], {"relations": [testing.writes(testing.orders, ["read", "write"], ["delete"])]})
	testing.denied(testing.decide(asked), "access.not_granted")
	testing.outcome(json.patch(asked, [{"op": "replace", "path": "subject/groups", "value": ["writers"]}])) == "allow"
}

test_a_delete_inside_an_insert_needs_delete if {
	feeders := [{"groups": ["feeders"], "connections": ["payments"], "relations": ["public.*"], "actions": ["insert", "select"]}]
	mixed := testing.does(["feeders"], "insert", "write", {"relations": [
		testing.writes(testing.orders, ["write"], ["insert"]),
		testing.writes(testing.cards, ["read", "write"], ["delete"]),
	]})
	decision := testing.decide_with(mixed, {"grants": feeders})
	testing.denied(decision, "access.not_granted")
	some reason in decision.reasons
	reason.args == {"action": "delete", "relation": "public.cards"}
}

test_a_select_that_writes_nobody_knows_what_is_denied if {
	asked := testing.by(["owners"], {"relations": [object.union(testing.orders, {"access": ["write"]})]})
	testing.denied(testing.decide(asked), "access.not_covered")
}

test_explaining_a_change_needs_both_grants if {
	asked := testing.does(["writers"], "explain", "read", {
		"relations": [testing.writes(testing.orders, ["write"], ["update"])],
	})
	testing.denied(testing.decide(asked), "access.not_granted")
	both := json.patch(asked, [{"op": "replace", "path": "subject/groups", "value": ["agents", "writers"]}])
	testing.outcome(both) == "allow"
	definition := testing.does(["agents"], "explain", "read", {
		"relations": [object.union(testing.orders, {"access": ["write"]})],
	})
	testing.outcome(definition) == "allow"
}

test_a_load_needs_copy_in_and_its_source_select if {
	load := testing.does(["owners"], "copy_in", "write", {
		"relations": [object.union(testing.orders, {"access": ["write"]})],
	})
	testing.outcome(load) == "allow"
	testing.denied(testing.decide(json.patch(load, [{"op": "replace", "path": "subject/groups", "value": ["writers"]}])), "access.not_granted")
	feeders := [{"groups": ["feeders"], "connections": ["payments"], "relations": ["public.orders"], "actions": ["insert"]}]
	moved := testing.does(["feeders"], "insert", "write", {"relations": [
		testing.writes(testing.orders, ["write"], ["insert"]),
		testing.cards,
	]})
	decision := testing.decide_with(moved, {"grants": feeders})
	testing.denied(decision, "access.not_granted")
	some reason in decision.reasons
	reason.args == {"action": "select", "relation": "public.cards"}
}

test_access_that_is_empty_or_odd_is_not_covered if {
	every access in [[], ["append"]] {
		asked := testing.by(["agents"], {"relations": [object.union(testing.orders, {"access": access})]})
		testing.outcome(asked) == "deny"
	}
}

test_what_has_no_relation_needs_a_grant_for_all if {
	definers := [{"groups": ["definers"], "connections": ["payments"], "relations": ["public.*"], "actions": ["create", "call"]}]
	asked := testing.does(["definers"], "create", "ddl", {"relations": []})
	testing.denied(testing.decide_with(asked, {"grants": definers}), "access.action")
	testing.outcome(testing.does(["owners"], "create", "ddl", {"relations": []})) == "allow"
	called := testing.does(["definers"], "call", "procedure", {"relations": []})
	testing.outcome_with(called, {"grants": definers}) == "allow"
	testing.denied(testing.decide(testing.does(["agents"], "call", "procedure", {"relations": []})), "access.action")
}

test_reading_the_catalog_does_not_make_a_definition_granted if {
	asked := testing.does(["agents"], "create", "ddl", {"relations": [testing.pg_class]})
	testing.denied(testing.decide(asked), "access.action")
	testing.denied(testing.decide(testing.does(["agents"], "drop_role", "dcl", {"relations": [testing.pg_class]})), "access.action")
}

test_defining_a_relation_needs_the_grant_there if {
	new := {"schema": "public", "name": "new", "kind": "unknown", "access": ["write"], "labels": []}
	definers := [{"groups": ["definers"], "connections": ["payments"], "relations": ["public.*"], "actions": ["create_table_as", "select"]}]
	asked := testing.does(["definers"], "create_table_as", "ddl", {"relations": [new, testing.orders]})
	testing.outcome_with(asked, {"grants": definers}) == "allow"
	testing.denied(testing.decide(json.patch(asked, [{"op": "replace", "path": "subject/groups", "value": ["agents"]}])), "access.not_granted")
}

test_the_reasons_name_each_grant_that_was_used if {
	decision := testing.decide(testing.by(["agents", "owners", "writers"], {"relations": [testing.orders]}))
	{reason.args.grant | some reason in decision.reasons} == {
		"agents/payments/public.*/select",
		"owners/payments/*/select",
		"writers/payments/public.*/select",
	}
	everyone := [{"groups": ["*"], "connections": ["*"], "relations": ["*"], "actions": ["*"]}]
	open := testing.decide_with(testing.document, {"grants": everyone})
	open.reasons == [{"code": "access.granted", "args": {"grant": "*/payments/*/select"}}]
}

test_the_reasons_name_no_other_grant if {
	entries := [
		{"groups": ["agents", "others"], "connections": ["payments"], "relations": ["ledger.*", "public.orders"], "actions": ["select"]},
		{"groups": ["agents"], "connections": ["payments"], "relations": ["public.orders"], "actions": ["insert"]},
	]
	testing.decide_with(testing.document, {"grants": entries}).reasons == [{
		"code": "access.granted",
		"args": {"grant": "agents/payments/public.orders/select"},
	}]
}

test_a_denial_names_what_is_missing_and_nothing_else if {
	mixed := testing.does(["agents"], "insert", "write", {
		"relations": [testing.writes(testing.orders, ["read", "write"], ["insert"])],
	})
	testing.decide(mixed).reasons == [
		{"code": "access.not_granted", "args": {"action": "insert", "relation": "public.orders"}},
		{"code": "access.granted", "args": {"grant": "agents/payments/public.*/select"}},
	]
	testing.codes(testing.decide(testing.by(["visitors"], {}))) == {"access.no_grant"}
	testing.codes(testing.decide(testing.does(["visitors"], "create", "ddl", {"relations": []}))) == {"access.no_grant"}
	testing.codes(testing.decide(testing.does(["agents"], "create", "ddl", {"relations": []}))) == {"access.action"}
}

test_grants_that_are_odd_grant_nothing if {
	every path in [["groups"], ["connections"], ["relations"], ["actions"]] {
		every odd in testing.spoilt(testing.site.grants[0], path) {
			testing.outcome_with(testing.document, {"grants": [odd]}) == "deny"
		}
	}
	every odd in [null, "agents", {}, []] {
		testing.outcome_with(testing.document, {"grants": odd}) == "deny"
	}
}
