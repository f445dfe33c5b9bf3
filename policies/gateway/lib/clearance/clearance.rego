# METADATA
# title: Which labels a subject sees
# description: Entries of `clear` say so, and some labels nobody sees.
package gateway.lib.clearance

import data.gateway.lib.site

# Sensitive authentication data: never shown, whatever the site data says (PCI DSS 3.3.1).
sensitive := {"cvv", "pin", "track"}

clearances := site.mine(data.site.clear)

# METADATA
# title: Labels the subject may see here, given a reason
may_see contains label if {
	some entry in clearances
	some label in entry.labels
	not label in sensitive
}

# METADATA
# title: Labels the subject sees now
sees contains label if {
	some entry in clearances
	satisfied(entry)
	some label in entry.labels
	not label in sensitive
}

# Only the word false waives the reason.
satisfied(entry) if entry.reason_required == false

satisfied(_) if reason_given

reason_given if trim_space(input.context.reason) != ""

reason_given if trim_space(input.context.purpose) != ""

# METADATA
# title: Every label of the column is one the subject sees
clear(column) if {
	count(column.labels) > 0
	every label in column.labels {
		label in sees
	}
}
