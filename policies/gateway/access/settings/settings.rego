# METADATA
# title: Only harmless settings are changed
# description: The list stands in lib/allow. Settings that decide what a text means are pinned by the gateway besides.
package gateway.access.settings

import data.gateway.lib.allow
import data.gateway.lib.site

# METADATA
# title: Whether every setting may be changed, or is only read
default covered := false

covered if {
	site.open
	not moves_names
}

covered if only_reads

covered if {
	every name in input.statement.settings {
		settable(name)
	}
}

only_reads if input.action.name == "show"

only_reads if {
	input.action.category in {"read", "write"}
	every call in input.statement.functions {
		call.name != "set_config"
	}
}

# Where a grant names relations, what a name means must not move under it: there, `open` does not open this.
moves_names if {
	not everything_granted
	some grant in site.mine(data.site.grants)
	not "*" in grant.relations
	moving
}

everything_granted if {
	some grant in site.mine(data.site.grants)
	"*" in grant.relations
	"*" in grant.actions
}

moving if {
	not only_reads
	input.action.name != "reset"
	some name in input.statement.settings
	moves(name)
}

moves(name) if lower(name) in {"search_path", "set_config"}

settable(name) if allow.settings[lower(name)] == true

settable(name) if startswith(lower(name), "querywarden.")

# METADATA
# title: A setting is not on the list of those a session may change
# custom:
#   code: access.setting
#   effect: deny
#   message: "the setting {setting} may not be changed"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/7.2.6]
#   severity: medium
#   remedy: Leave the setting as it is.
effects contains effect if {
	some name in refused
	effect := {"effect": "deny", "code": "access.setting", "args": {"setting": name}}
}

refused contains name if {
	not site.open
	not only_reads
	some name in input.statement.settings
	not settable(name)
}

refused contains name if {
	moves_names
	some name in input.statement.settings
	moves(name)
}
