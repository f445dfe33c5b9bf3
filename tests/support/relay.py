"""A TCP relay of the tests' own: passes bytes on as they are, whole or one at a time, and cuts what it carries."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of nothing: closing sends a reset"""


@dataclass
class Relay:
    """A running one. `dribbles`: every byte is a segment of its own."""

    to: int
    port: int
    dribbles: bool = False
    listens: bool = False
    """keeps what it carries, in `heard`"""
    deaf: bool = False
    """new connections are dropped at once"""
    carried: list[socket.socket] = field(default_factory=list)
    passed: int = 0
    """bytes, in both directions"""
    heard: list[tuple[bytearray, bytearray]] = field(default_factory=list)
    """of each connection: what the client said, and the other side"""

    def cut(self) -> None:
        """Reset every connection, both ends, as a network that breaks does."""
        carried, self.carried = self.carried, []
        for sock in carried:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                sock.shutdown(socket.SHUT_RD)  # wakes who reads it
        for sock in carried:
            sock.close()

    def _carry(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection((HOST, self.to), 10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.carried += [near, far]
        said = bytearray(), bytearray()
        self.heard.append(said)
        for source, sink, kept in ((near, far, said[0]), (far, near, said[1])):
            threading.Thread(target=self._pump, args=(source, sink, kept), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.listens:
                    kept += data
                step = 1 if self.dribbles else len(data)
                for at in range(0, len(data), step):
                    sink.sendall(data[at : at + step])
                self.passed += len(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def accept(self, listening: socket.socket) -> None:
        """Take connections until the listening socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                if self.deaf:
                    near.close()
                else:
                    self._carry(near)


@contextmanager
def running_relay(to: int, *, dribbles: bool = False, listens: bool = False) -> Iterator[Relay]:
    """Carry connections to a port of this machine while the block runs."""
    with socket.create_server((HOST, 0)) as listening:
        relay = Relay(to, listening.getsockname()[1], dribbles, listens)
        accepting = threading.Thread(target=relay.accept, args=(listening,), daemon=True)
        accepting.start()
        try:
            yield relay
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            relay.cut()
