"""Syslog over TLS (RFC 5425), and over TCP or UDP on this machine.

The protocol has no answer: what was written to a socket may still be lost. So a batch is one connection. We end it
(close_notify, then FIN) and wait until the receiver ends its side. If all we sent was acknowledged by then, it has read
all of it: a machine that closes a socket with unread bytes resets the connection, and acknowledges nothing afterwards.
Over TLS its end must be signed too (close_notify), lest somebody on the way ends it in its name; `unsigned_end` is for
receivers that never sign it, as rsyslog's driver `gtls`. A batch whose end did not come is sent again.
"""

import asyncio
import contextlib
import fcntl
import socket
import ssl
import termios
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from gateway.evidence.sinks.answers import Answer, Later, Taken
from gateway.evidence.sinks.aside import aside
from gateway.evidence.sinks.outgoing import Outgoing
from gateway.evidence.sinks.posting import client_context
from gateway.evidence.sinks.syslog import counted, host_name, message

_PIECE: Final = 64 << 10
PORTS: Final = {"tls": 6514, "tcp": 514, "udp": 514}


class SyslogPlace(NamedTuple):
    """Where a receiver is."""

    url: str
    """tls://host:port, tcp://…, udp://…"""
    timeout: float
    """seconds for a batch"""
    facility: int
    ca: Path | None = None
    cert: tuple[Path, Path] | None = None
    unsigned_end: bool = False
    """an end without close_notify is one too"""


class _UnsignedEnd(OSError):
    """The receiver ended TLS without close_notify, or somebody did in its name."""


class Syslog:
    """One receiver."""

    def __init__(self, place: SyslogPlace) -> None:
        self._place = place
        parts = urlsplit(place.url)
        self._scheme = parts.scheme
        self._address = (parts.hostname or "", parts.port or PORTS[parts.scheme])
        self._host = host_name(socket.gethostname())

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        """One connection for the batch."""
        messages = [message(event, self._place.facility, self._host) for event in events]
        return await self._tried(self._datagrams(messages) if self._scheme == "udp" else self._stream(messages))

    async def probe(self) -> Answer:
        """A connection without a message."""
        return await self._tried(self._datagrams([]) if self._scheme == "udp" else self._stream([]))

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _tried(self, work: Coroutine[None, None, None]) -> Answer:
        try:
            async with asyncio.timeout(self._place.timeout):
                await work
        except ssl.SSLCertVerificationError:
            return Later("syslog.certificate")
        except _UnsignedEnd:
            return Later("syslog.unsigned_end")
        except (OSError, ValueError) as error:  # SSLError and TimeoutError are OSErrors
            return Later(f"syslog.{type(error).__name__}")
        return Taken()

    async def _datagrams(self, messages: Sequence[bytes]) -> None:
        """Each message a datagram. That nobody listens is heard with the next one, if at all."""
        loop = asyncio.get_running_loop()
        with await self._socket(socket.SOCK_DGRAM) as sock:
            for data in messages:
                await loop.sock_sendall(sock, data)
            await asyncio.sleep(0)
            if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, "refused")

    async def _stream(self, messages: Sequence[bytes]) -> None:
        with await self._socket(socket.SOCK_STREAM) as sock:
            if self._scheme == "tls":
                context = await aside(client_context, self._place.ca, self._place.cert)
                try:
                    await _over_tls(sock, context, self._address[0], messages)
                except _UnsignedEnd:
                    if not self._place.unsigned_end:
                        raise
                await _ended(sock)
            else:
                await _plainly(sock, messages)

    async def _socket(self, kind: socket.SocketKind) -> socket.socket:
        """A connected socket. The name is resolved each time: a receiver may move."""
        loop = asyncio.get_running_loop()
        found = await aside(socket.getaddrinfo, *self._address, type=kind)
        last: OSError = OSError("no address")
        for family, *_, address in found:
            sock = socket.socket(family, kind)
            sock.setblocking(False)  # noqa: FBT003 -- the socket module takes it so
            try:
                await loop.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                last = error
            except asyncio.CancelledError:
                sock.close()
                raise
            else:
                return sock
        raise last


async def _plainly(sock: socket.socket, messages: Sequence[bytes]) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, b"".join(map(counted, messages)))
    await _ended(sock)


async def _ended(sock: socket.socket) -> None:
    """End our side and wait for the other's. Raises OSError when it ended before it had everything."""
    with contextlib.suppress(OSError):  # it has gone already: what follows says how
        sock.shutdown(socket.SHUT_WR)
    while await asyncio.get_running_loop().sock_recv(sock, _PIECE):
        pass
    if any(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4))):
        raise ConnectionAbortedError("bytes of ours were still on their way")


async def _over_tls(sock: socket.socket, context: ssl.SSLContext, host: str, messages: Sequence[bytes]) -> None:
    """Handshake, messages, close_notify, and the receiver's. Raises SSLError, OSError."""
    loop = asyncio.get_running_loop()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)

    async def until_done(step: Callable[[], object]) -> None:
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                await flush()
                data = await loop.sock_recv(sock, _PIECE)
                if data:
                    incoming.write(data)
                else:
                    incoming.write_eof()
            else:
                await flush()
                return

    async def flush() -> None:
        if outgoing.pending:
            await loop.sock_sendall(sock, outgoing.read())

    await until_done(tls.do_handshake)
    data = memoryview(b"".join(map(counted, messages)))
    while data:
        piece, data = data[:_PIECE], data[_PIECE:]
        await until_done(lambda piece=piece: tls.write(piece))  # type: ignore[misc]  # a default binds it now
    try:
        await until_done(tls.unwrap)
    except ssl.SSLEOFError as error:
        raise _UnsignedEnd from error
