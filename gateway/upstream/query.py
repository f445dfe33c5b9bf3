"""Ask a database something of the gateway's own: small answers, all at once, as text (catalog, doctor)."""

from collections.abc import Mapping

from gateway.core.errors import ProtocolError, Unavailable
from gateway.upstream.postgres import Link, sqlstate
from gateway.wire.postgres import client_messages, server_messages
from gateway.wire.postgres.frames import MESSAGE_MAX, DataRun, Frame, Received, ServerReader

Row = tuple[str | None, ...]
REPORTED = (
    "server_version",
    "server_encoding",
    "client_encoding",
    "application_name",
    "default_transaction_read_only",
    "in_hot_standby",
    "is_superuser",
    "session_authorization",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "integer_datetimes",
    "standard_conforming_strings",
    "scram_iterations",
)
"""Settings a client may be told (PostgreSQL 18, §54.2.7); search_path, also reported there, names what is pinned"""


async def fetch(link: Link, sql: str) -> list[Row]:
    """Run one simple query and give its rows. Raises Unavailable: `upstream.refused` when the server says no.

    The link is idle again afterwards, also when it was refused.
    """
    link.write(client_messages.query(sql))
    reader, answer = ServerReader(MESSAGE_MAX), _Answer(link)
    while not answer.complete:
        data = await link.read()
        try:
            for received in reader.receive_data(data):
                answer.take(received)
        except (ProtocolError, UnicodeDecodeError):
            link.abort()
            raise Unavailable("upstream.malformed") from None
    link.unread(reader.rest())
    if answer.refused:
        raise Unavailable("upstream.refused", f"SQLSTATE {answer.refused}")
    return answer.rows


class _Answer:
    """What has come of the answer to one query."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.rows: list[Row] = []
        self.refused = ""
        """SQLSTATE"""
        self.complete = False

    def take(self, received: Received) -> None:
        """Take one message. Raises ProtocolError, UnicodeDecodeError."""
        match received:
            case DataRun(kind=b"D"):
                self.rows.extend(map(row_of, received.payloads()))
            case Frame(kind=b"E"):
                self.refused = sqlstate(received)
            case Frame(kind=b"S"):
                name, value = server_messages.parse_parameter_status(received)
                self._link.parameters[name] = value
            case Frame(kind=b"Z"):
                self.complete = True
            case Frame(kind=b"T" | b"C" | b"N" | b"A" | b"I"):
                pass
            case DataRun() | Frame():
                raise ProtocolError("upstream.malformed", f"{received.kind!r} in answer to a query")


def row_of(payload: memoryview) -> Row:
    """The values of one DataRow, as text. Raises ProtocolError, UnicodeDecodeError."""
    values = server_messages.data_row_values(payload)
    return tuple([None if value is None else value.decode() for value in values])


def parameter_template(parameters: Mapping[str, str]) -> dict[str, str]:
    """What a client is told of the settings of a session that is not open yet: those of an earlier one, as listed."""
    return {name: parameters[name] for name in REPORTED if name in parameters}
