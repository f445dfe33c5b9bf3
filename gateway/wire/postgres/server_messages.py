"""What a server says (PostgreSQL 18, §54.7, marked B): built where we are the server, parsed where we are the client.

Texts of a database may hold card numbers, so no repr shows them. What a server sends that cannot be read is
`upstream.malformed`.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from gateway.wire.postgres.fields import INT16, INT32, UINT16, UINT32, Fields, message, text
from gateway.wire.postgres.frames import HEADER, Frame, Opaque

_MALFORMED = "upstream.malformed"
_COLUMN: Final = struct.Struct(">IhIhiH")
"""what stands behind a column's name in RowDescription"""
IDLE, IN_TRANSACTION, FAILED = b"I", b"T", b"E"
"""transaction status of ReadyForQuery"""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a RowDescription."""

    name: str
    table_oid: int = 0
    attnum: int = 0
    type_oid: int
    type_size: int = -1
    type_modifier: int = -1
    format: int = 0


class Diagnostic(Opaque, frozen=True):
    """An ErrorResponse (`E`) or a NoticeResponse (`N`). `fields` maps the code letter of §54.8 to its text."""

    kind: bytes
    fields: dict[str, str]

    @property
    def severity(self) -> str:
        """ERROR FATAL PANIC WARNING NOTICE DEBUG INFO LOG, not translated."""
        return self.fields.get("V") or self.fields.get("S", "")

    @property
    def sqlstate(self) -> str:
        """Five characters; empty when the server gave none."""
        return self.fields.get("C", "")

    @property
    def message(self) -> str:
        """The primary text."""
        return self.fields.get("M", "")


class Completion(Opaque, frozen=True):
    """CommandComplete. `rows` is None for commands that count none."""

    tag: str
    rows: int | None


class Authentication(Opaque, frozen=True):
    """An Authentication message: its code and what follows it."""

    code: int
    data: bytes

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The names in an AuthenticationSASL, most preferred first."""
        return tuple(name.decode(errors="replace") for name in self.data.split(b"\0") if name)


class CopyFormat(msgspec.Struct, frozen=True):
    """CopyIn-, CopyOut- or CopyBothResponse: overall format and one for each column; 0 text, 1 binary."""

    kind: bytes
    format: int
    columns: tuple[int, ...]


class BackendKey(Opaque, frozen=True):
    """What a CancelRequest must show."""

    pid: int
    key: bytes


class Notification(Opaque, frozen=True):
    """NotificationResponse."""

    pid: int
    channel: str
    payload: str


OK, CLEARTEXT, MD5, SASL, SASL_CONTINUE, SASL_FINAL = 0, 3, 5, 10, 11, 12


def parse_authentication(frame: Frame) -> Authentication:
    """Any Authentication message."""
    fields = _fields(frame)
    return Authentication(fields.uint32(), fields.rest())


def parse_parameter_status(frame: Frame) -> tuple[str, str]:
    """Name and value of a setting."""
    fields = _fields(frame)
    name, value = fields.loose_string(), fields.loose_string()
    fields.end()
    return name, value


def parse_backend_key(frame: Frame) -> BackendKey:
    """BackendKeyData; the key has 4 to 256 bytes."""
    fields = _fields(frame)
    pid, key = fields.uint32(), fields.rest()
    if not 4 <= len(key) <= 256:  # noqa: PLR2004 -- §54.7
        raise fields.refusal("cancel key of impossible length")
    return BackendKey(pid, key)


def parse_negotiation(frame: Frame) -> tuple[int, tuple[str, ...]]:
    """NegotiateProtocolVersion: the newest minor version of protocol 3 it speaks, and the options it does not know."""
    fields = _fields(frame)
    version = fields.uint32()
    unknown = tuple([fields.loose_string() for _ in range(fields.uint32())]) if version >> 16 in {0, 3} else ()
    if version >> 16 not in {0, 3}:  # servers have sent the minor version alone
        raise fields.refusal("another major version")
    fields.end()
    return version & 0xFFFF, unknown


