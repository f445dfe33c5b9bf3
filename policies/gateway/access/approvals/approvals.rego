# METADATA
# title: Some statements wait for a person
# description: Entries of `approvals` say which; all conditions of an entry must hold.
package gateway.access.approvals

import data.gateway.lib.clearance
import data.gateway.lib.site

# METADATA
# title: The organisation wants a person to agree first
# custom:
#   code: access.approval
#   effect: require_approval
#   message: "{action} needs an approval"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/12.2.1]
#   severity: medium
#   remedy: Wait for the approval, or write a statement that needs none.
effects contains effect if {
	some entry in site.mine(data.site.approvals)
	site.concerns(entry)
	where_holds(entry)
	labels_hold(entry)
	effect := {
		"effect": "require_approval",
		"demand": entry.demand,
		"code": "access.approval",
		"args": {"action": input.action.name},
	}
}

where_holds(entry) if not entry.without_where

where_holds(_) if not input.statement.shape.has_where

# Without labels the entry is about any statement; with `clear` about those that would show a label unmasked.
labels_hold(entry) if {
	count(entry.labels) == 0
	not entry.clear
}

labels_hold(entry) if {
	not entry.clear
	some label in touched
	label in entry.labels
}

labels_hold(entry) if {
	some label in shown
	wanted(entry, label)
}

wanted(entry, _) if count(entry.labels) == 0

wanted(entry, label) if label in entry.labels

touched contains label if {
	some column in input.statement.columns
	some label in column.labels
}

touched contains label if {
	some relation in input.statement.relations
	some label in relation.labels
}

shown contains label if {
	some column in input.statement.columns
	clearance.clear(column)
	some label in column.labels
}
