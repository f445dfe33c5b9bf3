# METADATA
# title: Site data that restricts is complete, or nothing passes
# description: |
#   An entry that denies, filters, limits or asks for a person is lost when it lacks a part. `policy build` writes
#   complete entries; this is for bundles that were made without it.
package gateway.access.sitedata

sound["approvals"] if {
	is_array(data.site.approvals)
	every entry in data.site.approvals {
		addressed(entry)
		is_array(entry.actions)
		is_array(entry.labels)
		is_boolean(entry.clear)
		is_boolean(entry.without_where)
		is_object(entry.demand)
	}
}

sound["deny"] if {
	is_array(data.site.deny)
	every entry in data.site.deny {
		addressed(entry)
		is_array(entry.actions)
		is_string(object.get(entry, "pattern", ""))
		is_boolean(object.get(entry, "without_where", false))
	}
}

sound["filters"] if {
	is_array(data.site.filters)
	every entry in data.site.filters {
		addressed(entry)
		is_string(entry.relation)
		is_string(entry.sql)
	}
}

sound["hours"] if {
	is_array(object.get(data.site, "hours", []))
	every entry in object.get(data.site, "hours", []) {
		addressed(entry)
		is_array(entry.days)
		is_number(entry.from)
		is_number(entry.to)
		is_number(entry.utc_offset)
	}
}

sound["application_identities"] if {
	is_array(object.get(data.site, "application_identities", []))
	every entry in object.get(data.site, "application_identities", []) {
		addressed(entry)
		is_array(entry.subjects)
		is_array(entry.programs)
		is_boolean(entry.on_behalf_of_required)
	}
}

sound["limits"] if {
	is_array(data.site.limits)
	every entry in data.site.limits {
		addressed(entry)
		is_object(entry.rows_by_label)
		every value in object.remove(entry, ["groups", "connections", "rows_by_label"]) {
			is_number(value)
		}
	}
}

sound["required"] if {
	is_array(object.get(data.site, "required", []))
	every entry in object.get(data.site, "required", []) {
		addressed(entry)
		is_array(entry.actions)
		is_array(entry.labels)
		is_boolean(entry.purpose)
		is_boolean(entry.ticket)
	}
}

addressed(entry) if {
	is_array(entry.groups)
	is_array(entry.connections)
}

parts := {"application_identities", "approvals", "deny", "filters", "hours", "limits", "required"}

# METADATA
# title: Whether no entry can be lost
default covered := false

covered if {
	every part in parts {
		sound[part] == true
	}
}

# METADATA
# title: A list of site data has an entry that rules cannot read
# custom:
#   code: access.site_data
#   effect: deny
#   message: "the site data of the bundle is incomplete: {part}"
#   controls: [PCI-DSS-4.0.1/7.2.1, PCI-DSS-4.0.1/7.3.3]
#   severity: critical
#   remedy: Ask the policy owner to build the bundle with `querywarden policy build --site`.
effects contains effect if {
	some part in parts
	not sound[part]
	effect := {"effect": "deny", "code": "access.site_data", "args": {"part": part}}
}
