package gateway.access.functions_test

import data.testing

call(schema, name, kind) := {"schema": schema, "name": name, "kind": kind}

calling(calls) := testing.decide(testing.by(["agents"], {"functions": calls}))

test_listed_calls_pass if {
	calling([
		call("pg_catalog", "lower", "function"),
		call("pg_catalog", "count", "aggregate"),
		call("pg_catalog", "=", "operator"),
		call("pg_catalog", "text", "cast"),
		call("information_schema", "cardinal_number", "cast"),
	]).outcome == "allow"
}

test_a_call_that_is_not_listed_is_denied if {
	every each in [
		call("pg_catalog", "pg_terminate_backend", "function"),
		call("pg_catalog", "pg_read_file", "function"),
		call("pg_catalog", "query_to_xml", "function"),
		call("public", "lower", "function"),
		call("", "lower", "function"),
		call("public", "=", "operator"),
		call("public", "text", "cast"),
		call("app", "refund", "procedure"),
	] {
		decision := calling([call("pg_catalog", "lower", "function"), each])
		testing.denied(decision, "access.function")
	}
}

test_a_name_of_another_kind_is_not_listed if {
	testing.denied(calling([call("pg_catalog", "lower", "operator")]), "access.function")
	testing.denied(calling([call("pg_catalog", "lower", "procedure")]), "access.function")
	testing.denied(calling([call("pg_catalog", "=", "function")]), "access.function")
	testing.denied(calling([call("information_schema", "cardinal_number", "function")]), "access.function")
	testing.denied(calling([call("information_schema", "cardinal_number", "operator")]), "access.function")
}

test_the_site_lists_functions_of_its_own if {
	calling([call("app", "mask_name", "function")]).outcome == "allow"
	testing.denied(calling([call("app", "other", "function")]), "access.function")
}

test_an_open_posture_calls_what_the_server_lets_it if {
	asked := testing.by(["owners"], {"functions": [call("app", "other", "function")]})
	testing.outcome_with(asked, {"posture": {"payments": "open"}}) == "allow"
	testing.outcome_with(asked, {"posture": {"payments": "opened"}}) == "deny"
	testing.outcome_with(asked, {"posture": {"payments": true}}) == "deny"
}

test_a_call_that_is_odd_denies if {
	every odd in [null, "lower", [], {}, {"schema": "pg_catalog", "name": "lower"}, call(["pg_catalog"], "lower", "function")] {
		calling([odd]).outcome == "deny"
	}
}
