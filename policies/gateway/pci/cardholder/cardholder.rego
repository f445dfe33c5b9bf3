# METADATA
# title: Cardholder data is masked unless the reader is cleared
package gateway.pci.cardholder

import data.gateway.lib.site

# Sensitive authentication data: never shown, whatever the site data says (PCI DSS 3.3.1).
sensitive := {"cvv", "pin", "track"}

# METADATA
# title: Whether each labelled column is masked, or cleared by name
default covered := false

covered if {
	every column in input.statement.columns {
		accounted(column)
	}
}

accounted(column) if count(column.labels) == 0

accounted(column) if clear(column)

accounted(column) if {
	count(column.labels) > 0
	not clear(column)
}

# METADATA
# title: Every label of the column is one the subject is cleared for
clear(column) if {
	count(column.labels) > 0
	every label in column.labels {
		cleared(label)
	}
}

cleared(label) if {
	some entry in clearances(label)
	not entry.reason_required
}

cleared(label) if {
	count(clearances(label)) > 0
	reason_given
}

clearances(label) := [entry |
	not label in sensitive
	some entry in site.mine(data.site.clear)
	label in entry.labels
]

reason_given if input.context.reason != ""

reason_given if input.context.purpose != ""

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
	not clear(column)
	some label in column.labels
	not label in sensitive
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
	label in sensitive
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
	clear(column)
	effect := {"effect": "clear", "code": "pci.cardholder.cleared", "args": {"column": named(column)}}
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
	not reason_given
	some column in input.statement.columns
	not clear(column)
	every label in column.labels {
		count(clearances(label)) > 0
	}
	count(column.labels) > 0
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

named(column) := concat(".", [column.schema, column.relation, column.name])
