"""What PostgreSQL's messages of a recording say, in plain data: for JSON, and for the tables a person sees.

Which columns a row has is known from the RowDescription in front of it, and from the formats the Bind has asked for.
Bind and its answer are matched in order; after an error the server answers none up to the next Sync (§54.2.3).
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from gateway.cli.audit.replaying.stream import Said
from gateway.cli.audit.replaying.values import shown_value
from gateway.core.errors import ProtocolError
from gateway.wire.postgres import client_messages as client
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.fields import Fields
from gateway.wire.postgres.frames import HEADER, Frame
from gateway.wire.postgres.server_messages import Column

SENT: Final = {
    b"Q": "Query", b"P": "Parse", b"B": "Bind", b"D": "Describe", b"E": "Execute", b"C": "Close", b"H": "Flush",
    b"S": "Sync", b"d": "CopyData", b"c": "CopyDone", b"f": "CopyFail", b"F": "FunctionCall", b"X": "Terminate",
    b"p": "Password",
}  # fmt: skip
RECEIVED: Final = {
    b"R": "Authentication", b"K": "BackendKeyData", b"S": "ParameterStatus", b"Z": "ReadyForQuery",
    b"T": "RowDescription", b"t": "ParameterDescription", b"D": "DataRow", b"n": "NoData", b"1": "ParseComplete",
    b"2": "BindComplete", b"3": "CloseComplete", b"s": "PortalSuspended", b"I": "EmptyQueryResponse",
    b"C": "CommandComplete", b"E": "ErrorResponse", b"N": "NoticeResponse", b"A": "NotificationResponse",
    b"G": "CopyInResponse", b"H": "CopyOutResponse", b"W": "CopyBothResponse", b"d": "CopyData", b"c": "CopyDone",
    b"v": "NegotiateProtocolVersion",
}  # fmt: skip
_ERROR_FIELDS: Final = {"V": "severity", "C": "sqlstate", "M": "message", "D": "detail", "H": "hint", "P": "position"}


@dataclass(slots=True)
class Reading:
    """Reads the messages of one session in order. `columns` are those of the rows that come."""

    columns: tuple[Column, ...] = ()
    formats: tuple[int, ...] | None = None
    """of the results, as the last answered Bind asked for them; None: as described"""
    _asked: deque[tuple[bytes, tuple[int, ...]]] = field(default_factory=deque)

    def read(self, said: Said) -> dict[str, object]:
        """What it says, by name. What cannot be read says only what it is."""
        name = (SENT if said.sent else RECEIVED).get(said.kind, "unknown")
        try:
            facts = self._sent(said) if said.sent else self._received(said)
        except ProtocolError:
            facts = {"unreadable": True}
        return {"type": name, "bytes": len(said.raw), **facts}

    def row(self, said: Said) -> list[str | None]:
        """The values of a DataRow as text. Raises ProtocolError."""
        values = server.data_row_values(memoryview(said.raw)[HEADER.size :])
        return [shown_value(value, *self._type(index)) for index, value in enumerate(values)]

    def _type(self, index: int) -> tuple[int, int]:
        """Type and format of a column."""
        type_oid, form = 0, 0
        if index < len(self.columns):
            type_oid, form = self.columns[index].type_oid, self.columns[index].format
        if self.formats is not None:
            form = self.formats[index] if index < len(self.formats) > 1 else (self.formats or (0,))[0]
        return type_oid, form

    def _sent(self, said: Said) -> dict[str, object]:  # noqa: PLR0911 -- a line a message
        match said.kind:
            case b"Q":
                self._asked.append((b"Q", ()))
                return {"text": _text(said, 0)}
            case b"P":
                return {"name": _text(said, 0), "text": _text(said, 1)}
            case b"B":
                bind = client.parse(Frame(said.kind, said.raw))
                if not isinstance(bind, client.Bind):
                    return {}
                self._asked.append((b"B", bind.result_formats))
                return {"portal": bind.portal, "statement": bind.statement, "parameters": parameters(bind)}
            case b"S":
                self._asked.append((b"S", ()))
                return {}
            case b"D" | b"C":
                fields = Fields(said.raw)
                return {
                    "what": fields.take(1).decode("latin-1"),
                    "name": fields.string_bytes().decode(errors="replace"),
                }
            case b"E" | b"f":
                return {"portal" if said.kind == b"E" else "reason": _text(said, 0)}
            case b"d":
                return {"data": said.raw[HEADER.size :].decode(errors="replace")}
            case _:
                return {}

    def _received(self, said: Said) -> dict[str, object]:  # noqa: PLR0911 -- a line a message
        frame = Frame(said.kind, said.raw)
        match said.kind:
            case b"T":
                self.columns, self.formats = server.parse_row_description(frame), self._formats_for_query()
                return {"columns": [column.name for column in self.columns]}
            case b"D":
                return {"values": self.row(said)}
            case b"2":
                self.formats = self._answered()
                return {}
            case b"C":
                return {"tag": server.parse_command_complete(frame).tag}
            case b"E" | b"N":
                if said.kind == b"E":
                    self._skip()
                return diagnostic(frame)
            case b"S":
                return dict(zip(("name", "value"), server.parse_parameter_status(frame), strict=True))
            case b"Z":
                self._ready()
                return {"transaction": server.parse_ready_for_query(frame).decode("ascii")}
            case b"d":
                return {"data": said.raw[HEADER.size :].decode(errors="replace")}
            case _:
                return {}

    def _formats_for_query(self) -> tuple[int, ...] | None:
        """A simple query's rows come as described; a Bind's as it has asked."""
        return None if self._asked and self._asked[0][0] == b"Q" else self.formats

    def _answered(self) -> tuple[int, ...] | None:
        if self._asked and self._asked[0][0] == b"B":
            return self._asked.popleft()[1]
        return None

    def _skip(self) -> None:
        while self._asked and self._asked[0][0] == b"B":
            self._asked.popleft()

    def _ready(self) -> None:
        self._skip()
        if self._asked:
            self._asked.popleft()


def parameters(bind: client.Bind) -> list[str | None]:
    """The values of a Bind as text; binary ones, whose types it does not say, in hexadecimal digits."""
    shown = []
    for index, value in enumerate(bind.values):
        form = bind.formats[index if len(bind.formats) > 1 else 0] if bind.formats else 0
        shown.append(shown_value(value, 0, form))
    return shown


def diagnostic(frame: Frame) -> dict[str, object]:
    """The fields of an error or a notice by their names. Raises ProtocolError."""
    fields = server.parse_diagnostic(frame).fields
    return {name: fields[letter] for letter, name in _ERROR_FIELDS.items() if letter in fields}


def _text(said: Said, number: int) -> str:
    """The string of that number in a message."""
    fields = Fields(said.raw)
    for _ in range(number):
        fields.string_bytes()
    return fields.string_bytes().decode(errors="replace")
