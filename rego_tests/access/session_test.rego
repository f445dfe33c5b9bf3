package gateway.access.session_test

import data.testing

steering(action, category) := testing.does(["agents"], action, category, {"relations": []})

test_ordinary_session_statements_pass if {
	every action in ["close", "deallocate", "discard", "reset", "set", "show", "unlisten"] {
		testing.outcome(steering(action, "session")) == "allow"
	}
	every action in ["begin", "commit", "rollback", "savepoint", "release", "rollback_to", "set_constraints"] {
		testing.outcome(steering(action, "transaction")) == "allow"
	}
}

test_session_statements_that_reach_beyond_it_are_denied if {
	every action in ["listen", "notify", "unknown", "begin"] {
		testing.denied(testing.decide(steering(action, "session")), "access.session")
	}
	every action in ["prepare_transaction", "commit_prepared", "rollback_prepared", "unknown", "set"] {
		testing.denied(testing.decide(steering(action, "transaction")), "access.session")
	}
}

test_in_an_open_posture_they_pass if {
	testing.outcome_with(steering("notify", "session"), {"posture": {"payments": "open"}}) == "allow"
}

test_whoever_has_no_grant_may_not_even_begin if {
	testing.denied(testing.decide(testing.does([], "begin", "transaction", {"relations": []})), "access.no_grant")
}

test_a_lock_needs_a_grant_of_its_relation if {
	locking := {"relations": [object.union(testing.orders, {"access": ["write"]})]}
	testing.denied(testing.decide(testing.does(["agents"], "lock", "transaction", locking)), "access.not_granted")
	testing.outcome(testing.does(["owners"], "lock", "transaction", locking)) == "allow"
}

test_a_category_nobody_knows_denies if {
	every category in ["", "reads", "sessions"] {
		testing.outcome(testing.does(["owners"], "select", category, {})) == "deny"
	}
}
