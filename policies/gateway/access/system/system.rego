# METADATA
# title: Of the system's own relations only those that tools introspect are read
# description: "The list stands in lib/allow: what psql, drivers and BI tools introspect. No grant opens the rest."
package gateway.access.system

import data.gateway.lib.allow
import data.gateway.lib.site

# METADATA
# title: Whether every system relation and column may be read
default covered := false

covered if site.open

covered if {
	every relation in input.statement.relations {
		harmless(relation)
	}
	every column in input.statement.columns {
		not hidden(column)
	}
}

harmless(relation) if relation.kind != "system"

harmless(relation) if {
	relation.access == ["read"]
	readable(relation)
}

# Maintenance shows nothing of it and runs nobody's code over it; whether it is granted is another rule's question.
harmless(_) if input.action.name in {"analyze", "vacuum"}

readable(relation) if {
	allow.relations[relation.schema][relation.name] == true
	not veiled(relation)
}

# What a listed system view reads was chosen by the server's authors: the view itself is what was listed.
readable(relation) if {
	count(relation.via) > 0
	every view in relation.via {
		listed_view(view)
	}
}

listed_view(view) if {
	[schema, name] := split(view, ".")
	allow.relations[schema][name] == true
}

# A view that somebody made may show under another name what is hidden here.
veiled(relation) if {
	count(relation.via) > 0
	allow.hidden[concat(".", [relation.schema, relation.name])]
}

hidden(column) if column.name in allow.hidden[concat(".", [column.schema, column.relation])]

# METADATA
# title: A system relation is not on the list of those that may be read
# custom:
#   code: access.system
#   effect: deny
#   message: "{relation} is not a system relation that agents may use"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/7.2.6]
#   severity: high
#   remedy: Use information_schema or the catalog relations that psql and drivers read.
effects contains effect if {
	not site.open
	some relation in input.statement.relations
	not harmless(relation)
	effect := {"effect": "deny", "code": "access.system", "args": {
		"relation": concat(".", [relation.schema, relation.name]),
	}}
}

# METADATA
# title: A column of a system relation shows other people's statements or credentials
# custom:
#   code: access.system_column
#   effect: deny
#   message: "{column} shows statements or credentials of others"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/8.6.2]
#   severity: high
#   remedy: Name the columns you need, without this one.
effects contains effect if {
	not site.open
	some column in input.statement.columns
	hidden(column)
	effect := {"effect": "deny", "code": "access.system_column", "args": {
		"column": concat(".", [column.schema, column.relation, column.name]),
	}}
}
