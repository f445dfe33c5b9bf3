package gateway.lib.site_test

import data.gateway.lib.site
import data.testing

test_patterns_cover_what_they_name if {
	site.relation("*", "public", "cards")
	site.relation("public.*", "public", "cards")
	site.relation("public.cards", "public", "cards")
	not site.relation("public.*", "publicx", "cards")
	not site.relation("public.cards", "public", "cardsx")
	not site.relation("pub*", "public", "cards")
	not site.relation("*.cards", "public", "cards")
}

test_patterns_are_not_fooled_by_dots if {
	not site.relation("public.x.*", "public.x", "cards")
	not site.relation("public.x.cards", "public", "x.cards")
	site.relation("*", "public.x", "cards.y")
}

test_entries_are_mine_by_group_and_connection if {
	entries := [
		{"id": 1, "groups": ["agents"], "connections": ["payments"]},
		{"id": 2, "groups": ["*"], "connections": ["*"]},
		{"id": 3, "groups": ["agents"], "connections": ["ledger"]},
		{"id": 4, "groups": ["others"], "connections": ["payments"]},
		{"id": 5, "groups": "agents", "connections": ["payments"]},
		{"id": 6, "connections": ["payments"]},
	]
	found := site.mine(entries) with input as testing.document
	[entry.id | some entry in found] == [1, 2]
}

test_a_group_that_is_called_star_is_an_ordinary_one if {
	found := site.mine([{"groups": ["agents"], "connections": ["*"]}]) with input as testing.by(["*"], {})
	found == []
}

test_only_the_word_open_opens if {
	site.open with input as testing.document with data.site.posture as {"payments": "open"}
	every odd in ["Open", "OPEN", "guarded", true, ["open"], null] {
		not site.open with input as testing.document with data.site.posture as {"payments": odd}
	}
}

test_a_statement_does_its_action_and_all_it_writes if {
	asked := testing.by(["agents"], {"relations": [testing.writes(testing.orders, ["write"], ["delete", "insert"])]})
	done := site.done with input as asked
	done == {"select", "delete", "insert"}
}

test_subjects_are_named_whole_or_by_how_they_begin if {
	every subjects in [["refund-agent"], ["refund-*"], ["*"], ["other", "refund-agent"], ["refund-agent*"]] {
		site.subject({"subjects": subjects}) with input as testing.document
	}
	every subjects in [[], ["refund-"], ["refund-agent2"], ["*-agent"], ["REFUND-*"], "refund-agent", null] {
		not site.subject({"subjects": subjects}) with input as testing.document
	}
}
