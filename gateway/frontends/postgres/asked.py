"""What a session's own connection answers to the gateway itself: the schema, as its transaction has made it."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from gateway.core.errors import ProtocolError
from gateway.sql.catalog import Catalog
from gateway.upstream.query import Row, row_of
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import DataRun, Frame, Received

_ENDS: Final = 2
"""ReadyForQuery of the question, and of taking back what it set"""


@dataclass(frozen=True, slots=True)
class Inside:
    """The schema inside a transaction, and what it stands on."""

    catalog: Catalog
    changes: int
    readings: int
    until: float


@dataclass(slots=True, eq=False)
class Asked:
    """What has come of the answers to `ASK` and `UNDO`."""

    results: list[list[Row]] = field(default_factory=list)
    refused: str = ""
    status: bytes = b""
    complete: bool = False
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _rows: list[Row] = field(default_factory=list)
    _ends: int = 0

    def give_up(self, _: object) -> None:
        """The session ends."""
        if not self.done.done():
            self.done.set_result(None)

    def take(self, item: Received) -> None:
        """Take one message. Raises ProtocolError for what answers no query."""
        match item:
            case DataRun(kind=b"D"):
                self._rows.extend(map(row_of, item.payloads()))
            case Frame(kind=b"C"):
                self.results.append(self._rows)
                self._rows = []
            case Frame(kind=b"E"):
                said = server.parse_diagnostic(item)
                self.refused = said.sqlstate
                if said.severity in {"FATAL", "PANIC"}:
                    raise ProtocolError("upstream.lost", said.sqlstate)
            case Frame(kind=b"Z"):
                self.status = server.parse_ready_for_query(item)
                self._ends += 1
                self.complete = self._ends == _ENDS
                if self.complete and not self.done.done():
                    self.done.set_result(None)
            case Frame(kind=b"T" | b"N" | b"A" | b"S"):
                pass
            case DataRun() | Frame():
                raise ProtocolError("upstream.unexpected_message", f"{item.kind!r} in answer to the gateway")
