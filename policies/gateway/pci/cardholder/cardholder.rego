# METADATA
# title: Cardholder data is masked unless the reader is cleared
# description: The label of a column decides, wherever in the statement the column stands.
package gateway.pci.cardholder

import data.gateway.lib.clearance
import data.gateway.pci.breakglass

# METADATA
# title: Whether each labelled column is masked, or cleared by name
default covered := false

covered if {
	every column in input.statement.columns {
		accounted(column)
	}
}

accounted(column) if column.labels == []

accounted(column) if dealt_with[place(column)]

accounted(column) if breakglass.opens(column)

dealt_with contains [effect.schema, effect.relation, effect.column] if some effect in effects

place(column) := [column.schema, column.relation, column.name]

# METADATA
# title: A labelled column is masked for everyone who is not cleared for its label
# custom:
#   code: pci.cardholder.masked
#   effect: mask
#   message: "{column} carries the label {label} and is masked"
#   controls: [PCI-DSS-4.0.1/3.4.1, PCI-DSS-4.0.1/7.2.6]
#   severity: high
#   remedy: Work with the masked value, or ask the policy owner to be cleared for the label.
effects contains effect if {
	some column in input.statement.columns
	not clearance.clear(column)
	not breakglass.opens(column)
	some label in column.labels
	not label in clearance.sensitive
	effect := mask(column, label, object.get(data.site.masks, label, "null"), "pci.cardholder.masked")
}

# METADATA
# title: Sensitive authentication data is never shown
# custom:
#   code: pci.cardholder.sensitive
#   effect: mask
#   message: "{column} carries the label {label} and is never shown"
#   controls: [PCI-DSS-4.0.1/3.3.1, PCI-DSS-4.0.1/3.3.1.2]
#   severity: critical
#   remedy: Do without this column; nobody can be cleared for it.
effects contains effect if {
	some column in input.statement.columns
	some label in column.labels
	label in clearance.sensitive
	effect := mask(column, label, "null", "pci.cardholder.sensitive")
}

# METADATA
# title: A labelled column is shown to a subject who is cleared for it
# custom:
#   code: pci.cardholder.cleared
#   effect: clear
#   message: "{column} is shown unmasked: the agent is cleared for its labels"
#   controls: [PCI-DSS-4.0.1/3.4.1, PCI-DSS-4.0.1/7.2.6]
#   severity: high
#   remedy: Nothing to do; the access is recorded.
effects contains effect if {
	some column in input.statement.columns
	clearance.clear(column)
	effect := {
		"effect": "clear",
		"schema": column.schema,
		"relation": column.relation,
		"column": column.name,
		"code": "pci.cardholder.cleared",
		"args": {"column": named(column)},
	}
}

# METADATA
# title: A subject who may be cleared gave no reason
# custom:
#   code: pci.cardholder.reason_missing
#   effect: advice
#   message: "{column} stays masked because no reason was given"
#   controls: [PCI-DSS-4.0.1/3.4.1]
#   severity: low
#   remedy: "Say why first: SET querywarden.reason = '…' and send the statement again."
effects contains effect if {
	some column in input.statement.columns
	not clearance.clear(column)
	count(column.labels) > 0
	every label in column.labels {
		label in clearance.may_see
	}
	effect := {
		"effect": "advice",
		"code": "pci.cardholder.reason_missing",
		"args": {"column": named(column)},
		"advice": "Say why first: SET querywarden.reason = '…' and send the statement again.",
	}
}

mask(column, label, method, code) := {
	"effect": "mask",
	"schema": column.schema,
	"relation": column.relation,
	"column": column.name,
	"method": method,
	"code": code,
	"args": {"column": named(column), "label": label},
}

named(column) := concat(".", place(column))
