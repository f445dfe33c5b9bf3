package gateway.main_test

import data.gateway.main
import data.testing

test_what_is_granted_and_holds_no_label_is_allowed if {
	decision := testing.decide(testing.document)
	decision.outcome == "allow"
	decision.obligations == {"masks": [], "row_filters": [], "limits": {}}
	decision.reasons == [{"code": "access.granted", "args": {"grant": "agents/payments/public.*/select"}}]
	decision.advice == []
}

test_a_labelled_column_makes_it_mask if testing.outcome(testing.reading_pan) == "mask"

test_no_input_at_all_denies if testing.outcome({}) == "deny"

test_input_that_is_no_object_denies if {
	every odd in [null, true, 7, "allow", [], ["allow"]] {
		testing.outcome(odd) == "deny"
	}
}

test_no_site_data_at_all_denies if {
	decision := main.decision with input as testing.document
	decision.outcome == "deny"
}

test_another_version_of_the_document_denies if {
	testing.denied(testing.decide(testing.but({"spec": "querywarden/input/v2"})), "access.not_covered")
}

test_a_denial_carries_no_obligation if {
	changed := testing.does(["agents"], "update", "write", {
		"relations": [testing.writes(testing.cards, ["write"], ["update"])],
		"columns": [testing.pan],
	})
	testing.denied(testing.decide(changed), "access.not_granted")
}

# Every place of the document that a rule relies on, spoilt in every way: none may open what was closed, or lose a mask.
unread := {
	"id", "issuer", "type", "engine", "version", "database", "labels", "dialect", "count", "shape", "clauses", "context",
}

facts := {path |
	walk(guarded, [path, _])
	count(path) > 0
	every step in path {
		not step in unread
	}
}

guarded := testing.does(["agents"], "select", "read", {
	"relations": [testing.cards, testing.pg_class],
	"columns": [testing.pan],
	"functions": [{"schema": "pg_catalog", "name": "lower", "kind": "function"}],
})

test_the_document_to_be_spoilt_is_masked if testing.outcome(guarded) == "mask"

test_no_spoilt_fact_opens_anything if {
	count(facts) > 25
	every path in facts {
		every asked in testing.spoilt(guarded, path) {
			closed(asked)
		}
	}
}

closed(asked) if testing.outcome(asked) == "deny"

# Elements of a list may go: then there is less to see, but what is left keeps its mask.
closed(asked) if {
	decision := testing.decide(asked)
	decision.outcome in {"allow", "mask"}
	every part in ["relations", "columns", "functions", "hazards", "settings"] {
		is_array(asked.statement[part])
	}
	every column in asked.statement.columns {
		masked(column, decision)
	}
}

masked(column, decision) if {
	where := {"schema": column.schema, "relation": column.relation, "column": column.name, "method": "last4"}
	where in decision.obligations.masks
}

# Labels are spoilt apart, because `labels` is also a name of what no rule reads.
test_labels_of_a_column_that_are_no_list_of_names_deny if {
	every other in testing.others {
		label_holds(other)
	}
	gone := json.remove(guarded, ["statement/columns/0/labels"])
	testing.outcome(gone) == "deny"
	every other in [null, false, 0, [], {}] {
		testing.outcome(with_labels([other])) == "deny"
	}
}

with_labels(labels) := json.patch(guarded, [{"op": "replace", "path": "statement/columns/0/labels", "value": labels}])

label_holds(other) if testing.outcome(with_labels(other)) == "deny"

label_holds([]) := true

label_holds(["x"]) if {
	decision := testing.decide(with_labels(["x"]))
	decision.obligations.masks == [{"schema": "public", "relation": "cards", "column": "pan", "method": "null"}]
}

test_labels_of_a_relation_that_are_no_list_of_names_deny if {
	every other in testing.others {
		relation_labels_hold(other)
	}
}

relation_labels_hold(other) if testing.outcome(relabelled(other)) == "deny"

relation_labels_hold(other) if {
	other in [[], ["x"]]
	testing.outcome(relabelled(other)) == "mask"
}

relabelled(labels) := json.patch(guarded, [{"op": "replace", "path": "statement/relations/0/labels", "value": labels}])

# What a rule of somebody else's may add.

allowed_reason := {"code": "other.rule", "args": {}}

