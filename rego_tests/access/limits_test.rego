package gateway.access.limits_test

import data.testing

limit := {"groups": ["agents"], "connections": ["payments"], "rows": 100, "rows_by_label": {"pan": 10}, "window": 3600}

limiting(asked, entries) := testing.decide_with(asked, {"limits": entries})

test_bounds_are_obligations if {
	entry := object.union(limit, {"bytes": 4096, "seconds": 30})
	decision := limiting(testing.document, [entry])
	decision.outcome == "allow"
	decision.obligations.limits == {"rows": 100, "bytes": 4096, "seconds": 30}
	"access.limited" in testing.codes(decision)
}

test_a_limit_holds_for_its_groups_and_connections if {
	limiting(testing.document, [object.union(limit, {"groups": ["others"]})]).obligations.limits == {}
	limiting(testing.document, [object.union(limit, {"connections": ["ledger"]})]).obligations.limits == {}
}

test_rows_of_a_label_are_counted_where_it_is_named if {
	decision := limiting(testing.reading_pan, [limit])
	decision.obligations.limits == {"rows": 100, "rows_by_label": {"pan": 10}}
	"access.budget" in testing.codes(decision)
	limiting(testing.document, [limit]).obligations.limits == {"rows": 100}
	limiting(testing.reading_pan, [object.union(limit, {"rows_by_label": {"email": 1, "pan": 10}})]).obligations.limits.rows_by_label == {"pan": 10}
}

test_the_smaller_of_two_limits_holds if {
	decision := limiting(testing.reading_pan, [limit, object.union(limit, {"rows": 5, "rows_by_label": {"pan": 50}})])
	decision.obligations.limits == {"rows": 5, "rows_by_label": {"pan": 10}}
}

test_a_limit_that_is_odd_denies if {
	every path in [["groups"], ["connections"], ["rows"]] {
		every odd in testing.spoilt(limit, path) {
			held(odd)
		}
	}
}

test_rows_of_a_label_that_are_odd_deny if {
	every path in [["rows_by_label"], ["rows_by_label", "pan"], ["window"]] {
		every odd in testing.spoilt(limit, path) {
			held(odd)
		}
	}
}

held(odd) if limiting(testing.reading_pan, [odd]).outcome == "deny"

# What is left out limits nothing; the rest still does.
held(odd) if {
	limits := limiting(testing.reading_pan, [odd]).obligations.limits
	object.get(limits, "rows", null) == object.get(odd, "rows", null)
	object.get(limits, "rows_by_label", {}) == odd.rows_by_label
}
