"""Messages of RFC 5424 in the frames of RFC 5425 and RFC 6587: octets counted, one behind the other."""

import datetime as dt
from typing import Final

from gateway.evidence.sinks.facts import PRODUCT, VERSION
from gateway.evidence.sinks.outgoing import Outgoing, grave

AUDIT: Final = 13
"""the facility "log audit\""""
SHORTEST_LIMIT: Final = 2048
"""bytes that every receiver must take (RFC 5425, §4.3.1)"""
USUAL_LIMIT: Final = 8192
"""bytes that receivers should take, and rsyslog does unless told otherwise"""
_SEVERITY: Final = {1: 6, 2: 5, 3: 4, 4: 3}
"""informational, notice, warning, error"""
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SEQUENCE: Final = 2147483647
"""the largest sequenceId (§7.3.1)"""


def message(event: Outgoing, facility: int, host: str) -> bytes:
    """One message. Its text has no byte order mark: receivers hand it on with it, and JSON begins with none."""
    seconds, nanoseconds = divmod(event.time_ns, 1_000_000_000)
    when = f"{_EPOCH + dt.timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1000:06d}Z"
    priority = facility * 8 + _SEVERITY[grave(event.leaf)]
    sequence = event.position.number % _SEQUENCE + 1
    origin = f'[origin software="{PRODUCT}" swVersion="{VERSION}"][meta sequenceId="{sequence}"]'
    head = f"<{priority}>1 {when} {host or '-'} {PRODUCT} - {event.leaf.type[:32]} {origin} "
    return head.encode("ascii", "replace") + event.payload


def counted(data: bytes) -> bytes:
    """A message in its frame."""
    return str(len(data)).encode() + b" " + data


def host_name(text: str) -> str:
    """A host's name as §6.2.4 wants it: printable ASCII without spaces, at most 255."""
    return "".join(character for character in text if "!" <= character <= "~")[:255]
