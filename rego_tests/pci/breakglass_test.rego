package gateway.pci.breakglass_test

import data.gateway.pci.breakglass
import data.testing

entry := {"groups": ["incident"], "connections": ["payments"], "labels": ["pan"]}

words := {"reason": "card processor down", "ticket": "INC-9"}

reading(groups, columns) := testing.by(groups, {"relations": [testing.cards], "columns": columns})

saying(asked, said) := object.union(asked, {"context": said})

asked_for(asked, changes) := testing.decide_with(asked, {"break_glass": [object.union(entry, changes)]})

emergency := saying(reading(["agents", "incident"], [testing.pan]), words)

test_with_a_reason_and_a_ticket_the_label_is_shown if {
	decision := asked_for(emergency, {})
	decision.outcome == "allow"
	decision.obligations.masks == []
	{"code": "pci.breakglass.used", "args": {"column": "public.cards.pan"}} in decision.reasons
	testing.codes(decision) == {"access.granted", "pci.breakglass.used"}
}

test_without_both_the_statement_is_denied if {
	asked := reading(["agents", "incident"], [testing.pan])
	every said in [
		{},
		{"reason": "down"},
		{"ticket": "INC-9"},
		{"reason": " ", "ticket": "INC-9"},
		{"reason": "down", "ticket": "\t"},
		{"reason": ["down"], "ticket": "INC-9"},
		{"purpose": "down", "ticket": "INC-9"},
	] {
		decision := asked_for(saying(asked, said), {})
		testing.denied(decision, "pci.breakglass.unexplained")
		{"code": "pci.breakglass.unexplained", "args": {"column": "public.cards.pan"}} in decision.reasons
	}
}

test_only_for_its_groups_connections_and_labels if {
	every other in [{"groups": ["dba"]}, {"connections": ["ledger"]}, {"labels": ["email"]}] {
		decision := asked_for(emergency, other)
		decision.outcome == "mask"
		not "pci.breakglass.used" in testing.codes(decision)
	}
}

test_what_carries_no_label_needs_no_emergency if {
	decision := asked_for(reading(["agents", "incident"], [testing.holder]), {})
	decision.outcome == "allow"
	testing.codes(decision) == {"access.granted"}
}

test_sensitive_authentication_data_stays_hidden if {
	decision := asked_for(saying(reading(["agents", "incident"], [testing.cvv]), words), {"labels": ["cvv", "pan"]})
	decision.outcome == "mask"
	testing.codes(decision) == {"access.granted", "pci.cardholder.sensitive"}
	both := object.union(testing.pan, {"labels": ["cvv", "pan"]})
	mixed := asked_for(saying(reading(["agents", "incident"], [both]), words), {"labels": ["cvv", "pan"]})
	mixed.outcome == "mask"
}

test_a_column_with_two_labels_needs_both if {
	both := object.union(testing.pan, {"labels": ["email", "pan"]})
	half := saying(reading(["agents", "incident"], [both]), words)
	asked_for(half, {}).outcome == "mask"
	asked_for(half, {"labels": ["email", "pan"]}).outcome == "allow"
	cleared_for_one := saying(reading(["agents", "incident", "mail-readers"], [both]), words)
	asked_for(cleared_for_one, {}).outcome == "allow"
}

test_who_is_cleared_breaks_no_glass if {
	asked := saying(reading(["agents", "incident", "pan-readers"], [testing.pan]), {"reason": "chargeback 17"})
	decision := asked_for(asked, {})
	decision.outcome == "allow"
	testing.codes(decision) == {"access.granted", "pci.cardholder.cleared"}
}

test_the_glass_opens_no_relation if {
	decision := asked_for(saying(reading(["incident"], [testing.pan]), words), {})
	decision.outcome == "deny"
}

test_other_columns_stay_masked if {
	decision := asked_for(saying(reading(["agents", "incident"], [testing.email, testing.pan]), words), {})
	decision.outcome == "mask"
	decision.obligations.masks == [{"schema": "public", "relation": "people", "column": "email", "method": "fixed"}]
	"pci.breakglass.used" in testing.codes(decision)
}

test_an_approval_of_clearances_is_not_asked_for_and_others_are if {
	approval := {
		"groups": ["*"],
		"connections": ["*"],
		"actions": ["*"],
		"labels": ["pan"],
		"clear": true,
		"without_where": false,
		"demand": {"any_of": ["dba"], "all_of": [], "min": 1, "reason_required": false, "ttl": 300},
	}
	testing.decide_with(emergency, {"break_glass": [entry], "approvals": [approval]}).outcome == "allow"
	any_reading := object.union(approval, {"clear": false})
	testing.decide_with(emergency, {"break_glass": [entry], "approvals": [any_reading]}).outcome == "require_approval"
}

test_covered_only_when_said_why if {
	whole := object.union(testing.site, {"break_glass": [entry]})
	breakglass.covered with input as emergency with data.site as whole
	not breakglass.covered with input as reading(["agents", "incident"], [testing.pan]) with data.site as whole
	breakglass.covered with input as reading(["agents"], [testing.pan]) with data.site as whole
}

test_a_list_that_is_none_shows_nothing if {
	every odd in [null, "x", {}, 7, [7], [{}]] {
		testing.decide_with(emergency, {"break_glass": odd}).outcome == "mask"
	}
}
