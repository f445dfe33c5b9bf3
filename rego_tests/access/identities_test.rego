package gateway.access.identities_test

import data.gateway.access.identities
import data.testing

entry := {
	"subjects": ["refund-*"],
	"groups": ["*"],
	"connections": ["*"],
	"programs": [],
	"on_behalf_of_required": false,
}

exception := {
	"subjects": ["refund-agent"],
	"connections": ["payments"],
	"until": "2026-12-01T18:00:00Z",
	"ticket": "CHG-77",
	"approved_by": "ciso",
}

using(application) := object.union(testing.document, {"context": {"session": {"application": application}}})

asked_for(asked, changes) := testing.decide_with(asked, {"application_identities": [object.union(entry, changes)]})

test_a_persons_tool_does_not_use_the_identity_of_an_application if {
	every application in [
		"psql",
		"PSQL",
		"pgAdmin 4 - DB:payments",
		"DBeaver 24.1 - Main",
		"DataGrip 2026.1",
		"MySQL Workbench",
		"mysql",
		"mariadb",
		"pgcli",
	] {
		testing.denied(asked_for(using(application), {}), "access.interactive")
	}
}

test_a_program_does if {
	every application in ["", "refund-service", "psqlodbc", "mysql-connector-python", "my psql", "PostgreSQL JDBC Driver"] {
		asked_for(using(application), {}).outcome == "allow"
	}
	asked_for(testing.document, {}).outcome == "allow"
}

test_the_refusal_names_the_identity_and_the_tool if {
	reason := {"code": "access.interactive", "args": {"subject": "refund-agent", "program": "pgadmin"}}
	reason in asked_for(using("pgAdmin 4"), {}).reasons
}

test_only_identities_that_are_named if {
	every other in [{"subjects": ["svc-*"]}, {"subjects": ["refund"]}, {"groups": ["services"]}, {"connections": ["ledger"]}] {
		asked_for(using("psql"), other).outcome == "allow"
	}
	every same in [{"subjects": ["*"]}, {"subjects": ["refund-agent"]}, {"groups": ["agents"]}, {"connections": ["payments"]}] {
		testing.denied(asked_for(using("psql"), same), "access.interactive")
	}
}

test_only_programs_that_are_listed_when_there_is_a_list if {
	listed := {"programs": ["Refund-Service", "reports"]}
	asked_for(using("refund-service"), listed).outcome == "allow"
	asked_for(using("REPORTS"), listed).outcome == "allow"
	every other in ["psql", "", "refund-service 2"] {
		testing.denied(asked_for(using(other), listed), "access.program")
	}
	testing.denied(asked_for(testing.document, listed), "access.program")
	{"code": "access.program", "args": {"subject": "refund-agent"}} in asked_for(testing.document, listed).reasons
}

test_a_listed_tool_is_still_a_tool if {
	decision := asked_for(using("psql"), {"programs": ["psql"]})
	testing.denied(decision, "access.interactive")
	not "access.program" in testing.codes(decision)
}

test_whom_it_acts_for_is_said_where_that_is_wanted if {
	wanted := {"on_behalf_of_required": true}
	testing.denied(asked_for(testing.document, wanted), "access.on_behalf_of")
	{"code": "access.on_behalf_of", "args": {"subject": "refund-agent"}} in asked_for(testing.document, wanted).reasons
	for_ada := object.union(testing.document, {"subject": {"on_behalf_of": {"id": "ada", "groups": []}}})
	asked_for(for_ada, wanted).outcome == "allow"
	for_nobody := object.union(testing.document, {"subject": {"on_behalf_of": {"id": "", "groups": []}}})
	testing.denied(asked_for(for_nobody, wanted), "access.on_behalf_of")
}

excepted(moment, changes) := testing.decide_with(
	object.union(using("psql"), {"context": {"time": moment}}),
	{"application_identities": [entry], "interactive_exceptions": [object.union(exception, changes)]},
)

test_an_exception_holds_until_it_ends if {
	decision := excepted("2026-12-01T17:59:00Z", {})
	decision.outcome == "allow"
	{
		"code": "access.interactive_exception",
		"args": {"subject": "refund-agent", "ticket": "CHG-77", "until": "2026-12-01T18:00:00Z"},
	} in decision.reasons
	testing.denied(excepted("2026-12-01T18:00:00Z", {}), "access.interactive")
	testing.denied(excepted("", {}), "access.interactive")
	testing.denied(excepted("2026-12-01T17:59:00Z", {"until": "for ever"}), "access.interactive")
}

test_an_exception_is_from_all_that_may_be_wrong if {
	every strict in [{"programs": ["nightly"]}, {"on_behalf_of_required": true}] {
		decision := testing.decide_with(
			object.union(using("psql"), {"context": {"time": "2026-11-25T12:00:00Z"}}),
			{"application_identities": [object.union(entry, strict)], "interactive_exceptions": [exception]},
		)
		decision.outcome == "allow"
		testing.codes(decision) == {"access.granted", "access.interactive_exception"}
	}
}

test_an_exception_holds_for_its_subjects_and_connections if {
	testing.denied(excepted("2026-11-25T12:00:00Z", {"subjects": ["refund-agent-2"]}), "access.interactive")
	testing.denied(excepted("2026-11-25T12:00:00Z", {"connections": ["ledger"]}), "access.interactive")
	excepted("2026-11-25T12:00:00Z", {"subjects": ["refund-*"]}).outcome == "allow"
}

test_an_exception_is_said_only_where_it_is_used if {
	asked := object.union(using("refund-service"), {"context": {"time": "2026-11-25T12:00:00Z"}})
	changes := {"application_identities": [entry], "interactive_exceptions": [exception]}
	testing.codes(testing.decide_with(asked, changes)) == {"access.granted"}
}

test_an_entry_that_lacks_a_part_denies if {
	every part in object.keys(entry) {
		decision := testing.decide_with(testing.document, {"application_identities": [object.remove(entry, [part])]})
		testing.denied(decision, "access.site_data")
	}
	every odd in [null, "x", {}, {"x": {}}, 7] {
		testing.denied(testing.decide_with(testing.document, {"application_identities": odd}), "access.site_data")
	}
}

test_covered_only_when_nothing_is_wrong if {
	whole := object.union(testing.site, {"application_identities": [entry]})
	identities.covered with input as using("refund-service") with data.site as whole
	not identities.covered with input as using("psql") with data.site as whole
}
