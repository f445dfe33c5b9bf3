# METADATA
# title: Only harmless settings are changed
# description: The list stands in lib/allow. Settings that decide what a text means are pinned by the gateway besides.
package gateway.access.settings

import data.gateway.lib.allow
import data.gateway.lib.site

# METADATA
# title: Whether every setting may be changed, or is only read
default covered := false

covered if site.open

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
	not site.open
	not only_reads
	some name in input.statement.settings
	not settable(name)
	effect := {"effect": "deny", "code": "access.setting", "args": {"setting": name}}
}
