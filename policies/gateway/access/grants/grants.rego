# METADATA
# title: Everything a statement touches has been granted
# description: What no entry of `grants` covers is denied.
package gateway.access.grants

import data.gateway.lib.site

grants := site.mine(data.site.grants)

ungoverned := {"read", "session", "transaction"}

connection_wide := {"ddl", "dcl", "admin"}

# METADATA
# title: Whether grants cover the whole statement
default covered := false

covered if {
	count(grants) > 0
	action_covered
	every relation in input.statement.relations {
		relation_covered(relation)
	}
}

# What only reads or steers needs its relations granted. What changes a relation needs its action granted there. What
# changes something that is no relation needs a grant of its action, and when that is wider than one relation, for all.
default action_covered := false

action_covered if input.action.category in ungoverned

action_covered if {
	some relation in input.statement.relations
	relation.kind != "system"
	"write" in relation.access
}

action_covered if {
	input.action.category in {"write", "procedure"}
	some grant in grants
	site.action(grant, input.action.name)
}

action_covered if {
	input.action.category in connection_wide
	some grant in grants
	site.action(grant, input.action.name)
	"*" in grant.relations
}

# System relations are the business of access.system, unless grants are all there is.
relation_covered(relation) if {
	relation.kind == "system"
	not site.open
}

relation_covered(relation) if {
	count(relation.access) > 0
	every access in relation.access {
		every action in needed(access, relation) {
			granted(relation, action)
		}
	}
}

# Reading needs the statement's own action when the statement only reads (`select`, `copy_out`, `explain`), else `select`.
needed("read", _) := {input.action.name} if input.action.category == "read"

needed("read", _) := {"select"} if input.action.category != "read"

# Writing needs what is done to that relation: a DELETE inside a SELECT or an INSERT needs `delete`.
needed("write", relation) := done_to(relation) if {
	input.action.category == "write"
	count(done_to(relation)) > 0
}

needed("write", relation) := done_to(relation) | {input.action.name} if {
	input.action.category != "write"
	count(done_to(relation)) > 0
}

needed("write", relation) := {input.action.name} if {
	count(done_to(relation)) == 0
	names_its_write
}

names_its_write if input.action.category != "read"

names_its_write if input.action.name == "explain"

done_to(relation) := {action | some action in object.get(relation, "writes", [])}

granted(relation, action) if {
	some grant in grants
	site.action(grant, action)
	some pattern in grant.relations
	site.relation(pattern, relation.schema, relation.name)
}

used contains text if {
	some relation in input.statement.relations
	some access in relation.access
	some action in needed(access, relation)
	some grant in grants
	site.action(grant, action)
	some pattern in grant.relations
	site.relation(pattern, relation.schema, relation.name)
	some group in grant.groups
	applies(group)
	text := concat("/", [group, input.resource.connection, pattern, action])
}

applies("*") := true

applies(group) if group in input.subject.groups

# METADATA
# title: A grant lets the statement use a relation
# custom:
#   code: access.granted
#   effect: allow
#   message: "granted: {grant}"
#   controls: [PCI-DSS-4.0.1/7.2.1, PCI-DSS-4.0.1/7.2.2]
#   severity: info
#   remedy: Nothing to do.
effects contains effect if {
	some text in used
	effect := {"effect": "allow", "code": "access.granted", "args": {"grant": text}}
}

# METADATA
# title: The subject has grants on the connection and the statement needs no further one
# custom:
#   code: access.member
#   effect: allow
#   message: "a group of the agent has grants on {connection}, and the statement touches nothing that needs one of its own"
#   controls: [PCI-DSS-4.0.1/7.2.1]
#   severity: info
#   remedy: Nothing to do.
effects contains effect if {
	count(used) == 0
	covered
	effect := {"effect": "allow", "code": "access.member", "args": {"connection": input.resource.connection}}
}

# METADATA
# title: No group of the subject has a grant on the connection
# custom:
#   code: access.no_grant
#   effect: deny
#   message: "no group of the agent has a grant on {connection}"
#   controls: [PCI-DSS-4.0.1/7.2.1, PCI-DSS-4.0.1/7.3.3]
#   severity: medium
#   remedy: Ask the policy owner for a grant on this connection, or use another one.
effects contains effect if {
	count(grants) == 0
	effect := {"effect": "deny", "code": "access.no_grant", "args": {"connection": input.resource.connection}}
}

# METADATA
# title: No grant covers what the statement does to a relation
# custom:
#   code: access.not_granted
#   effect: deny
#   message: "{action} on {relation} is not granted"
#   controls: [PCI-DSS-4.0.1/7.2.1, PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/7.3.3]
#   severity: medium
#   remedy: Leave this relation out, or ask the policy owner for a grant.
effects contains effect if {
	count(grants) > 0
	some relation in input.statement.relations
	not relation_covered(relation)
	some access in relation.access
	some action in needed(access, relation)
	not granted(relation, action)
	effect := {"effect": "deny", "code": "access.not_granted", "args": {
		"action": action,
		"relation": concat(".", [relation.schema, relation.name]),
	}}
}

# METADATA
# title: No grant covers the action
# custom:
#   code: access.action
#   effect: deny
#   message: "{action} is not granted on {connection}"
#   controls: [PCI-DSS-4.0.1/7.2.2, PCI-DSS-4.0.1/7.3.3]
#   severity: medium
#   remedy: Do without this command, or ask the policy owner for a grant.
effects contains effect if {
	count(grants) > 0
	not action_covered
	effect := {"effect": "deny", "code": "access.action", "args": {
		"action": input.action.name,
		"connection": input.resource.connection,
	}}
}
