package gateway.access.hazards_test

import data.testing

with_hazards(hazards) := testing.by(["owners"], {"hazards": hazards})

test_a_hazard_denies_whatever_is_granted if {
	decision := testing.decide(with_hazards([{"code": "statement.unanalysable", "detail": "unknown construct"}]))
	testing.denied(decision, "access.hazard")
	decision.reasons[_].args == {"hazard": "statement.unanalysable", "detail": "unknown construct"}
}

test_a_hazard_denies_in_an_open_posture if {
	asked := object.union(with_hazards([{"code": "statement.unanalysable", "detail": ""}]), {"resource": {"connection": "payments"}})
	testing.denied(testing.decide_with(asked, {"posture": {"payments": "open"}}), "access.hazard")
}

test_an_advisory_hazard_passes if {
	testing.outcome(with_hazards([{"code": "second_reader_unread", "detail": ""}])) == "allow"
	both := [{"code": "second_reader_unread", "detail": ""}, {"code": "copy.server_file", "detail": ""}]
	testing.denied(testing.decide(with_hazards(both)), "access.hazard")
}

test_a_hazard_without_a_code_denies if {
	every odd in [{}, {"code": null}, {"code": ["second_reader_unread"]}, {"detail": "x"}] {
		testing.outcome(with_hazards([odd])) == "deny"
	}
}
