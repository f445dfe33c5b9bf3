# METADATA
# title: Only functions, operators and casts known to be harmless are called
# description: The lists stand in lib/allow; the site adds its own functions. Operators and casts of the server itself are not facts.
package gateway.access.functions

import data.gateway.lib.allow
import data.gateway.lib.site

# METADATA
# title: Whether every call is on the lists
default covered := false

covered if site.open

covered if {
	every call in input.statement.functions {
		listed(call)
	}
}

listed(call) if {
	call.kind in {"function", "aggregate"}
	allow.functions[call.schema][call.name] == true
}

listed(call) if {
	call.kind == "operator"
	allow.operators[call.schema][call.name] == true
}

listed(call) if {
	call.kind == "cast"
	allow.casts[call.schema][call.name] == true
}

listed(call) if concat(".", [call.schema, call.name]) in data.site.functions.allow

# METADATA
# title: A function, operator or cast is not on the allow-list
# custom:
#   code: access.function
#   effect: deny
#   message: "the {kind} {function} is not on the allow-list"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/7.2.6]
#   severity: high
#   remedy: Write the statement without it, or ask the policy owner to list it under functions in the site data.
effects contains effect if {
	not site.open
	some call in input.statement.functions
	not listed(call)
	effect := {"effect": "deny", "code": "access.function", "args": {
		"function": concat(".", [call.schema, call.name]),
		"kind": call.kind,
	}}
}