added(effect) := decision if {
	decision := main.decision with input as testing.document
		with data.site as testing.site
		with data.gateway.pci.other.effects as {effect}
}

effect_of(kind, more) := object.union_n([{"effect": kind}, allowed_reason, more])

test_an_effect_of_another_package_counts if {
	testing.denied(added(effect_of("deny", {})), "other.rule")
}

test_an_effect_nobody_knows_denies if {
	testing.denied(added(effect_of("bless", {})), "other.rule")
	testing.denied(added(allowed_reason), "other.rule")
}

test_a_denial_without_a_code_denies_with_the_code_of_not_covered if {
	testing.denied(added({"effect": "deny"}), "access.not_covered")
	testing.denied(added("deny"), "access.not_covered")
}

test_a_reason_that_could_not_be_shown_denies_and_is_left_out if {
	every args in [{"n": 7}, {"n": null}, ["n"], "n", {"n": ["x"]}] {
		every kind in ["allow", "deny", "advice"] {
			testing.denied(added({"effect": kind, "code": "other.rule", "args": args}), "access.not_covered")
		}
	}
}

test_only_a_clearance_clears if {
	asked := testing.by(["agents"], {"columns": [testing.pan]})
	where := {"schema": "public", "relation": "cards", "column": "pan"}
	every kind, outcome in {"clear": "allow", "advice": "deny", "allow": "deny"} {
		decision := main.decision with input as asked
			with data.site as testing.site
			with data.gateway.pci.cardholder.effects as {effect_of(kind, where)}
			with data.gateway.pci.cardholder.covered as true
		decision.outcome == outcome
	}
}

outcome_covered_by(given) := decision.outcome if {
	decision := main.decision with input as testing.document
		with data.site as testing.site
		with data.gateway.access.blocked.covered as given.blocked
		with data.gateway.access.facts.covered as given.facts
		with data.gateway.access.functions.covered as given.functions
		with data.gateway.access.grants.covered as given.grants
		with data.gateway.access.hazards.covered as given.hazards
		with data.gateway.access.hours.covered as given.hours
		with data.gateway.access.identities.covered as given.identities
		with data.gateway.access.required.covered as given.required
		with data.gateway.access.session.covered as given.session
		with data.gateway.access.settings.covered as given.settings
		with data.gateway.access.sitedata.covered as given.sitedata
		with data.gateway.access.snapshot.covered as given.snapshot
		with data.gateway.access.system.covered as given.system
		with data.gateway.pci.breakglass.covered as given.breakglass
		with data.gateway.pci.cardholder.covered as given.cardholder
}

everything := {
	"blocked": true,
	"breakglass": true,
	"cardholder": true,
	"facts": true,
	"functions": true,
	"grants": true,
	"hazards": true,
	"hours": true,
	"identities": true,
	"required": true,
	"session": true,
	"settings": true,
	"sitedata": true,
	"snapshot": true,
	"system": true,
}

test_each_package_has_to_cover_the_statement if {
	outcome_covered_by(everything) == "allow"
	every name, _ in everything {
		outcome_covered_by(object.union(everything, {name: false})) == "deny"
	}
}

test_advice_and_allow_change_nothing if {
	added(effect_of("advice", {"advice": "Ask for less."})).advice == ["Ask for less."]
	added(effect_of("allow", {})).outcome == "allow"
	added({"effect": "allow"}).outcome == "deny"
}

test_a_mask_of_another_package_is_an_obligation if {
	where := {"schema": "public", "relation": "orders", "column": "note"}
	decision := added(effect_of("mask", object.union(where, {"method": "fixed"})))
	decision.outcome == "mask"
	decision.obligations.masks == [object.union(where, {"method": "fixed"})]
}

test_a_mask_by_an_unknown_method_is_null if {
	where := {"schema": "public", "relation": "orders", "column": "note"}
	every more in [{"method": "rot13"}, {"method": ["last4"]}, {"method": []}, {"method": {}}, {"method": null}, {}] {
		added(effect_of("mask", object.union(where, more))).obligations.masks == [object.union(where, {"method": "null"})]
	}
}

