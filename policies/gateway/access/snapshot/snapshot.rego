# METADATA
# title: Rows come only from relations that the catalog snapshot knows
# description: |
#   Of a relation the snapshot does not show nobody can say which columns carry a label: it may be a view on card data
#   that was made a moment ago. Defining or maintaining one gives back no rows; indexes are not in the snapshot at all.
package gateway.access.snapshot

import data.gateway.lib.site

# METADATA
# title: Whether every relation is known, or gives back no rows
default covered := false

covered if site.open

covered if {
	every relation in input.statement.relations {
		known(relation)
	}
}

known(relation) if relation.kind in {
	"table", "view", "matview", "partition", "partitioned", "foreign", "sequence", "system", "function",
}

known(relation) if {
	relation.kind == "unknown"
	relation.access == ["write"]
	input.action.category in {"admin", "ddl"}
}

# METADATA
# title: The statement reads or changes a relation that is not in the catalog snapshot
# custom:
#   code: access.unknown_relation
#   effect: deny
#   message: "{relation} is not known to the gateway"
#   controls: [PCI-DSS-4.0.1/7.2.6, PCI-DSS-4.0.1/7.3.3]
#   severity: medium
#   remedy: Check the name and its schema. If the relation was made just now, send the statement again.
effects contains effect if {
	not site.open
	some relation in input.statement.relations
	not known(relation)
	effect := {"effect": "deny", "code": "access.unknown_relation", "args": {
		"relation": concat(".", [relation.schema, relation.name]),
	}}
}
