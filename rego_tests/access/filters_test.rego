package gateway.access.filters_test

import data.testing

filter := {"groups": ["eu-agents"], "connections": ["payments"], "relation": "public.orders", "sql": "country = 'DE'"}

filtering(groups, entries) := testing.decide_with(testing.by(groups, {}), {"filters": entries})

test_a_filter_is_an_obligation_for_its_group if {
	decision := filtering(["agents", "eu-agents"], [filter])
	decision.outcome == "allow"
	decision.obligations.row_filters == [{"schema": "public", "relation": "orders", "sql": "country = 'DE'"}]
	"access.filtered" in testing.codes(decision)
	filtering(["agents"], [filter]).obligations.row_filters == []
}

test_a_filter_holds_for_its_relation_and_connection if {
	filtering(["agents", "eu-agents"], [object.union(filter, {"relation": "public.cards"})]).obligations.row_filters == []
	filtering(["agents", "eu-agents"], [object.union(filter, {"connections": ["ledger"]})]).obligations.row_filters == []
	filtering(["agents", "eu-agents"], [object.union(filter, {"connections": ["*"]})]).obligations.row_filters != []
}

test_every_filter_of_a_relation_holds if {
	other := object.union(filter, {"groups": ["*"], "sql": "NOT closed"})
	decision := filtering(["agents", "eu-agents"], [filter, other])
	[each.sql | some each in decision.obligations.row_filters] == ["NOT closed", "country = 'DE'"]
}

test_a_filter_reaches_through_a_view if {
	seen := object.union(testing.orders, {"via": ["public.recent_orders"]})
	view := object.union(testing.orders, {"name": "recent_orders", "kind": "view"})
	asked := testing.by(["agents", "eu-agents"], {"relations": [seen, view]})
	testing.decide_with(asked, {"filters": [filter]}).obligations.row_filters == [{"schema": "public", "relation": "orders", "sql": "country = 'DE'"}]
}

test_a_filter_that_is_odd_denies if {
	every path in [["groups"], ["connections"], ["relation"], ["sql"]] {
		every odd in testing.spoilt(filter, path) {
			filtering(["agents", "eu-agents"], [odd]).outcome == "deny"
		}
	}
}
