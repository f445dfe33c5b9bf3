package gateway.access.settings_test

import data.gateway.access.settings
import data.testing

setting(action, names) := testing.does(["agents"], action, "session", {"relations": [], "settings": names})

set_config := {"schema": "pg_catalog", "name": "set_config", "kind": "function"}

test_listed_settings_may_be_changed if {
	every name in ["application_name", "statement_timeout", "TimeZone", "transaction", "querywarden.reason"] {
		testing.outcome(setting("set", [name])) == "allow"
	}
	testing.outcome(setting("reset", ["search_path"])) == "allow"
}

test_other_settings_may_not if {
	every name in ["role", "session_authorization", "log_statement", "session_replication_role", "querywarden"] {
		testing.denied(testing.decide(setting("set", ["application_name", name])), "access.setting")
	}
}

test_all_settings_may_be_reset_but_no_other_alone if {
	testing.outcome(setting("reset", ["all"])) == "allow"
	testing.outcome(setting("reset", ["log_statement"])) == "deny"
}

test_any_setting_may_be_shown if {
	testing.outcome(setting("show", ["log_statement"])) == "allow"
}

calling(name) := testing.by(["agents"], {"settings": [name], "functions": [set_config]})

test_a_query_that_sets_is_held_to_the_list if {
	testing.outcome(calling("application_name")) == "allow"
	testing.denied(testing.decide(calling("log_statement")), "access.setting")
	reading := testing.by(["agents"], {"settings": ["log_statement"], "functions": []})
	testing.outcome(reading) == "allow"
}

test_a_definition_that_names_a_setting_is_held_to_the_list if {
	asked := testing.does(["owners"], "alter_system", "admin", {"relations": [], "settings": ["log_statement"]})
	testing.denied(testing.decide(asked), "access.setting")
	testing.outcome_with(asked, {"posture": {"payments": "open"}}) == "allow"
}

opened := {"posture": {"payments": "open"}}

test_in_open_posture_names_may_not_move_under_a_grant_that_names_relations if {
	every name in ["search_path", "Search_Path", "set_config"] {
		asked := setting("set", [name])
		testing.denied(testing.decide_with(asked, opened), "access.setting")
	}
	testing.outcome_with(setting("set", ["log_statement"]), opened) == "allow"
	testing.outcome_with(setting("reset", ["search_path"]), opened) == "allow"
	testing.outcome_with(setting("show", ["search_path"]), opened) == "allow"
}

test_in_open_posture_names_may_move_where_every_relation_is_granted if {
	asked := testing.does(["owners"], "set", "session", {"relations": [], "settings": ["search_path"]})
	testing.outcome_with(asked, opened) == "allow"
	both := testing.does(["owners", "agents"], "set", "session", {"relations": [], "settings": ["search_path"]})
	testing.outcome_with(both, opened) == "allow"
}

granting(entries) := object.union(opened, {"grants": [object.union({"groups": ["agents"], "connections": ["payments"]}, entry) |
	some entry in entries
]})

test_names_may_move_where_no_grant_names_a_relation if {
	changes := granting([{"relations": ["*"], "actions": ["select"]}])
	testing.outcome_with(setting("set", ["search_path"]), changes) == "allow"
}

test_names_may_not_move_where_only_some_relations_or_some_actions_are_granted if {
	every entries in [
		[{"relations": ["public.*"], "actions": ["*"]}],
		[{"relations": ["*"], "actions": ["select"]}, {"relations": ["public.*"], "actions": ["select"]}],
	] {
		testing.denied(testing.decide_with(setting("set", ["search_path"]), granting(entries)), "access.setting")
		not settings.covered with input as setting("set", ["set_config"])
			with data.site as object.union(testing.site, granting(entries))
	}
}

test_only_the_setting_that_moves_names_is_named if {
	decision := testing.decide_with(setting("set", ["search_path", "log_statement"]), opened)
	{reason.args.setting | some reason in decision.reasons; reason.code == "access.setting"} == {"search_path"}
}