def parse_ready_for_query(frame: Frame) -> bytes:
    """The transaction status: `I`, `T` or `E`."""
    if (known := _READY.get(frame.raw)) is not None:
        return known
    fields = _fields(frame)
    status = fields.take(1)
    fields.end()
    if status not in {IDLE, IN_TRANSACTION, FAILED}:
        raise fields.refusal("unknown transaction status")
    return status


def parse_row_description(frame: Frame) -> tuple[Column, ...]:
    """The columns of a result, in order."""
    fields = _fields(frame)
    columns = tuple([_column(fields) for _ in range(fields.count(19))])
    fields.end()
    return columns


def _column(fields: Fields) -> Column:
    name = fields.loose_string()
    table_oid, attnum, type_oid, type_size, type_modifier, form = fields.structure(_COLUMN)
    return Column(
        name=name,
        table_oid=table_oid,
        attnum=attnum,
        type_oid=type_oid,
        type_size=type_size,
        type_modifier=type_modifier,
        format=form,
    )


def parse_parameter_description(frame: Frame) -> tuple[int, ...]:
    """Type OIDs of the parameters of a prepared statement."""
    fields = _fields(frame)
    oids = fields.numbers("I")
    fields.end()
    return oids


def parse_diagnostic(frame: Frame) -> Diagnostic:
    """ErrorResponse or NoticeResponse."""
    fields = _fields(frame)
    found: dict[str, str] = {}
    while (code := fields.take(1)) != b"\0":
        found[code.decode("latin-1")] = fields.loose_string()
    fields.end()
    return Diagnostic(frame.kind, found)


def parse_command_complete(frame: Frame) -> Completion:
    """Tag and row count: the last word of the tag when it is a number."""
    fields = _fields(frame)
    tag = fields.loose_string()
    fields.end()
    last = tag.rpartition(" ")[2]
    return Completion(tag, int(last) if last.isascii() and last.isdigit() else None)


def parse_copy_response(frame: Frame) -> CopyFormat:
    """CopyInResponse `G`, CopyOutResponse `H`, CopyBothResponse `W`."""
    fields = _fields(frame)
    form, columns = fields.take(1)[0], fields.numbers("H")
    fields.end()
    return CopyFormat(frame.kind, form, columns)


def parse_notification(frame: Frame) -> Notification:
    """NotificationResponse."""
    fields = _fields(frame)
    result = Notification(fields.uint32(), fields.loose_string(), fields.loose_string())
    fields.end()
    return result


def data_row_values(payload: memoryview) -> tuple[bytes | None, ...]:
    """The values of one DataRow's content (`DataRun.payloads`)."""
    fields = Fields(bytes(payload), 0, malformed=_MALFORMED)
    values = fields.values()
    fields.end()
    return values


def cells(raw: bytes) -> Iterator[tuple[int, int, int]]:
    """Where each value of a run of DataRows lies: (column, start, stop); NULLs are left out."""
    at = 0
    while at < len(raw):
        stop = at + 1 + HEADER.unpack_from(raw, at)[1]
        fields = Fields(raw, at + HEADER.size, malformed=_MALFORMED)
        at += HEADER.size + 2
        for column in range(fields.count(4)):
            size = fields.int32()
            at += 4
            if size > 0:
                fields.take(size)
                yield column, at, at + size
                at += size
        if at != stop:
            raise fields.refusal("a row's length lies")


def _fields(frame: Frame) -> Fields:
    return Fields(frame.raw, malformed=_MALFORMED)


def authentication(code: int, data: bytes = b"") -> bytes:
    """Any Authentication message."""
    return message(b"R", UINT32.pack(code), data)


def authentication_sasl(mechanisms: Sequence[str]) -> bytes:
    """AuthenticationSASL."""
    return authentication(SASL, b"".join(map(text, mechanisms)) + b"\0")


