# METADATA
# title: Of the statements that only steer a session or a transaction the ordinary ones pass
# description: The list stands in lib/allow and uses the names of actions.
package gateway.access.session

import data.gateway.lib.allow
import data.gateway.lib.site

steering := {"session", "transaction"}

# METADATA
# title: Whether the statement is an ordinary one, or does more than steer
default covered := false

covered if site.open

covered if input.action.category in {"read", "write", "ddl", "dcl", "procedure", "admin"}

covered if allow.actions[input.action.category][input.action.name] == true

# METADATA
# title: A session statement reaches beyond its own session
# custom:
#   code: access.session
#   effect: deny
#   message: "{action} is not a session statement that agents may use"
#   controls: [PCI-DSS-4.0.1/7.2.2]
#   severity: medium
#   remedy: Do without this command.
effects contains effect if {
	input.action.category in steering
	not covered
	effect := {"effect": "deny", "code": "access.session", "args": {"action": input.action.name}}
}
