# METADATA
# title: Interactive use of an application's identity, agreed on for a time
# description: |
#   Entries of `interactive_exceptions` name the identity, the end, the ticket and who agreed. In a package of its own,
#   because only such entries need the time.
# custom:
#   reads_for: [interactive_exceptions]
package gateway.access.exceptions

import data.gateway.lib.clock
import data.gateway.lib.site

# METADATA
# title: Exceptions that hold now for this subject on this connection
current contains entry if {
	some entry in object.get(data.site, "interactive_exceptions", [])
	site.connection(entry)
	site.subject(entry)
	clock.minutes(input.context.time) < clock.minutes(entry.until)
}
