# METADATA
# title: Commands the organisation blocks by name or by pattern
package gateway.access.blocked

import data.gateway.lib.site

blocks := site.mine(data.site.deny)

# A pattern that is no RE2 expression would match nothing, so that a typing mistake would open what it should close.
# METADATA
# title: Whether every pattern of the site can be matched at all
default covered := false

covered if {
	every entry in data.site.deny {
		usable(entry)
	}
}

usable(entry) if not "pattern" in object.keys(entry)

usable(entry) if regex.is_valid(entry.pattern)

# METADATA
# title: The organisation blocks the action
# custom:
#   code: access.blocked
#   effect: deny
#   message: "{action} is blocked on {connection}"
#   controls: [PCI-DSS-4.0.1/7.2.2]
#   severity: high
#   remedy: Do without this command; the organisation blocks it.
effects contains effect if {
	some entry in blocks
	not "pattern" in object.keys(entry)
	site.action(entry, input.action.name)
	effect := {"effect": "deny", "code": "access.blocked", "args": {
		"action": input.action.name,
		"connection": input.resource.connection,
	}}
}

# METADATA
# title: The organisation blocks statements that match a pattern
# custom:
#   code: access.blocked_pattern
#   effect: deny
#   message: "the statement matches the blocked pattern {pattern}"
#   controls: [PCI-DSS-4.0.1/7.2.2]
#   severity: high
#   remedy: Do without what the pattern names; the organisation blocks it.
effects contains effect if {
	some entry in blocks
	site.action(entry, input.action.name)
	regex.match(entry.pattern, input.statement.text_redacted)
	effect := {"effect": "deny", "code": "access.blocked_pattern", "args": {"pattern": entry.pattern}}
}

# METADATA
# title: A blocking pattern of the site data cannot be used
# custom:
#   code: access.pattern_unusable
#   effect: deny
#   message: "the site data has a pattern that is not RE2: {pattern}"
#   controls: [PCI-DSS-4.0.1/7.2.2]
#   severity: high
#   remedy: Ask the policy owner to correct the pattern.
effects contains effect if {
	some entry in data.site.deny
	not usable(entry)
	effect := {"effect": "deny", "code": "access.pattern_unusable", "args": {"pattern": entry.pattern}}
}
