# METADATA
# title: Some agents see some rows only
# description: Entries of `filters` say which; several on one relation all hold.
package gateway.access.filters

import data.gateway.lib.site

# METADATA
# title: Only rows for which the organisation's expression holds
# custom:
#   code: access.filtered
#   effect: filter
#   message: "only rows of {relation} that the agent's groups may see"
#   controls: [PCI-DSS-4.0.1/7.2.1, PCI-DSS-4.0.1/7.2.2]
#   severity: low
#   remedy: Nothing to do; rows outside the agent's share do not exist for it.
effects contains effect if {
	some entry in site.mine(data.site.filters)
	some relation in input.statement.relations
	name := concat(".", [relation.schema, relation.name])
	name == entry.relation
	effect := {
		"effect": "filter",
		"schema": relation.schema,
		"relation": relation.name,
		"sql": entry.sql,
		"code": "access.filtered",
		"args": {"relation": name},
	}
}
