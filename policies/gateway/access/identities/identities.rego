# METADATA
# title: Identities of applications are used by applications
# description: |
#   Entries of `application_identities` name them. A client says itself what program it is: a list of `programs` is
#   stronger than the built-in list of tools for people, because whoever says nothing is not on it.
# custom:
#   reads_for: [application_identities]
package gateway.access.identities

import data.gateway.access.exceptions
import data.gateway.lib.site

tools := {
	"adminer",
	"azuredatastudio",
	"beekeeper",
	"datagrip",
	"dbeaver",
	"dbvisualizer",
	"heidisql",
	"litecli",
	"mycli",
	"mysql workbench",
	"mysqlsh",
	"mysqlworkbench",
	"navicat",
	"omnidb",
	"pgadmin",
	"pgcli",
	"phpmyadmin",
	"postico",
	"psql",
	"sql workbench",
	"sqlworkbench",
	"squirrel",
	"tableplus",
	"toad",
	"usql",
}

entries := [entry |
	some entry in site.mine(object.get(data.site, "application_identities", []))
	site.subject(entry)
]

application := lower(input.context.session.application)

# The name begins with that of a tool, and no letter follows.
tool contains name if {
	some name in tools
	regex.match(concat("", ["^", name, "([^a-z]|$)"]), application)
}

# Drivers call themselves mysql-something.
tool contains application if application in {"mariadb", "mysql"}

listed(entry) if {
	some program in entry.programs
	lower(program) == application
}

acts_for_someone if input.subject.on_behalf_of.id != ""

# METADATA
# title: What is wrong with the use of the identity
wrong contains "interactive" if {
	count(entries) > 0
	count(tool) > 0
}

wrong contains "program" if {
	some entry in entries
	count(entry.programs) > 0
	not listed(entry)
}

wrong contains "on_behalf_of" if {
	not acts_for_someone
	some entry in entries
	not entry.on_behalf_of_required == false
}

# METADATA
# title: Whether the identity is used as the organisation wants
default covered := false

covered if count(wrong) == 0

covered if count(exceptions.current) > 0

# METADATA
# title: A person's tool uses the identity of an application
# custom:
#   code: access.interactive
#   effect: deny
#   message: "{subject} is the identity of an application, and {program} is a tool for people"
#   controls: [PCI-DSS-4.0.1/8.6.1]
#   severity: high
#   remedy: Log in with an identity of your own, or have an exception listed under `interactive_exceptions` in the site data.
effects contains effect if {
	not covered
	some program in tool
	effect := {
		"effect": "deny",
		"code": "access.interactive",
		"args": {"subject": input.subject.id, "program": program},
	}
}

# METADATA
# title: A program that is not the application's uses its identity
# custom:
#   code: access.program
#   effect: deny
#   message: "{subject} is the identity of an application, and the client does not say it is one of its programs"
#   controls: [PCI-DSS-4.0.1/8.6.1]
#   severity: high
#   remedy: Set application_name to a program that the site data lists under `application_identities`, or log in with an identity of your own.
effects contains effect if {
	not covered
	"program" in wrong
	effect := {"effect": "deny", "code": "access.program", "args": {"subject": input.subject.id}}
}

# METADATA
# title: The identity of an application acts for nobody
# custom:
#   code: access.on_behalf_of
#   effect: deny
#   message: "{subject} is the identity of an application, and its token names nobody it acts for"
#   controls: [PCI-DSS-4.0.1/8.6.1, PCI-DSS-4.0.1/8.2.2]
#   severity: high
#   remedy: Ask the identity provider for a token that names the person it acts for (`act`).
effects contains effect if {
	not covered
	"on_behalf_of" in wrong
	effect := {"effect": "deny", "code": "access.on_behalf_of", "args": {"subject": input.subject.id}}
}

# METADATA
# title: An exception lets the identity of an application be used otherwise for a time
# custom:
#   code: access.interactive_exception
#   effect: allow
#   message: "{subject} is used interactively until {until}, agreed on in {ticket}"
#   controls: [PCI-DSS-4.0.1/8.6.1]
#   severity: medium
#   remedy: Nothing to do; the use is recorded, and ends by itself.
effects contains effect if {
	count(wrong) > 0
	some entry in exceptions.current
	effect := {
		"effect": "allow",
		"code": "access.interactive_exception",
		"args": {"subject": input.subject.id, "ticket": entry.ticket, "until": entry.until},
	}
}
