# METADATA
# title: Some are served in certain hours only
# description: |
#   Entries of `hours` say when. Several that apply add up. What only steers a session or a transaction is let through,
#   or a transaction that is open at the end could not be ended.
# custom:
#   reads_for: [hours]
package gateway.access.hours

import data.gateway.lib.clock
import data.gateway.lib.site

entries contains entry if {
	not input.action.category in {"session", "transaction"}
	some entry in site.mine(object.get(data.site, "hours", []))
}

# METADATA
# title: Whether the moment lies in hours of an entry that applies, or none applies
# description: A document without a time lies in no hours.
default covered := false

covered if count(entries) == 0

covered if {
	some entry in entries
	clock.within(entry, input.context.time)
}

# METADATA
# title: The agent is outside its hours
# custom:
#   code: access.hours
#   effect: deny
#   message: "{connection} is closed to the agent at this hour"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/7.2.5]
#   severity: medium
#   remedy: Wait for the hours that the site data names under `hours`, or ask the policy owner for others.
effects contains effect if {
	not covered
	effect := {"effect": "deny", "code": "access.hours", "args": {"connection": input.resource.connection}}
}