test_the_more_concealing_of_two_masks_wins if {
	where := {"schema": "public", "relation": "cards", "column": "pan"}
	stronger := {"first6_last4": "last4", "last4": "last4", "fixed": "fixed", "null": "null"}
	every method, wins in stronger {
		decision := main.decision with input as testing.reading_pan
			with data.site as testing.site
			with data.gateway.pci.other.effects as {effect_of("mask", object.union(where, {"method": method}))}
		decision.obligations.masks == [object.union(where, {"method": wins})]
	}
}

whole := {
	"mask": {"schema": "public", "relation": "orders", "column": "note"},
	"clear": {"schema": "public", "relation": "orders", "column": "note"},
	"filter": {"schema": "public", "relation": "orders", "sql": "true"},
	"limit": {"bound": "rows", "value": 10},
	"require_approval": {"demand": demand},
}

demand := {"any_of": ["dba"], "all_of": [], "min": 1, "reason_required": false, "ttl": 300}

demanding(changes) := effect_of("require_approval", {"demand": object.union(demand, changes)})

test_an_obligation_that_is_whole_does_not_deny if {
	every kind, parts in whole {
		added(effect_of(kind, parts)).outcome != "deny"
	}
	added(effect_of("limit", {"bound": "rows_by_label", "label": "pan", "value": 10})).outcome == "allow"
}

spoilt_denies(kind, parts) if {
	every part, _ in parts {
		every odd in testing.spoilt(effect_of(kind, parts), [part]) {
			added(odd).outcome == "deny"
		}
	}
}

test_an_odd_mask_denies if spoilt_denies("mask", whole.mask)

test_an_odd_clearance_denies if spoilt_denies("clear", whole.clear)

test_an_odd_filter_denies if spoilt_denies("filter", whole.filter)

test_an_odd_limit_denies if spoilt_denies("limit", whole.limit)

test_an_odd_demand_denies if spoilt_denies("require_approval", whole.require_approval)

test_odd_rows_of_a_label_deny if {
	counted := effect_of("limit", {"bound": "rows_by_label", "label": "pan", "value": 10})
	every part in ["label", "value"] {
		every odd in testing.spoilt(counted, [part]) {
			added(odd).outcome == "deny"
		}
	}
}

test_an_obligation_without_code_or_args_denies if {
	every kind, parts in whole {
		every part in ["code", "args"] {
			added(object.remove(effect_of(kind, parts), [part])).outcome == "deny"
		}
	}
	counted := effect_of("limit", {"bound": "rows_by_label", "label": "pan", "value": 10})
	added(object.remove(counted, ["code"])).outcome == "deny"
	added(object.union(counted, {"bound": "cells"})).outcome == "deny"
}

test_a_kind_that_nobody_knows_denies_whatever_it_carries if {
	parts := object.union_n([each | some each in whole])
	every kind in ["bless", "masks", "", null, ["mask"]] {
		added(effect_of(kind, parts)).outcome == "deny"
		added(effect_of(kind, object.union(parts, {"bound": "rows_by_label", "label": "pan"}))).outcome == "deny"
	}
}

test_a_demand_that_nobody_could_read_denies if {
	every part, _ in demand {
		every odd in testing.spoilt(demanding({}), ["demand", part]) {
			added(odd).outcome == "deny"
		}
	}
	added(demanding({"any_of": []})).outcome == "deny"
}

test_every_reason_of_an_effect_is_given if {
	reasons := added(effect_of("filter", whole.filter)).reasons
	allowed_reason in reasons
	count(reasons) == 2
	added(effect_of("filter", whole.filter)).obligations.row_filters == [whole.filter]
	added(effect_of("advice", whole.filter)).obligations.row_filters == []
}

test_the_smallest_of_several_limits_holds if {
	decision := composed({
		effect_of("limit", {"bound": "rows", "value": 10, "args": {"n": "1"}}),
		effect_of("limit", {"bound": "rows", "value": 5, "args": {"n": "2"}}),
		effect_of("limit", {"bound": "seconds", "value": 30}),
		effect_of("limit", {"bound": "bytes", "value": 1000}),
		effect_of("limit", {"bound": "rows_by_label", "label": "pan", "value": 7}),
		effect_of("limit", {"bound": "rows_by_label", "label": "pan", "value": 3, "args": {"n": "3"}}),
		effect_of("limit", {"bound": "rows_by_label", "label": "email", "value": 9}),
	})
	decision.outcome == "allow"
	decision.obligations.limits == {
		"rows": 5,
		"seconds": 30,
		"bytes": 1000,
		"rows_by_label": {"pan": 3, "email": 9},
	}
}

