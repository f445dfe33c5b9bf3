# METADATA
# title: How entries of site data apply
# description: Every condition of an entry is present (the build fills in "*"), and all of them must hold.
package gateway.lib.site

# METADATA
# title: The entry names the connection
connection(entry) if "*" in entry.connections

connection(entry) if input.resource.connection in entry.connections

# METADATA
# title: The entry names a group of the subject
group(entry) if "*" in entry.groups

group(entry) if {
	some name in input.subject.groups
	name in entry.groups
}

# METADATA
# title: The entry names the action
action(entry, _) if "*" in entry.actions

action(entry, name) if name in entry.actions

# METADATA
# title: A pattern of site data covers a relation
# description: Patterns are "*", "schema.*" and "schema.relation"; a name with a dot in it is covered by "*" only.
relation(pattern, _, _) if pattern == "*"

relation(pattern, schema, _) if pattern == concat(".", [schema, "*"])

relation(pattern, schema, name) if pattern == concat(".", [schema, name])

# METADATA
# title: Entries of a list that apply to this subject on this connection
mine(list) := [entry |
	some entry in list
	connection(entry)
	group(entry)
]

# METADATA
# title: The connection is governed by grants only
# description: Anything but the exact word means guarded.
open if data.site.posture[input.resource.connection] == "open"
