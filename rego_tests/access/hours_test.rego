package gateway.access.hours_test

import data.gateway.access.hours
import data.testing

entry := {"groups": ["*"], "connections": ["*"], "days": ["wed"], "from": 480, "to": 1080, "utc_offset": 0}

at(asked, moment) := object.union(asked, {"context": {"time": moment}})

noon := at(testing.document, "2026-11-25T12:00:00Z")

evening := at(testing.document, "2026-11-25T18:00:00Z")

asked_for(asked, changes) := testing.decide_with(asked, {"hours": [object.union(entry, changes)]})

test_in_its_hours_an_agent_is_served_and_outside_it_is_not if {
	asked_for(noon, {}).outcome == "allow"
	testing.denied(asked_for(evening, {}), "access.hours")
	asked_for(evening, {"to": 1081}).outcome == "allow"
}

test_the_refusal_names_the_connection if {
	{"code": "access.hours", "args": {"connection": "payments"}} in asked_for(evening, {}).reasons
}

test_a_document_without_a_time_lies_in_no_hours if {
	testing.denied(asked_for(testing.document, {}), "access.hours")
	every odd in [null, 7, "", "noon", ["2026-11-25T12:00:00Z"]] {
		testing.denied(asked_for(at(testing.document, odd), {}), "access.hours")
	}
}

test_hours_hold_for_their_groups_and_connections if {
	asked_for(evening, {"groups": ["dba"]}).outcome == "allow"
	asked_for(evening, {"connections": ["ledger"]}).outcome == "allow"
	testing.denied(asked_for(evening, {"groups": ["agents"], "connections": ["payments"]}), "access.hours")
}

test_hours_that_apply_add_up if {
	late := object.union(entry, {"from": 1080, "to": 1200})
	testing.decide_with(evening, {"hours": [entry, late]}).outcome == "allow"
	testing.decide_with(noon, {"hours": [entry, late]}).outcome == "allow"
	testing.denied(testing.decide_with(at(testing.document, "2026-11-25T20:00:00Z"), {"hours": [entry, late]}), "access.hours")
	others := object.union(late, {"groups": ["dba"]})
	testing.denied(testing.decide_with(evening, {"hours": [entry, others]}), "access.hours")
}

test_what_steers_a_session_or_a_transaction_has_no_hours if {
	every category, name in {"session": "set", "transaction": "rollback"} {
		asked := testing.does(["agents"], name, category, {"relations": []})
		asked_for(asked, {}).outcome == "allow"
	}
}

test_an_entry_that_lacks_a_part_denies if {
	every part in object.keys(entry) {
		decision := testing.decide_with(noon, {"hours": [object.remove(entry, [part])]})
		testing.denied(decision, "access.site_data")
	}
	every odd in [null, "x", {}, {"x": {}}, 7] {
		testing.denied(testing.decide_with(noon, {"hours": odd}), "access.site_data")
	}
}

test_covered_only_in_hours if {
	hours.covered with input as testing.document with data.site as testing.site
	whole := object.union(testing.site, {"hours": [entry]})
	hours.covered with input as noon with data.site as whole
	not hours.covered with input as evening with data.site as whole
}
