package gateway.pci.cardholder_test

import data.gateway.pci.cardholder
import data.testing

reading(groups, columns) := testing.by(groups, {"relations": [testing.cards], "columns": columns})

because(asked, context) := object.union(asked, {"context": context})

mask(column, method) := {"schema": "public", "relation": column.relation, "column": column.name, "method": method}

test_a_labelled_column_is_masked_by_the_method_of_its_label if {
	decision := testing.decide(reading(["agents"], [testing.holder, testing.pan]))
	decision.outcome == "mask"
	decision.obligations.masks == [mask(testing.pan, "last4")]
	{"code": "pci.cardholder.masked", "args": {"column": "public.cards.pan", "label": "pan"}} in decision.reasons
}

test_a_column_without_labels_needs_only_its_grant if {
	decision := testing.decide(reading(["agents"], [testing.holder]))
	decision.outcome == "allow"
	testing.codes(decision) == {"access.granted"}
}

test_a_label_without_a_method_is_null if {
	odd := object.union(testing.pan, {"labels": ["iban"]})
	testing.decide(reading(["agents"], [odd])).obligations.masks == [mask(testing.pan, "null")]
}

test_a_method_that_is_none_is_null if {
	every method in ["rot13", [], ["last4"], {}, null, 2] {
		decision := testing.decide_with(reading(["agents"], [testing.pan]), {"masks": {"pan": method}})
		decision.obligations.masks == [mask(testing.pan, "null")]
	}
}

test_the_most_concealing_label_wins if {
	both := object.union(testing.pan, {"labels": ["email", "pan"]})
	testing.decide(reading(["agents"], [both])).obligations.masks == [mask(testing.pan, "fixed")]
	three := object.union(testing.pan, {"labels": ["cvv", "email", "pan"]})
	testing.decide(reading(["agents"], [three])).obligations.masks == [mask(testing.pan, "null")]
}

test_every_clause_is_masked if {
	every clause in ["select", "where", "join", "group", "order", "having", "window", "limit", "set", "returning", "insert"] {
		column := object.union(testing.pan, {"clauses": [clause]})
		testing.decide(reading(["agents"], [column])).obligations.masks == [mask(testing.pan, "last4")]
	}
}

test_storing_a_labelled_column_needs_the_grant_and_no_clearance if {
	column := object.union(testing.pan, {"clauses": ["insert"]})
	asked := testing.does(["writers"], "insert", "write", {
		"relations": [testing.writes(testing.cards, ["write"], ["insert"])],
		"columns": [column],
	})
	decision := testing.decide(asked)
	decision.outcome == "mask"
	decision.obligations.masks == [mask(testing.pan, "last4")]
}

test_who_is_cleared_and_says_why_sees_it if {
	asked := reading(["agents", "pan-readers"], [testing.pan])
	every context in [{"reason": "chargeback 17"}, {"purpose": "chargebacks"}] {
		decision := testing.decide(because(asked, context))
		decision.outcome == "allow"
		decision.obligations.masks == []
		testing.codes(decision) == {"access.granted", "pci.cardholder.cleared"}
		decision.advice == []
	}
}

test_who_is_cleared_and_says_nothing_is_told_how if {
	asked := reading(["agents", "pan-readers"], [testing.pan])
	every context in [{}, {"reason": ""}, {"reason": "  "}, {"reason": null}, {"reason": ["x"]}, {"purpose": ""}, {"ticket": "17"}] {
		decision := testing.decide(because(asked, context))
		decision.outcome == "mask"
		"pci.cardholder.reason_missing" in testing.codes(decision)
		count(decision.advice) == 1
	}
}

test_who_is_not_cleared_gets_no_advice if {
	decision := testing.decide(because(reading(["agents"], [testing.pan]), {"reason": "curious"}))
	decision.outcome == "mask"
	decision.advice == []
}

test_a_clearance_without_a_reason_holds_when_it_says_false if {
	asked := reading(["agents", "mail-readers"], [testing.email])
	testing.outcome(asked) == "allow"
	every odd in [null, 0, "", "false", []] {
		entry := object.union(testing.site.clear[1], {"reason_required": odd})
		testing.outcome_with(asked, {"clear": [entry]}) == "mask"
	}
	gone := object.remove(testing.site.clear[1], ["reason_required"])
	testing.outcome_with(asked, {"clear": [gone]}) == "mask"
}

test_every_label_of_a_column_must_be_cleared if {
	both := object.union(testing.pan, {"labels": ["email", "pan"]})
	half := because(reading(["agents", "pan-readers"], [both]), {"reason": "chargeback 17"})
	testing.outcome(half) == "mask"
	whole := because(reading(["agents", "mail-readers", "pan-readers"], [both]), {"reason": "chargeback 17"})
	testing.outcome(whole) == "allow"
}

test_a_clearance_holds_for_its_connection if {
	entry := object.union(testing.site.clear[0], {"connections": ["ledger"]})
	asked := because(reading(["agents", "pan-readers"], [testing.pan]), {"reason": "chargeback 17"})
	testing.outcome_with(asked, {"clear": [entry]}) == "mask"
	testing.outcome_with(asked, {"clear": [object.union(entry, {"connections": ["*"]})]}) == "allow"
}

test_nobody_is_cleared_for_sensitive_authentication_data if {
	every label in ["cvv", "pin", "track"] {
		column := object.union(testing.cvv, {"labels": [label]})
		asked := because(reading(["agents", "hopeful"], [column]), {"reason": "curious"})
		decision := testing.decide_with(asked, {"masks": {label: "last4"}})
		decision.outcome == "mask"
		decision.obligations.masks == [mask(testing.cvv, "null")]
		testing.codes(decision) == {"access.granted", "pci.cardholder.sensitive"}
		decision.advice == []
	}
}

test_a_column_of_two_relations_is_two_columns if {
	other := object.union(testing.pan, {"relation": "old_cards"})
	decision := testing.decide(reading(["agents"], [other, testing.pan]))
	count(decision.obligations.masks) == 2
}

test_a_column_whose_labels_are_no_list_is_not_covered if {
	asked := testing.by(["agents"], {"columns": [object.union(testing.pan, {"labels": "pan"})]})
	not covered(asked)
	covered(testing.reading_pan)
}

covered(asked) if {
	cardholder.covered == true with input as asked with data.site as testing.site
}
