# METADATA
# title: The one place where effects become a decision
# description: |
#   Rules add effects; nothing but this package composes them: deny, then require_approval, then mask, then allow.
#   Allowing needs every part of the statement to be covered by a rule that says so. A rule that is undefined covers
#   nothing, so a missing or odd fact denies.
package gateway.main

import data.gateway.access.blocked
import data.gateway.access.functions
import data.gateway.access.grants
import data.gateway.access.hazards
import data.gateway.access.session
import data.gateway.access.settings
import data.gateway.access.system
import data.gateway.pci.cardholder

effects contains effect if some effect in data.gateway.access[_].effects

effects contains effect if some effect in data.gateway.pci[_].effects

denials := {effect | some effect in effects; not effect.effect in harmless}

# An effect this package does not know denies, too.
harmless := {"advice", "allow", "clear", "filter", "limit", "mask", "require_approval"}

covered if {
	input.spec == "querywarden/input/v1"
	blocked.covered == true
	functions.covered == true
	grants.covered == true
	hazards.covered == true
	session.covered == true
	settings.covered == true
	system.covered == true
	cardholder.covered == true
	every column in input.statement.columns {
		accounted(column)
	}
}

accounted(column) if count(column.labels) == 0

accounted(column) if strongest(column.schema, column.relation, column.name)

accounted(column) if {
	some effect in effects
	effect.effect == "clear"
	effect.args.column == concat(".", [column.schema, column.relation, column.name])
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

reasons contains {"code": effect.code, "args": effect.args} if some effect in effects

reasons contains {"code": "access.not_covered", "args": {}} if {
	not covered
	count(denials) == 0
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

masks contains mask if {
	some effect in effects
	effect.effect == "mask"
	mask := {
		"schema": effect.schema,
		"relation": effect.relation,
		"column": effect.column,
		"method": method[strongest(effect.schema, effect.relation, effect.column)],
	}
}

strongest(schema, relation, column) := max({object.get(rank, effect.method, 4) |
	some effect in effects
	effect.effect == "mask"
	effect.schema == schema
	effect.relation == relation
	effect.column == column
})

# The smallest of several bounds holds.
bounds[bound] := min({effect.value | some effect in effects; effect.bound == bound}) if {
	some bound in {"bytes", "rows", "seconds"}
	some effect in effects
	effect.bound == bound
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

# Every demand must be met: all of the named groups, and so many of those that each list allows.
demands contains effect.demand if {
	some effect in effects
	effect.effect == "require_approval"
}

default approval := {}

approval := {"approval": {
	"all_of": sort(union({{name | some name in demand.all_of} | some demand in demands})),
	"any_of": sort(intersection({{name | some name in demand.any_of} | some demand in demands; count(demand.any_of) > 0})),
	"min": max({demand.min | some demand in demands}),
	"reason_required": true in {demand.reason_required | some demand in demands},
	"requester_may_approve": false,
	"ttl": min({demand.ttl | some demand in demands}),
}} if {
	count(demands) > 0
}
