"""A PostgreSQL client that does nothing by itself: it sends the bytes it is told to and reads one message at a time.

Message formats: PostgreSQL 18, §54.7.
"""

import socket
import ssl
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROTOCOL_3_0 = 196608
SSL_REQUEST = struct.pack(">II", 8, 80877103)
GSSENC_REQUEST = struct.pack(">II", 8, 80877104)
TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the server."""

    kind: str
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """ErrorResponse and NoticeResponse: field code → text."""
        parts = self.body.rstrip(b"\0").split(b"\0")
        return {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in parts if part}

    @property
    def values(self) -> list[bytes | None]:
        """DataRow: the columns."""
        (count,) = struct.unpack_from(">H", self.body)
        values: list[bytes | None] = []
        at = 2
        for _ in range(count):
            (size,) = struct.unpack_from(">i", self.body, at)
            at += 4
            values.append(None if size < 0 else self.body[at : at + size])
            at += max(size, 0)
        return values


class ConnectionEndedError(Exception):
    """The server closed the connection."""


def message(kind: str, body: bytes = b"") -> bytes:
    """Any message with a type byte."""
    return kind.encode() + struct.pack(">I", len(body) + 4) + body


def text(value: str | bytes) -> bytes:
    """A String of the protocol."""
    return (value.encode() if isinstance(value, str) else value) + b"\0"


def startup(parameters: Mapping[str, str], version: int = PROTOCOL_3_0) -> bytes:
    """A StartupMessage."""
    body = b"".join(text(name) + text(value) for name, value in parameters.items()) + b"\0"
    return struct.pack(">II", len(body) + 8, version) + body


def query(sql: str | bytes) -> bytes:
    """A simple Query."""
    return message("Q", text(sql))


def parse(sql: str | bytes, name: str = "", types: Sequence[int] = ()) -> bytes:
    """Parse a statement, unnamed unless named."""
    return message("P", text(name) + text(sql) + struct.pack(f">H{len(types)}I", len(types), *types))


def bind(
    values: Sequence[bytes | None] = (), portal: str = "", name: str = "", formats: Sequence[int] = (), results: int = 0
) -> bytes:
    """Bind a portal; `results` is the one format of every result column."""
    body = text(portal) + text(name) + struct.pack(f">H{len(formats)}H", len(formats), *formats)
    body += struct.pack(">H", len(values))
    for value in values:
        body += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
    return message("B", body + struct.pack(">HH", 1, results))


def describe(kind: str = "P", name: str = "") -> bytes:
    """Describe a portal (P) or a statement (S)."""
    return message("D", kind.encode() + text(name))


def execute(portal: str = "", rows: int = 0) -> bytes:
    """Execute a portal; 0 rows means all."""
    return message("E", text(portal) + struct.pack(">I", rows))


def close(kind: str, name: str = "") -> bytes:
    """Close a portal (P) or a statement (S)."""
    return message("C", kind.encode() + text(name))


SYNC = message("S")
FLUSH = message("H")
TERMINATE = message("X")


def extended(sql: str | bytes, values: Sequence[bytes | None] = (), results: int = 0) -> bytes:
    """Parse, Bind, Describe, Execute, Sync in one flight."""
    return parse(sql) + bind(values, results=results) + describe() + execute() + SYNC


def tls_context(ca: Path) -> ssl.SSLContext:
    """A client's TLS, certificate verified, with the protocol name direct TLS needs."""
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["postgresql"])
    return context


class RawClient:
    """One connection. Every wait ends after 20 seconds with TimeoutError: a hung gateway fails the test."""

    def __init__(self, port: int, source: str = "127.0.0.1", host: str = "127.0.0.1") -> None:
        self.socket: socket.socket = socket.create_connection((host, port), TIMEOUT_SECONDS, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.parameters: dict[str, str] = {}
        self.key = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Go away without a word."""
        self.socket.close()

    def start_tls(self, ca: Path, *, direct: bool = False) -> None:
        """SSLRequest and the handshake, or the handshake at once."""
        if not direct:
            self.socket.sendall(SSL_REQUEST)
            answer = self.socket.recv(1)
            if answer != b"S":
                raise ConnectionEndedError(f"no TLS: {answer!r}")
        self.socket = tls_context(ca).wrap_socket(self.socket, server_hostname="localhost")

    def send(self, *parts: bytes) -> None:
        """Write, in one go."""
        self.socket.sendall(b"".join(parts))

    def read(self) -> Message:
        """The next message. Raises ConnectionEndedError or TimeoutError."""
        header = self._take(5)
        (length,) = struct.unpack(">I", header[1:])
        return Message(header[:1].decode("latin-1"), self._take(length - 4))

    def read_to(self, *kinds: str) -> list[Message]:
        """Messages up to and with the first of one of `kinds`."""
        seen: list[Message] = []
        while not seen or seen[-1].kind not in kinds:
            seen.append(self.read())
        return seen

    def read_to_end(self) -> list[Message]:
        """Messages until the server closes the connection."""
        return list(self._until_closed())

    def _until_closed(self) -> Iterator[Message]:
        while True:
            try:
                yield self.read()
            except ConnectionEndedError:
                return

    def _take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            try:
                data = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError) as error:
                raise ConnectionEndedError(str(error)) from error
            if not data:
                raise ConnectionEndedError("closed")
            self.buffer += data
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def log_in(self, password: str, database: str, user: str, **more: str) -> list[Message]:
        """Startup and cleartext password. Returns what came after it, up to ReadyForQuery or the end."""
        self.send(startup({"user": user, "database": database, **more}))
        first = self.read()
        if first.kind != "R":
            return [first, *self.read_to_end()]
        if first.body != struct.pack(">I", 3):
            raise ConnectionEndedError(f"asked for something else than a cleartext password: {first.body!r}")
        self.send(message("p", text(password)))
        seen = self._login_messages()
        for note in seen:
            if note.kind == "S":
                name, value, *_ = note.body.split(b"\0")
                self.parameters[name.decode()] = value.decode()
            if note.kind == "K":
                self.key = note.body
        return seen

    def _login_messages(self) -> list[Message]:
        seen: list[Message] = []
        while not seen or seen[-1].kind != "Z":
            try:
                seen.append(self.read())
            except ConnectionEndedError:
                break
        return seen

    def ask(self, *parts: bytes) -> list[Message]:
        """Send, and read up to ReadyForQuery."""
        self.send(*parts)
        return self.read_to("Z")


def kinds(messages: Sequence[Message]) -> str:
    """The type bytes of an answer, in order, without notices and parameter changes."""
    return "".join(message.kind for message in messages if message.kind not in "NSA")


def status(messages: Sequence[Message]) -> str:
    """The transaction status of the last ReadyForQuery."""
    return [message.body for message in messages if message.kind == "Z"][-1].decode()


def error(messages: Sequence[Message]) -> dict[str, str]:
    """The fields of the first error; empty if there is none."""
    return next((message.fields for message in messages if message.kind == "E"), {})


def rows(messages: Sequence[Message]) -> list[list[bytes | None]]:
    """The rows of an answer."""
    return [message.values for message in messages if message.kind == "D"]
