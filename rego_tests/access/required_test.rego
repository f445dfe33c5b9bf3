package gateway.access.required_test

import data.gateway.access.required
import data.testing

entry := {"groups": ["*"], "connections": ["*"], "actions": ["*"], "labels": [], "purpose": false, "ticket": true}

saying(asked, words) := object.union(asked, {"context": words})

asked_for(asked, changes) := testing.decide_with(asked, {"required": [object.union(entry, changes)]})

test_a_ticket_is_given_or_the_statement_is_denied if {
	testing.denied(asked_for(testing.document, {}), "access.required")
	asked_for(saying(testing.document, {"ticket": "CHG-1"}), {}).outcome == "allow"
	testing.denied(asked_for(saying(testing.document, {"ticket": " \t"}), {}), "access.required")
	testing.denied(asked_for(saying(testing.document, {"purpose": "refund"}), {}), "access.required")
}

test_a_purpose_is_given_or_the_statement_is_denied if {
	purpose := {"purpose": true, "ticket": false}
	testing.denied(asked_for(testing.document, purpose), "access.required")
	asked_for(saying(testing.document, {"purpose": "refund"}), purpose).outcome == "allow"
	testing.denied(asked_for(saying(testing.document, {"purpose": " "}), purpose), "access.required")
	testing.denied(asked_for(saying(testing.document, {"ticket": "CHG-1"}), purpose), "access.required")
}

test_both_are_asked_for_by_name if {
	decision := asked_for(testing.document, {"purpose": true})
	{reason.args.what | some reason in decision.reasons; reason.code == "access.required"} == {"purpose", "ticket"}
	asked_for(saying(testing.document, {"purpose": "refund", "ticket": "CHG-1"}), {"purpose": true}).outcome == "allow"
}

test_only_for_its_groups_connections_and_actions if {
	every other in [{"groups": ["dba"]}, {"connections": ["ledger"]}, {"actions": ["delete"]}] {
		asked_for(testing.document, other).outcome == "allow"
	}
	testing.denied(asked_for(testing.document, {"groups": ["agents"], "actions": ["select"]}), "access.required")
}

test_only_for_its_labels if {
	labelled := {"labels": ["pan"]}
	asked_for(testing.document, labelled).outcome == "allow"
	testing.denied(asked_for(testing.reading_pan, labelled), "access.required")
	asked_for(testing.reading_pan, {"labels": ["email"]}).outcome == "mask"
	by_column := testing.by(["agents"], {"relations": [object.union(testing.cards, {"labels": []})], "columns": [testing.pan]})
	testing.denied(asked_for(by_column, labelled), "access.required")
	by_relation := testing.by(["agents"], {"relations": [testing.cards]})
	testing.denied(asked_for(by_relation, labelled), "access.required")
}

test_what_steers_a_session_or_a_transaction_needs_neither if {
	every category, name in {"session": "set", "transaction": "begin"} {
		asked := testing.does(["agents"], name, category, {"relations": []})
		asked_for(asked, {}).outcome == "allow"
	}
}

test_an_entry_that_lacks_a_part_denies if {
	every part in object.keys(entry) {
		decision := testing.decide_with(testing.document, {"required": [object.remove(entry, [part])]})
		testing.denied(decision, "access.site_data")
	}
	every odd in [null, "x", {}, {"x": {}}, 7] {
		testing.denied(testing.decide_with(testing.document, {"required": odd}), "access.site_data")
	}
}

test_covered_only_when_everything_was_said if {
	required.covered with input as testing.document with data.site as testing.site
	not required.covered with input as testing.document with data.site as object.union(testing.site, {"required": [entry]})
}
