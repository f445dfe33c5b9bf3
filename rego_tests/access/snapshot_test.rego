package gateway.access.snapshot_test

import data.testing

unknown := {"schema": "public", "name": "new", "kind": "unknown", "access": ["read"], "labels": []}

test_known_kinds_pass if {
	every kind in ["table", "view", "matview", "partition", "partitioned", "foreign", "sequence"] {
		testing.outcome(testing.by(["agents"], {"relations": [object.union(testing.orders, {"kind": kind})]})) == "allow"
	}
}

test_rows_of_an_unknown_relation_are_denied if {
	testing.denied(testing.decide(testing.by(["owners"], {"relations": [unknown]})), "access.unknown_relation")
	written := testing.writes(unknown, ["write"], ["insert"])
	testing.denied(testing.decide(testing.does(["owners"], "insert", "write", {"relations": [written]})), "access.unknown_relation")
}

test_defining_an_unknown_relation_passes if {
	written := object.union(unknown, {"access": ["write"]})
	testing.outcome(testing.does(["owners"], "create", "ddl", {"relations": [written]})) == "allow"
	testing.outcome(testing.does(["owners"], "reindex", "admin", {"relations": [written]})) == "allow"
	both := object.union(unknown, {"access": ["read", "write"]})
	testing.denied(testing.decide(testing.does(["owners"], "create", "ddl", {"relations": [both]})), "access.unknown_relation")
}

test_a_kind_nobody_knows_is_unknown if {
	odd := object.union(testing.orders, {"kind": "heap"})
	testing.denied(testing.decide(testing.by(["owners"], {"relations": [odd]})), "access.unknown_relation")
	made := object.union(odd, {"access": ["write"]})
	testing.denied(testing.decide(testing.does(["owners"], "create", "ddl", {"relations": [made]})), "access.unknown_relation")
}

test_in_an_open_posture_unknown_relations_pass if {
	testing.outcome_with(testing.by(["owners"], {"relations": [unknown]}), {"posture": {"payments": "open"}}) == "allow"
}
