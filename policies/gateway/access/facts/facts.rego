# METADATA
# title: Rules are asked about documents of the shape they were written for
# description: |
#   A rule over a text where it expects a list is undefined, and so would be gone. The gateway checks each document
#   against the schema; whoever asks this policy without it is held to the same here.
package gateway.access.facts

# METADATA
# title: Whether every fact that rules go through has its type
default covered := false

covered if {
	subject_sound
	statement_sound
}

subject_sound if {
	is_string(input.subject.id)
	names(input.subject.groups)
	is_string(input.resource.connection)
	is_string(input.action.name)
	is_string(input.action.category)
}

statement_sound if {
	is_string(input.statement.text_redacted)
	names(input.statement.settings)
	is_array(input.statement.relations)
	every relation in input.statement.relations {
		relation_sound(relation)
	}
	is_array(input.statement.columns)
	every column in input.statement.columns {
		column_sound(column)
	}
	is_array(input.statement.functions)
	every call in input.statement.functions {
		is_object(call)
	}
	is_array(input.statement.hazards)
	every hazard in input.statement.hazards {
		is_object(hazard)
	}
}

relation_sound(relation) if {
	is_string(relation.schema)
	is_string(relation.name)
	is_string(relation.kind)
	names(relation.access)
	names(relation.labels)
	names(object.get(relation, "via", []))
	names(object.get(relation, "writes", []))
}

column_sound(column) if {
	is_string(column.schema)
	is_string(column.relation)
	is_string(column.name)
	names(column.labels)
}

names(list) if {
	is_array(list)
	every name in list {
		is_string(name)
	}
}

# METADATA
# title: A fact is missing or has another type
# description: The gateway never writes such a document.
# custom:
#   code: access.facts
#   effect: deny
#   message: "the input document is not of the shape that rules expect"
#   controls: [PCI-DSS-4.0.1/7.2.6, PCI-DSS-4.0.1/7.3.3]
#   severity: critical
#   remedy: Ask through the gateway, or send a document that holds to the input schema.
effects contains effect if {
	not covered
	effect := {"effect": "deny", "code": "access.facts", "args": {}}
}