AUTHENTICATION_OK: Final = authentication(OK)
AUTHENTICATION_CLEARTEXT_PASSWORD: Final = authentication(CLEARTEXT)


def parameter_status(name: str, value: str) -> bytes:
    """ParameterStatus."""
    return message(b"S", text(name), text(value))


def backend_key_data(pid: int, key: bytes) -> bytes:
    """BackendKeyData. Protocol 3.0 knows only keys of four bytes."""
    return message(b"K", UINT32.pack(pid), key)


def ready_for_query(status: bytes) -> bytes:
    """ReadyForQuery."""
    return message(b"Z", status)


def diagnostic(kind: bytes, fields: Mapping[str, str]) -> bytes:
    """ErrorResponse (`E`) or NoticeResponse (`N`) from the letters of §54.8; empty fields are left out."""
    parts = [code.encode() + _shown(value) for code, value in fields.items() if value]
    return message(kind, *parts, b"\0")


def _shown(value: str) -> bytes:
    """A string for people: what cannot be sent in it is replaced, never an error on the way to say an error."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace") + b"\0"


def error_response(  # noqa: PLR0913 -- the fields a message has
    *, severity: str = "ERROR", sqlstate: str, message: str, detail: str = "", hint: str = "", position: int = 0
) -> bytes:
    """ErrorResponse. `position` counts characters from 1; 0 leaves it out."""
    return diagnostic(b"E", _shown_fields(severity, sqlstate, message, detail, hint, position))


def notice_response(
    *, severity: str = "NOTICE", sqlstate: str = "00000", message: str, detail: str = "", hint: str = ""
) -> bytes:
    """NoticeResponse."""
    return diagnostic(b"N", _shown_fields(severity, sqlstate, message, detail, hint, 0))


def _shown_fields(  # noqa: PLR0913, PLR0917 -- as above
    severity: str, sqlstate: str, primary: str, detail: str, hint: str, position: int
) -> dict[str, str]:
    where = str(position) if position else ""
    return {"S": severity, "V": severity, "C": sqlstate, "M": primary, "D": detail, "H": hint, "P": where}


def command_complete(tag: str) -> bytes:
    """CommandComplete."""
    return message(b"C", text(tag))


def row_description(columns: Sequence[Column]) -> bytes:
    """RowDescription."""
    return message(b"T", UINT16.pack(len(columns)), *map(_described, columns))


def _described(column: Column) -> bytes:
    return b"".join(
        (
            text(column.name),
            UINT32.pack(column.table_oid),
            INT16.pack(column.attnum),
            UINT32.pack(column.type_oid),
            INT16.pack(column.type_size),
            INT32.pack(column.type_modifier),
            UINT16.pack(column.format),
        )
    )


def parameter_description(oids: Sequence[int]) -> bytes:
    """ParameterDescription."""
    return message(b"t", UINT16.pack(len(oids)), *map(UINT32.pack, oids))


def data_row(values: Sequence[bytes | None]) -> bytes:
    """DataRow."""
    parts = [INT32.pack(-1) if value is None else INT32.pack(len(value)) + value for value in values]
    return message(b"D", UINT16.pack(len(values)), *parts)


def copy_response(kind: bytes, form: int, columns: Sequence[int]) -> bytes:
    """CopyInResponse `G` or CopyOutResponse `H`."""
    return message(kind, bytes((form,)), UINT16.pack(len(columns)), *map(UINT16.pack, columns))


EMPTY_QUERY_RESPONSE: Final = message(b"I")
PARSE_COMPLETE: Final = message(b"1")
BIND_COMPLETE: Final = message(b"2")
CLOSE_COMPLETE: Final = message(b"3")
NO_DATA: Final = message(b"n")
PORTAL_SUSPENDED: Final = message(b"s")
COPY_DONE: Final = message(b"c")
_READY: Final = {ready_for_query(status): status for status in (IDLE, IN_TRANSACTION, FAILED)}
"""every ReadyForQuery there is: the message that comes most often is looked up, not read"""
