# METADATA
# title: Some statements are sent for a purpose or under a ticket, and say so
# description: Entries of `required` say which. What only steers a session or a transaction is let through, or nothing could be said.
package gateway.access.required

import data.gateway.lib.site

demands := [entry |
	not input.action.category in {"session", "transaction"}
	some entry in site.mine(object.get(data.site, "required", []))
	site.concerns(entry)
	labels_hold(entry)
]

labels_hold(entry) if count(entry.labels) == 0

labels_hold(entry) if {
	some label in touched
	label in entry.labels
}

touched contains label if {
	some column in input.statement.columns
	some label in column.labels
}

touched contains label if {
	some relation in input.statement.relations
	some label in relation.labels
}

given contains "purpose" if trim_space(input.context.purpose) != ""

given contains "ticket" if trim_space(input.context.ticket) != ""

missing contains what if {
	some entry in demands
	some what in {"purpose", "ticket"}
	entry[what]
	not what in given
}

# METADATA
# title: Whether everything that is asked for was said
default covered := false

covered if count(missing) == 0

# METADATA
# title: The organisation wants a purpose or a ticket, and none was given
# custom:
#   code: access.required
#   effect: deny
#   message: "{action} needs a {what}, and none was given"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/12.2.1]
#   severity: medium
#   remedy: "Say it first: SET querywarden.purpose = '…' or SET querywarden.ticket = '…', and send the statement again."
effects contains effect if {
	some what in missing
	effect := {"effect": "deny", "code": "access.required", "args": {"action": input.action.name, "what": what}}
}
