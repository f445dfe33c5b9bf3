"""What a client says after start-up (PostgreSQL 18, §54.7, marked F): parsed strictly; built where we are the client.

Every message keeps the frame it came in (`raw`), so it can be forwarded unchanged. A value of a parameter or a text may
hold a card number: reprs show none of them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from gateway.wire.postgres.fields import INT16, INT32, UINT16, UINT32, Fields, message, text
from gateway.wire.postgres.frames import Frame, Opaque

TEXT, BINARY = 0, 1
STATEMENT, PORTAL = b"S", b"P"
_FORMATS = frozenset({TEXT, BINARY})
_TARGETS = frozenset({STATEMENT, PORTAL})


class ClientMessage(Opaque, frozen=True):
    """One message of a client."""

    raw: bytes


class Query(ClientMessage, frozen=True):
    """Simple query: any number of statements."""

    text: str


class Parse(ClientMessage, frozen=True):
    """Prepare `text` under `name` (empty: unnamed). `types` are OIDs, 0 where the server shall infer."""

    name: str
    text: str
    types: tuple[int, ...]


class Bind(ClientMessage, frozen=True):
    """Values for a prepared statement. `formats` and `result_formats` have 0, 1 or as many entries as there are."""

    portal: str
    statement: str
    formats: tuple[int, ...]
    values: tuple[bytes | None, ...]
    result_formats: tuple[int, ...]


class Describe(ClientMessage, frozen=True):
    """Ask for the shape of a statement (`S`) or a portal (`P`)."""

    target: bytes
    name: str


class Execute(ClientMessage, frozen=True):
    """Run a portal. `max_rows` 0 means all."""

    portal: str
    max_rows: int


class Close(ClientMessage, frozen=True):
    """Forget a statement (`S`) or a portal (`P`)."""

    target: bytes
    name: str


class Flush(ClientMessage, frozen=True):
    """Send what you have."""


class Sync(ClientMessage, frozen=True):
    """End of an extended-query segment."""


class CopyDone(ClientMessage, frozen=True):
    """End of COPY FROM STDIN."""


class CopyFail(ClientMessage, frozen=True):
    """COPY FROM STDIN given up."""

    reason: str


class FunctionCall(ClientMessage, frozen=True):
    """Fast-path call of a function by OID; its arguments are not looked at."""

    function: int


class Terminate(ClientMessage, frozen=True):
    """Good-bye."""


class Credentials(ClientMessage, frozen=True):
    """A `p` message: PasswordMessage, SASLInitialResponse or SASLResponse; what was asked decides which."""


Message: TypeAlias = (
    Query
    | Parse
    | Bind
    | Describe
    | Execute
    | Close
    | Flush
    | Sync
    | CopyDone
    | CopyFail
    | FunctionCall
    | Terminate
    | Credentials
)


def parse(frame: Frame) -> Message:
    """Read one frame of a client; CopyData comes as DataRun. Raises ProtocolError."""
    fields = Fields(frame.raw)
    read = _READERS.get(frame.kind)
    if read is None:
        raise fields.refusal(f"no message has the type {frame.kind!r}")
    result = read(frame.raw, fields)
    fields.end()
    return result


def _query(raw: bytes, fields: Fields) -> Query:
    return Query(raw, fields.string())


def _parse(raw: bytes, fields: Fields) -> Parse:
    return Parse(raw, fields.string(), fields.string(), fields.numbers("I"))


def _bind(raw: bytes, fields: Fields) -> Bind:
    portal, statement = fields.string(), fields.string()
    formats = fields.numbers("H")
    values = fields.values()
    result_formats = fields.numbers("H")
    if len(formats) > 1 and len(formats) != len(values):
        raise fields.refusal(f"{len(formats)} formats for {len(values)} parameters")
    if not _FORMATS.issuperset(formats) or not _FORMATS.issuperset(result_formats):
        raise fields.refusal("unknown format code")
    return Bind(raw, portal, statement, formats, values, result_formats)


def _target(fields: Fields) -> bytes:
    target = fields.take(1)
    if target not in _TARGETS:
        raise fields.refusal("neither a statement nor a portal")
    return target


def _describe(raw: bytes, fields: Fields) -> Describe:
    return Describe(raw, _target(fields), fields.string())


def _close(raw: bytes, fields: Fields) -> Close:
    return Close(raw, _target(fields), fields.string())


def _execute(raw: bytes, fields: Fields) -> Execute:
    return Execute(raw, fields.string(), fields.int32())


def _copy_fail(raw: bytes, fields: Fields) -> CopyFail:
    return CopyFail(raw, fields.string())


def _function_call(raw: bytes, fields: Fields) -> FunctionCall:
    function = fields.uint32()
    fields.rest()
    return FunctionCall(raw, function)


def _credentials(raw: bytes, fields: Fields) -> Credentials:
    fields.rest()
    return Credentials(raw)


_READERS: dict[bytes, Callable[[bytes, Fields], Message]] = {
    b"Q": _query,
    b"P": _parse,
    b"B": _bind,
    b"D": _describe,
    b"E": _execute,
    b"C": _close,
    b"H": lambda raw, _: Flush(raw),
    b"S": lambda raw, _: Sync(raw),
    b"c": lambda raw, _: CopyDone(raw),
    b"f": _copy_fail,
    b"F": _function_call,
    b"X": lambda raw, _: Terminate(raw),
    b"p": _credentials,
}


def password_of(credentials: Credentials) -> str:
    """The password in a PasswordMessage. It is a credential: hand it to the verifier and drop it."""
    fields = Fields(credentials.raw)
    password = fields.string()
    fields.end()
    return password


def sasl_initial(credentials: Credentials) -> tuple[str, bytes | None]:
    """Mechanism and first data of a SASLInitialResponse; None when the client sent none."""
    fields = Fields(credentials.raw)
    mechanism, data = fields.string(), fields.value()
    fields.end()
    return mechanism, data


def sasl_data(credentials: Credentials) -> bytes:
    """The data of a SASLResponse."""
    return Fields(credentials.raw).rest()


def query(sql: str) -> bytes:
    """Simple query."""
    return message(b"Q", text(sql))


def parse_message(name: str, sql: str, types: Sequence[int] = ()) -> bytes:
    """Parse."""
    return message(b"P", text(name), text(sql), UINT16.pack(len(types)), *map(UINT32.pack, types))


def bind(
    portal: str,
    statement: str,
    values: Sequence[bytes | None] = (),
    formats: Sequence[int] = (),
    result_formats: Sequence[int] = (),
) -> bytes:
    """Bind."""
    parts = [text(portal), text(statement), *_counted(formats), UINT16.pack(len(values))]
    for value in values:
        parts += [INT32.pack(-1)] if value is None else [INT32.pack(len(value)), value]
    return message(b"B", *parts, *_counted(result_formats))


def _counted(numbers: Sequence[int]) -> Iterable[bytes]:
    return (UINT16.pack(len(numbers)), *map(INT16.pack, numbers))


def describe(target: bytes, name: str) -> bytes:
    """Describe."""
    return message(b"D", target, text(name))


def execute(portal: str, max_rows: int = 0) -> bytes:
    """Execute."""
    return message(b"E", text(portal), INT32.pack(max_rows))


def close(target: bytes, name: str) -> bytes:
    """Close."""
    return message(b"C", target, text(name))


def copy_data(data: bytes) -> bytes:
    """CopyData, either direction."""
    return message(b"d", data)


def copy_fail(reason: str) -> bytes:
    """CopyFail."""
    return message(b"f", text(reason))


def password(secret: str) -> bytes:
    """PasswordMessage."""
    return message(b"p", text(secret))


def sasl_initial_response(mechanism: str, data: bytes) -> bytes:
    """SASLInitialResponse."""
    return message(b"p", text(mechanism), INT32.pack(len(data)), data)


def sasl_response(data: bytes) -> bytes:
    """SASLResponse."""
    return message(b"p", data)


FLUSH, SYNC, COPY_DONE, TERMINATE = message(b"H"), message(b"S"), message(b"c"), message(b"X")