composed(effects) := decision if {
	decision := main.decision with input as testing.document
		with data.site as testing.site
		with data.gateway.pci.other.effects as effects
}

test_approval_goes_before_mask if {
	decision := main.decision with input as testing.reading_pan
		with data.site as testing.site
		with data.gateway.pci.other.effects as {demanding({})}
	decision.outcome == "require_approval"
	count(decision.obligations.masks) == 1
	decision.obligations.approval == {
		"all_of": [],
		"any_of": ["dba"],
		"min": 1,
		"reason_required": false,
		"requester_may_approve": false,
		"ttl": 300,
	}
}

test_deny_goes_before_approval if {
	decision := composed({demanding({}), effect_of("deny", {})})
	testing.denied(decision, "other.rule")
}

test_of_several_demands_each_is_met if {
	decision := composed({
		demanding({"any_of": ["dba", "security"], "min": 1, "ttl": 600}),
		demanding({"any_of": ["ops", "security"], "min": 2, "reason_required": true}),
		demanding({"any_of": [], "all_of": ["legal"]}),
	})
	decision.obligations.approval == {
		"all_of": ["legal"],
		"any_of": ["security"],
		"min": 2,
		"reason_required": true,
		"requester_may_approve": false,
		"ttl": 300,
	}
}

test_demands_that_nobody_could_meet_alone_need_everyone if {
	decision := composed({demanding({"any_of": ["dba"]}), demanding({"any_of": ["security"]})})
	decision.outcome == "require_approval"
	decision.obligations.approval.any_of == []
	decision.obligations.approval.all_of == ["dba", "security"]
}

test_a_labelled_column_that_no_rule_deals_with_denies if {
	decision := main.decision with input as testing.reading_pan
		with data.site as testing.site
		with data.gateway.pci.cardholder.effects as set()
	testing.denied(decision, "access.not_covered")
	other := main.decision with input as testing.reading_pan
		with data.site as testing.site
		with data.gateway.pci.cardholder.effects as set()
		with data.gateway.pci.cardholder.covered as true
	testing.denied(other, "access.not_covered")
}

test_a_clearance_holds_for_its_own_column_only if {
	dotted := object.union(testing.pan, {"relation": "cards.pan", "name": "x"})
	clear := effect_of("clear", {"schema": "public", "relation": "cards", "column": "pan.x"})
	decision := main.decision with input as testing.by(["agents"], {"columns": [dotted]})
		with data.site as testing.site
		with data.gateway.pci.cardholder.effects as {clear}
		with data.gateway.pci.cardholder.covered as true
	decision.outcome == "deny"
}

# What denies by itself covers nothing either: either of the two would do.
coverages := {
	"cardholder": data.gateway.pci.cardholder.covered,
	"facts": data.gateway.access.facts.covered,
	"functions": data.gateway.access.functions.covered,
	"grants": data.gateway.access.grants.covered,
	"hazards": data.gateway.access.hazards.covered,
	"session": data.gateway.access.session.covered,
	"settings": data.gateway.access.settings.covered,
	"sitedata": data.gateway.access.sitedata.covered,
	"snapshot": data.gateway.access.snapshot.covered,
	"system": data.gateway.access.system.covered,
}

test_nothing_is_covered_without_facts_and_site_data if {
	found := coverages with input as {} with data.site as {}
	count(found) == 10
	every covered in found {
		covered == false
	}
}

test_a_rule_that_is_gone_covers_nothing if {
	every odd in [false, null, "true", 1] {
		decision := main.decision with input as testing.document
			with data.site as testing.site
			with data.gateway.access.functions.covered as odd
		decision.outcome == "deny"
	}
}

test_only_an_effect_that_asks_for_approval_brings_a_demand if {
	effect := {
		"effect": "allow",
		"code": "pci.other",
		"args": {},
		"demand": {"any_of": ["dba"], "all_of": [], "min": 1, "reason_required": false, "ttl": 60},
	}
	decision := testing.decide(testing.document) with data.gateway.pci.other.effects as {effect}
	decision.outcome == "allow"
}
