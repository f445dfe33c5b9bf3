# METADATA
# title: The one place where effects become a decision
# description: |
#   Rules add effects; nothing but this package composes them: deny, then require_approval, then mask, then allow.
#   Allowing needs every part of the statement to be covered by a rule that says so. A rule that is undefined covers
#   nothing, so a missing or odd fact denies.
package gateway.main

import data.gateway.access.blocked
import data.gateway.access.facts
import data.gateway.access.functions
import data.gateway.access.grants
import data.gateway.access.hazards
import data.gateway.access.hours
import data.gateway.access.identities
import data.gateway.access.required
import data.gateway.access.session
import data.gateway.access.settings
import data.gateway.access.sitedata
import data.gateway.access.snapshot
import data.gateway.access.system
import data.gateway.pci.breakglass
import data.gateway.pci.cardholder

effects contains effect if some effect in data.gateway.access[_].effects

effects contains effect if some effect in data.gateway.pci[_].effects

# What denies: an effect that says so, one of a kind nobody knows, and one that lacks what is needed to carry it out.
denials := {effect |
	some effect in effects
	not performable(effect)
}

performable(effect) if {
	effect.effect in {"advice", "allow"}
	explained(effect)
}

performable(effect) if {
	effect.effect in {"clear", "mask"}
	explained(effect)
	is_string(effect.schema)
	is_string(effect.relation)
	is_string(effect.column)
}

performable(effect) if {
	effect.effect == "filter"
	explained(effect)
	is_string(effect.schema)
	is_string(effect.relation)
	is_string(effect.sql)
}

performable(effect) if {
	effect.effect == "limit"
	explained(effect)
	effect.bound in {"bytes", "rows", "seconds"}
	is_number(effect.value)
}

performable(effect) if {
	effect.effect == "limit"
	explained(effect)
	effect.bound == "rows_by_label"
	is_string(effect.label)
	is_number(effect.value)
}

performable(effect) if {
	effect.effect == "require_approval"
	explained(effect)
	is_array(effect.demand.any_of)
	is_array(effect.demand.all_of)
	count(effect.demand.any_of) + count(effect.demand.all_of) > 0
	is_number(effect.demand.min)
	is_boolean(effect.demand.reason_required)
	is_number(effect.demand.ttl)
}

explained(effect) if {
	is_string(effect.code)
	is_object(effect.args)
	every value in effect.args {
		is_string(value)
	}
}

covered if {
	input.spec == "querywarden/input/v1"
	blocked.covered == true
	facts.covered == true
	functions.covered == true
	grants.covered == true
	hazards.covered == true
	hours.covered == true
	identities.covered == true
	required.covered == true
	session.covered == true
	settings.covered == true
	sitedata.covered == true
	snapshot.covered == true
	system.covered == true
	breakglass.covered == true
	cardholder.covered == true
	every column in input.statement.columns {
		accounted(column)
	}
}

# Every labelled column, once more: whatever other rules there are, it is masked or cleared by name.
accounted(column) if column.labels == []

accounted(column) if strength[[column.schema, column.relation, column.name]]

accounted(column) if cleared[[column.schema, column.relation, column.name]]

cleared contains [effect.schema, effect.relation, effect.column] if {
	some effect in effects
	effect.effect == "clear"
}

default passes := false

passes if {
	covered
	count(denials) == 0
}

default outcome := "deny"

outcome := "require_approval" if {
	passes
	count(demands) > 0
}

outcome := "mask" if {
	passes
	count(demands) == 0
	count(masks) > 0
}

outcome := "allow" if {
	passes
	count(demands) == 0
	count(masks) == 0
}

# METADATA
# title: The decision
# description: Undefined means deny to whoever asks.
# entrypoint: true
# custom:
#   code: access.not_covered
#   effect: deny
#   message: "no rule covers the whole statement"
#   controls: [PCI-DSS-4.0.1/7.2.1, PCI-DSS-4.0.1/7.3.3]
#   severity: high
#   remedy: Write the statement in a plainer form, or ask the policy owner for a grant.
decision := {
	"outcome": outcome,
	"reasons": sort(reasons),
	"obligations": obligations,
	"advice": sort({effect.advice | some effect in effects}),
}

reasons contains {"code": effect.code, "args": effect.args} if {
	some effect in effects
	explained(effect)
}

# A denial without a reason of its own still has this one.
reasons contains {"code": "access.not_covered", "args": {}} if {
	outcome == "deny"
	count({1 | some effect in denials; explained(effect)}) == 0
}

obligations := {"masks": [], "row_filters": [], "limits": {}} if outcome == "deny"

obligations := object.union(duties, approval) if outcome != "deny"

duties := {
	"masks": sort(masks),
	"row_filters": sort({filter |
		some effect in effects
		effect.effect == "filter"
		filter := {"schema": effect.schema, "relation": effect.relation, "sql": effect.sql}
	}),
	"limits": object.union(bounds, budgets),
}

# Of two masks on a column the more concealing wins; a method nobody knows conceals everything.
rank := {"first6_last4": 1, "last4": 2, "fixed": 3, "null": 4}

method := {1: "first6_last4", 2: "last4", 3: "fixed", 4: "null"}

strength[place] := max(ranks) if {
	some place, ranks in concealing
}

concealing[[effect.schema, effect.relation, effect.column]] contains level(effect) if {
	some effect in effects
	effect.effect == "mask"
}

level(effect) := object.get(rank, effect.method, 4) if is_string(effect.method)

# A list would be taken for a path.
level(effect) := 4 if not is_string(object.get(effect, "method", null))

masks contains {"schema": place[0], "relation": place[1], "column": place[2], "method": method[strongest]} if {
	some place, strongest in strength
}

# The smallest of several bounds holds.
bounds[bound] := min({effect.value | some effect in effects; effect.bound == bound}) if {
	some bound in {"bytes", "rows", "seconds"}
}

default budgets := {}

budgets := {"rows_by_label": labels} if {
	labels := {label: least |
		some effect in effects
		label := effect.label
		effect.bound == "rows_by_label"
		least := min({other.value | some other in effects; other.bound == "rows_by_label"; other.label == label})
	}
	count(labels) > 0
}

# Every demand must be met: someone of each group in `all_of`, and so many of those that each `any_of` allows.
demands contains effect.demand if {
	some effect in effects
	effect.effect == "require_approval"
}

choices := {{name | some name in demand.any_of} | some demand in demands; count(demand.any_of) > 0}

# Nobody who would satisfy all lists at once: then someone of every group must agree. An empty list would mean anyone.
everyone := union(choices) if count(intersection(choices)) == 0

everyone := set() if count(intersection(choices)) > 0

default approval := {}

approval := {"approval": {
	"all_of": sort(everyone | {name | some demand in demands; some name in demand.all_of}),
	"any_of": sort(intersection(choices)),
	"min": max({demand.min | some demand in demands}),
	"reason_required": true in {demand.reason_required | some demand in demands},
	"requester_may_approve": false,
	"ttl": min({demand.ttl | some demand in demands}),
}} if {
	count(demands) > 0
}
