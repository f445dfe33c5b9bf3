package gateway.access.sitedata_test

import data.testing

test_site_data_that_lacks_a_list_denies if {
	every part in ["approvals", "deny", "filters", "limits"] {
		decision := data.gateway.main.decision with input as testing.document
			with data.site as object.remove(testing.site, [part])
		testing.denied(decision, "access.site_data")
	}
}

test_site_data_that_is_no_list_denies if {
	every part in ["approvals", "deny", "filters", "limits"] {
		every odd in [null, false, "x", {}, {"x": {}}, 7] {
			decision := data.gateway.main.decision with input as testing.document
				with data.site as json.patch(testing.site, [{"op": "replace", "path": [part], "value": odd}])
			testing.denied(decision, "access.site_data")
		}
	}
}

test_an_entry_that_concerns_somebody_else_must_be_whole_too if {
	entry := {"groups": ["others"], "connections": ["ledger"], "actions": ["drop"], "pattern": 7}
	testing.denied(testing.decide_with(testing.document, {"deny": [entry]}), "access.site_data")
	whole := object.union(entry, {"pattern": "x"})
	testing.outcome_with(testing.document, {"deny": [whole]}) == "allow"
}

test_without_grants_masks_or_lists_nothing_opens if {
	every part in ["grants", "masks", "clear", "functions", "posture"] {
		decision := data.gateway.main.decision with input as testing.reading_pan
			with data.site as object.remove(testing.site, [part])
		still_closed(decision)
	}
}

still_closed(decision) if decision.outcome == "deny"

still_closed(decision) if count(decision.obligations.masks) == 1

test_a_bound_that_is_no_number_denies_here if {
	entry := {"groups": ["others"], "connections": ["ledger"], "rows_by_label": {}, "rows": "many"}
	testing.denied(testing.decide_with(testing.document, {"limits": [entry]}), "access.site_data")
}
