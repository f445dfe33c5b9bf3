# METADATA
# title: Break-glass shows a label in an emergency, to those who say why and under which ticket
# description: |
#   Entries of `break_glass` name the groups, the connections and the labels. Grants still decide which relations are
#   read, and nothing shows sensitive authentication data. Approvals with `clear: true` are about clearances, not this.
package gateway.pci.breakglass

import data.gateway.lib.clearance
import data.gateway.lib.site

labels contains label if {
	some entry in site.mine(object.get(data.site, "break_glass", []))
	some label in entry.labels
	not label in clearance.sensitive
}

# METADATA
# title: Columns that this subject sees by breaking the glass only
behind contains column if {
	some column in input.statement.columns
	count(column.labels) > 0
	not clearance.clear(column)
	every label in column.labels {
		label in (labels | clearance.sees)
	}
}

explained if {
	trim_space(input.context.reason) != ""
	trim_space(input.context.ticket) != ""
}

# METADATA
# title: The column is shown
opens(column) if {
	explained
	behind[column]
}

# METADATA
# title: Whether nothing is behind glass, or it was said why it is broken
default covered := false

covered if count(behind) == 0

covered if explained

# METADATA
# title: A labelled column is shown in an emergency
# custom:
#   code: pci.breakglass.used
#   effect: clear
#   message: "{column} is shown unmasked: the glass was broken"
#   controls: [PCI-DSS-4.0.1/3.4.1, PCI-DSS-4.0.1/7.2.6, PCI-DSS-4.0.1/10.2.1.2]
#   severity: high
#   remedy: Nothing to do; the access is recorded with its reason and ticket, and will be looked at.
effects contains effect if {
	explained
	some column in behind
	effect := {
		"effect": "clear",
		"schema": column.schema,
		"relation": column.relation,
		"column": column.name,
		"code": "pci.breakglass.used",
		"args": {"column": named(column)},
	}
}

# METADATA
# title: Whoever may break the glass did not say why, or under which ticket
# custom:
#   code: pci.breakglass.unexplained
#   effect: deny
#   message: "{column} is behind glass, and a reason and a ticket were not both given"
#   controls: [PCI-DSS-4.0.1/3.4.1, PCI-DSS-4.0.1/7.2.6]
#   severity: medium
#   remedy: "Say both first: SET querywarden.reason = '…' and SET querywarden.ticket = '…', and send the statement again; or leave the column out."
effects contains effect if {
	not explained
	some column in behind
	effect := {"effect": "deny", "code": "pci.breakglass.unexplained", "args": {"column": named(column)}}
}

named(column) := concat(".", [column.schema, column.relation, column.name])
