# METADATA
# title: What was not understood does not pass
# description: What the gateway could not read is a hazard with a code. Only the few that are advice pass.
package gateway.access.hazards

import data.gateway.lib.allow

# METADATA
# title: Whether everything was understood
default covered := false

covered if {
	every hazard in input.statement.hazards {
		advisory(hazard)
	}
}

advisory(hazard) if allow.advisory[hazard.code] == true

# METADATA
# title: A part of the statement was not understood or is never let through
# description: The reason carries the hazard's own code, which is what the agent is shown.
# custom:
#   code: access.hazard
#   effect: deny
#   message: "{hazard} {detail}"
#   controls: [PCI-DSS-4.0.1/7.2.6]
#   severity: high
#   remedy: Write the statement in a plainer form.
effects contains effect if {
	some hazard in input.statement.hazards
	not advisory(hazard)
	effect := {"effect": "deny", "code": "access.hazard", "args": {"hazard": hazard.code, "detail": hazard.detail}}
}
