package gateway.access.facts_test

import data.gateway.access.facts
import data.testing

test_a_document_of_the_right_shape_has_nothing_to_say_here if {
	not "access.facts" in testing.codes(testing.decide(testing.document))
}

test_a_document_of_another_shape_is_denied_and_says_so if {
	every path in [
		"subject/id", "subject/groups", "resource/connection", "action/name", "action/category", "statement/text_redacted",
		"statement/settings", "statement/relations", "statement/columns", "statement/functions", "statement/hazards",
		"statement/relations/0/schema", "statement/relations/0/name", "statement/relations/0/kind",
		"statement/relations/0/access", "statement/relations/0/labels",
	] {
		testing.denied(testing.decide(json.remove(testing.document, [path])), "access.facts")
		odd := json.patch(testing.document, [{"op": "replace", "path": path, "value": 7}])
		testing.denied(testing.decide(odd), "access.facts")
	}
}

test_a_column_has_a_name_a_relation_and_a_schema if {
	every part in ["schema", "relation", "name", "labels"] {
		every odd in [null, 7, {}, [7]] {
			column := object.union(testing.holder, {part: odd})
			testing.denied(testing.decide(testing.by(["agents"], {"columns": [column]})), "access.facts")
		}
		gone := object.remove(testing.holder, [part])
		testing.denied(testing.decide(testing.by(["agents"], {"columns": [gone]})), "access.facts")
	}
}

test_a_text_is_no_list_of_relations if {
	every part in ["relations", "columns", "functions", "hazards", "settings"] {
		every odd in ["", "orders", {}, {"0": testing.orders}, null] {
			testing.denied(testing.decide(testing.but({"statement": {part: odd}})), "access.facts")
		}
	}
}

test_what_is_written_and_the_views_are_lists_when_they_are_there if {
	every part in ["via", "writes"] {
		every odd in ["x", null, [7], {"x": "y"}] {
			relation := object.union(testing.orders, {part: odd})
			testing.denied(testing.decide(testing.by(["owners"], {"relations": [relation]})), "access.facts")
		}
	}
}

test_an_odd_call_or_hazard_is_not_covered_whoever_else_denies_it if {
	every part in ["functions", "hazards"] {
		asked := testing.but({"statement": {part: [7]}})
		not facts.covered with input as asked
	}
}
