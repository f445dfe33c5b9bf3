# METADATA
# title: Commands the organisation blocks by name or by pattern
# description: A block holds whatever is granted.
package gateway.access.blocked

import data.gateway.lib.site

blocks := [entry |
	some entry in site.mine(data.site.deny)
	site.concerns(entry)
	where_holds(entry)
]

where_holds(entry) if not unbounded(entry)

where_holds(_) if not input.statement.shape.has_where

# Only the word false makes a block one that holds with a WHERE, too.
unbounded(entry) if not object.get(entry, "without_where", false) == false

patterns := {entry.pattern | some entry in blocks}

# A pattern that is no RE2 expression gives no answer. Taken for "does not match", a typing mistake would open what it
# should close.
matched[pattern] := hit if {
	text
	some pattern in patterns
	hit := regex.match(pattern, input.statement.text_redacted)
}

default text := false

text if input.statement.text_redacted != "shape_unavailable"

# METADATA
# title: Whether every pattern that applies has said yes or no
default covered := false

covered if {
	every pattern in patterns {
		answered(pattern)
	}
}

answered(pattern) if is_boolean(matched[pattern])

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
	not unbounded(entry)
	effect := {"effect": "deny", "code": "access.blocked", "args": {
		"action": input.action.name,
		"connection": input.resource.connection,
	}}
}

# METADATA
# title: The organisation blocks the action without a WHERE
# custom:
#   code: access.unbounded
#   effect: deny
#   message: "{action} without a WHERE is blocked on {connection}"
#   controls: [PCI-DSS-4.0.1/7.2.2]
#   severity: high
#   remedy: Say which rows are meant.
effects contains effect if {
	some entry in blocks
	not "pattern" in object.keys(entry)
	unbounded(entry)
	effect := {"effect": "deny", "code": "access.unbounded", "args": {
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
	some pattern, hit in matched
	hit
	effect := {"effect": "deny", "code": "access.blocked_pattern", "args": {"pattern": pattern}}
}

# METADATA
# title: A blocking pattern gives no answer
# description: The pattern is no RE2 expression, or the statement has no text that could be shown to it.
# custom:
#   code: access.pattern_unusable
#   effect: deny
#   message: "the blocking pattern {pattern} cannot be applied to the statement"
#   controls: [PCI-DSS-4.0.1/7.2.2]
#   severity: high
#   remedy: Write the statement in a plainer form, or ask the policy owner to correct the pattern.
effects contains effect if {
	some pattern in patterns
	not answered(pattern)
	effect := {"effect": "deny", "code": "access.pattern_unusable", "args": {"pattern": pattern}}
}
