package gateway.access.approvals_test

import data.testing

demand := {"any_of": ["dba"], "all_of": [], "min": 1, "reason_required": false, "ttl": 300}

entry(changes) := object.union(
	{
		"groups": ["*"],
		"connections": ["payments"],
		"actions": ["*"],
		"labels": [],
		"clear": false,
		"without_where": false,
		"demand": demand,
	},
	changes,
)

asking(asked, changes) := testing.decide_with(asked, {"approvals": [entry(changes)]})

change(action, has_where) := testing.does(["writers"], action, "write", {
	"relations": [testing.writes(testing.orders, ["write"], [action])],
	"shape": {"has_where": has_where},
})

test_an_entry_makes_the_statement_wait if {
	decision := asking(testing.document, {})
	decision.outcome == "require_approval"
	decision.obligations.approval.any_of == ["dba"]
	decision.obligations.approval.requester_may_approve == false
	"access.approval" in testing.codes(decision)
}

test_each_condition_must_hold if {
	asking(testing.document, {"actions": ["select"]}).outcome == "require_approval"
	asking(testing.document, {"actions": ["update"]}).outcome == "allow"
	asking(testing.document, {"groups": ["agents"]}).outcome == "require_approval"
	asking(testing.document, {"groups": ["others"]}).outcome == "allow"
	asking(testing.document, {"connections": ["*"]}).outcome == "require_approval"
	asking(testing.document, {"connections": ["ledger"]}).outcome == "allow"
}

test_only_changes_without_a_condition_wait if {
	conditions := {"actions": ["update", "delete"], "without_where": true}
	asking(change("delete", false), conditions).outcome == "require_approval"
	asking(change("delete", true), conditions).outcome == "allow"
	asking(change("insert", false), conditions).outcome == "allow"
	asking(change("delete", true), {"actions": ["delete"]}).outcome == "require_approval"
}

test_a_statement_without_a_shape_waits if {
	asked := json.remove(change("delete", true), ["statement/shape/has_where"])
	asking(asked, {"actions": ["delete"], "without_where": true}).outcome == "require_approval"
}

test_a_delete_inside_a_select_waits_too if {
	asked := testing.by(["writers"], {"relations": [testing.writes(testing.orders, ["read", "write"], ["delete"])]})
	asking(asked, {"actions": ["delete"]}).outcome == "require_approval"
}

test_a_name_stands_for_its_family if {
	asked := testing.does(["owners"], "drop_role", "dcl", {"relations": []})
	asking(asked, {"actions": ["drop"]}).outcome == "require_approval"
	asking(asked, {"actions": ["dro"]}).outcome == "allow"
}

test_touching_a_label_waits if {
	counted := testing.by(["agents"], {"relations": [testing.cards], "columns": []})
	asking(counted, {"labels": ["pan"]}).outcome == "require_approval"
	asking(counted, {"labels": ["email"]}).outcome == "allow"
	asking(testing.document, {"labels": ["pan"]}).outcome == "allow"
	named := testing.by(["agents"], {"relations": [], "columns": [testing.pan]})
	asking(named, {"labels": ["pan"]}).outcome == "require_approval"
}

test_seeing_a_label_unmasked_waits if {
	asked := object.union(testing.by(["agents", "pan-readers"], {"relations": [testing.cards], "columns": [testing.pan]}), {"context": {"reason": "chargeback 17"}})
	asking(asked, {"labels": ["pan"], "clear": true}).outcome == "require_approval"
	asking(asked, {"clear": true}).outcome == "require_approval"
	asking(asked, {"labels": ["email"], "clear": true}).outcome == "allow"
	asking(testing.reading_pan, {"labels": ["pan"], "clear": true}).outcome == "mask"
	asking(testing.reading_pan, {"clear": true}).outcome == "mask"
}

test_an_entry_that_is_odd_denies if {
	every path in [["groups"], ["connections"], ["actions"], ["labels"], ["clear"], ["without_where"], ["demand"]] {
		every odd in testing.spoilt(entry({}), path) {
			testing.outcome_with(testing.document, {"approvals": [odd]}) == "deny"
		}
	}
}

test_a_demand_that_is_odd_denies if {
	every part, _ in demand {
		every odd in testing.spoilt(entry({}), ["demand", part]) {
			testing.outcome_with(testing.document, {"approvals": [odd]}) == "deny"
		}
	}
}
