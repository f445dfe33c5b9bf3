"""A client that costs next to nothing: it sends one simple query and throws the rows away as they come."""

import socket
import struct
from dataclasses import dataclass, field

from bench.lanes import DATABASE, Lane
from tests.support.postgres import HOST

READY = b"Z\x00\x00\x00\x05I"
CLEARTEXT = 3
_CHUNK = 1 << 20


class ReaderError(Exception):
    """The server said something else than rows."""


@dataclass(slots=True)
class Session:
    """A session that is open. Close it with `close`."""

    lane: Lane
    sock: socket.socket = field(init=False, repr=False)
    backend: int = 0
    """pid of what answers, as it says: a process of this machine on the direct lane only"""

    def __post_init__(self) -> None:
        """Log in: without a password, or with one in clear text, whichever is asked for."""
        self.sock = socket.create_connection((HOST, self.lane.port), 30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(startup(self.lane))
        kind, body = self._message()
        if kind == b"R" and struct.unpack_from("!I", body)[0] == CLEARTEXT:
            self.sock.sendall(password(self.lane))
        while kind != b"Z":
            kind, body = self._message()
            if kind == b"K":
                self.backend = struct.unpack_from("!I", body)[0]
            if kind == b"E":
                raise ReaderError(body.decode(errors="replace"))

    def query(self, sql: str) -> int:
        """Run a query; the rows it gave. Raises ReaderError."""
        self.sock.sendall(query(sql))
        buffer = bytearray(_CHUNK)
        view = memoryview(buffer)
        tail = b""
        while not tail.endswith(READY):
            size = self.sock.recv_into(view)
            if not size:
                raise ReaderError(f"{self.lane.name}: the connection is gone; the last words were {tail!r}")
            tail = tail[-200:] + bytes(view[max(0, size - 200) : size])
        return rows_said(tail)

    def close(self) -> None:
        """Terminate."""
        self.sock.sendall(b"X\x00\x00\x00\x04")
        self.sock.close()

    def _message(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        return head[:1], self._exactly(struct.unpack("!I", head[1:])[0] - 4)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise ReaderError("the connection is gone")
            data += piece
        return data


def startup(lane: Lane) -> bytes:
    """StartupMessage, protocol 3.0."""
    body = struct.pack("!I", 196_608) + f"user\0{lane.user}\0database\0{DATABASE}\0\0".encode()
    return struct.pack("!I", len(body) + 4) + body


def password(lane: Lane) -> bytes:
    """PasswordMessage."""
    secret = lane.password.encode() + b"\0"
    return b"p" + struct.pack("!I", len(secret) + 4) + secret


def query(sql: str) -> bytes:
    """Query."""
    text = sql.encode() + b"\0"
    return b"Q" + struct.pack("!I", len(text) + 4) + text


def rows_said(tail: bytes) -> int:
    """The number in the CommandComplete that stands before the last ReadyForQuery. Raises ReaderError."""
    at = tail.rfind(b"SELECT ")
    if at < 0:
        raise ReaderError("no rows came: the statement was refused or failed")
    return int(tail[at + 7 : tail.index(b"\0", at)])
