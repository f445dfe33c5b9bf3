# METADATA
# title: Upper bounds for what one statement may bring back
# description: Entries of `limits`; where several apply the smallest bound holds. The gateway counts.
package gateway.access.limits

import data.gateway.lib.site

entries := site.mine(data.site.limits)

bounds := {"rows", "bytes", "seconds"}

# METADATA
# title: At most so many rows, bytes or seconds
# custom:
#   code: access.limited
#   effect: limit
#   message: "at most {value} {bound}"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/3.4.2]
#   severity: info
#   remedy: Ask for fewer rows.
effects contains effect if {
	some entry in entries
	some bound in bounds
	value := entry[bound]
	effect := {
		"effect": "limit",
		"bound": bound,
		"value": value,
		"code": "access.limited",
		"args": {"bound": bound, "value": json.marshal(value)},
	}
}

# METADATA
# title: At most so many rows that show a label, counted over a window
# custom:
#   code: access.budget
#   effect: limit
#   message: "at most {value} rows with the label {label}"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/3.4.2]
#   severity: low
#   remedy: Ask for fewer rows, or without the labelled columns.
effects contains effect if {
	some entry in entries
	some label, value in entry.rows_by_label
	some column in input.statement.columns
	label in column.labels
	effect := {
		"effect": "limit",
		"bound": "rows_by_label",
		"label": label,
		"value": value,
		"code": "access.budget",
		"args": {"label": label, "value": json.marshal(value)},
	}
}
