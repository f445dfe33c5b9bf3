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
# title: The entry names the subject
# description: By its whole id, or by how it begins, with a star behind it.
subject(entry) if input.subject.id in entry.subjects

subject(entry) if {
	some pattern in entry.subjects
	endswith(pattern, "*")
	startswith(input.subject.id, trim_suffix(pattern, "*"))
}

# METADATA
# title: The entry grants the action
action(entry, _) if "*" in entry.actions

action(entry, name) if name in entry.actions

# METADATA
# title: Everything the statement does
# description: Its own action, and what INSERT, UPDATE, DELETE and MERGE do to a relation anywhere inside it.
done contains input.action.name

done contains action if {
	some relation in input.statement.relations
	some action in relation.writes
}

# METADATA
# title: The entry is about something the statement does
# description: |
#   For entries that restrict. A name stands for its family, too: `drop` for `drop_role` and `drop_database`, so that
#   what is left open is never more than the word says.
concerns(entry) if "*" in entry.actions

concerns(entry) if {
	some name in done
	name in entry.actions
}

concerns(entry) if {
	some name in done
	some family in entry.actions
	startswith(name, concat("", [family, "_"]))
}

# METADATA
# title: A pattern of site data covers a relation
# description: Patterns are "*", "schema.*" and "schema.relation"; a name with a dot in it is covered by "*" only.
relation(pattern, _, _) if pattern == "*"

relation(pattern, schema, name) if {
	not contains(schema, ".")
	not contains(name, ".")
	pattern in {concat(".", [schema, "*"]), concat(".", [schema, name])}
}

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
