package gateway.access.blocked_test

import data.gateway.access.blocked
import data.testing

action_block := {"groups": ["*"], "connections": ["*"], "actions": ["truncate", "drop"]}

pattern_block(pattern) := {"groups": ["*"], "connections": ["*"], "actions": ["*"], "pattern": pattern}

blocking(asked, entry) := testing.decide_with(asked, {"deny": [entry]})

truncate := testing.does(["owners"], "truncate", "write", {"relations": [object.union(testing.orders, {"access": ["write"]})]})

test_a_blocked_action_is_denied_whatever_is_granted if {
	testing.outcome(truncate) == "allow"
	testing.denied(blocking(truncate, action_block), "access.blocked")
	blocking(testing.document, action_block).outcome == "allow"
}

test_a_block_holds_for_its_groups_and_connections if {
	blocking(truncate, object.union(action_block, {"groups": ["agents"]})).outcome == "allow"
	blocking(truncate, object.union(action_block, {"connections": ["ledger"]})).outcome == "allow"
	blocking(truncate, object.union(action_block, {"groups": ["owners"], "connections": ["payments"]})).outcome == "deny"
}

test_a_blocked_name_stands_for_its_family if {
	every action in ["drop", "drop_role", "drop_database", "drop_owned"] {
		asked := testing.does(["owners"], action, "dcl", {"relations": []})
		testing.outcome(asked) == "allow"
		testing.denied(blocking(asked, action_block), "access.blocked")
	}
	dropper := testing.does(["owners"], "dropper", "dcl", {"relations": []})
	blocking(dropper, action_block).outcome == "allow"
}

test_a_blocked_change_inside_another_statement_is_denied if {
	asked := testing.by(["owners"], {"relations": [testing.writes(testing.orders, ["read", "write"], ["delete"])]})
	testing.outcome(asked) == "allow"
	testing.denied(blocking(asked, object.union(action_block, {"actions": ["delete"]})), "access.blocked")
}

test_a_statement_that_matches_a_pattern_is_denied if {
	asked := testing.by(["owners"], {"text_redacted": "SELECT PG_TERMINATE_BACKEND ( ? )"})
	testing.denied(blocking(asked, pattern_block(`(?i)\bpg_terminate_backend\b`)), "access.blocked_pattern")
	blocking(asked, pattern_block(`\bpg_cancel_backend\b`)).outcome == "allow"
	blocking(asked, object.union(pattern_block(`(?i)terminate`), {"actions": ["update"]})).outcome == "allow"
}

test_a_pattern_with_an_action_does_not_block_the_action if {
	entry := object.union(pattern_block("nothing like it"), {"actions": ["select"]})
	blocking(testing.document, entry).outcome == "allow"
}

test_a_pattern_that_is_none_covers_nothing if {
	covered := blocked.covered with input as testing.document with data.site.deny as [pattern_block("(unclosed")]
	covered == false
}

test_a_pattern_that_is_none_denies if {
	testing.denied(blocking(testing.document, pattern_block("(unclosed")), "access.pattern_unusable")
	testing.denied(blocking(testing.document, pattern_block("(?<=x)y")), "access.pattern_unusable")
}

test_a_statement_without_a_text_denies_where_patterns_hold if {
	asked := testing.by(["owners"], {"text_redacted": "shape_unavailable"})
	testing.denied(blocking(asked, pattern_block("x")), "access.pattern_unusable")
	blocking(asked, action_block).outcome == "allow"
}

test_an_entry_that_is_odd_denies if {
	every path in [["groups"], ["connections"], ["actions"]] {
		every entry in [action_block, pattern_block("x")] {
			every odd in testing.spoilt(entry, path) {
				blocking(testing.document, odd).outcome == "deny"
			}
		}
	}
	every odd in [null, 7, [], {}, ["x"]] {
		blocking(testing.document, pattern_block(odd)).outcome == "deny"
	}
	every odd in [null, "x", [], 7] {
		blocking(testing.document, odd).outcome == "deny"
	}
}

unbounded_block := {"groups": ["*"], "connections": ["*"], "actions": ["update", "delete"], "without_where": true}

deleting(where) := testing.does(["writers"], "delete", "write", {
	"relations": [testing.writes(testing.orders, ["read", "write"], ["delete"])],
	"shape": {"has_where": where},
})

test_a_change_that_does_not_say_which_rows_is_denied if {
	testing.outcome(deleting(false)) == "allow"
	decision := blocking(deleting(false), unbounded_block)
	testing.denied(decision, "access.unbounded")
	not "access.blocked" in testing.codes(decision)
	blocking(deleting(true), unbounded_block).outcome == "allow"
	blocking(testing.document, unbounded_block).outcome == "allow"
}

test_a_block_without_that_condition_holds_with_a_where_too if {
	decision := blocking(deleting(true), object.union(unbounded_block, {"without_where": false}))
	testing.denied(decision, "access.blocked")
	not "access.unbounded" in testing.codes(decision)
}

test_a_statement_that_says_nothing_of_its_where_has_none if {
	asked := json.patch(deleting(true), [{"op": "remove", "path": "/statement/shape/has_where"}])
	testing.denied(blocking(asked, unbounded_block), "access.unbounded")
}

test_a_pattern_may_ask_for_statements_without_a_where_too if {
	entry := object.union(pattern_block("(?i)orders"), {"without_where": true})
	testing.denied(blocking(deleting(false), object.union(entry, {"pattern": "SELECT"})), "access.blocked_pattern")
	blocking(deleting(true), object.union(entry, {"pattern": "SELECT"})).outcome == "allow"
	not "access.unbounded" in testing.codes(blocking(deleting(false), object.union(entry, {"pattern": "SELECT"})))
}

test_a_condition_of_another_type_denies if {
	testing.denied(blocking(deleting(true), object.union(unbounded_block, {"without_where": "no"})), "access.site_data")
}
