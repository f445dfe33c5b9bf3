"""Take in a PostgreSQL client: which first packet it is, whether in TLS, and nothing beyond its startup message.

All that comes before TLS is read from the bare socket, byte by exact byte (§54.2.10 to §54.2.12): so no plaintext can
be left in a buffer that later counts as encrypted (CVE-2021-23214), and a client that sends SSLRequest and ClientHello
in one segment is met with its handshake still in the kernel.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.core.errors import GatewayError, ProtocolError, Unauthenticated, Unavailable
from gateway.frontends.certificate import Certificate
from gateway.upstream.stream import Stream, tune
from gateway.wire.postgres import startup
from gateway.wire.postgres.server_messages import error_response
from gateway.wire.postgres.startup import (
    CancelRequest,
    FirstPacket,
    GssEncRequest,
    SslRequest,
    StartupMessage,
    StartupReader,
)

ALPN = "postgresql"
STARTUP_SECONDS = 10.0
UNAUTHENTICATED_MAX = 1000
_TLS_RECORD = b"\x16"
"""first byte of a TLS handshake, which no first packet can begin with: it would claim 369 MB"""


@dataclass(slots=True)
class Slot:
    """One of the places for clients that have not proved who they are. Released when they have, or are gone."""

    _free: Callable[[], None] | None

    def release(self) -> None:
        """Give it back, once."""
        if self._free is not None:
            free, self._free = self._free, None
            free()


@dataclass(frozen=True, slots=True, eq=False)
class ClientStartup:
    """A client that wants a session. Authenticate it by `deadline` (a time of the loop), then release `slot`."""

    stream: Stream = field(repr=False)
    startup: StartupMessage = field(repr=False)
    tls: bool
    peer: str
    """its address, without port"""
    deadline: float
    slot: Slot = field(repr=False)


@dataclass(frozen=True, slots=True)
class CancelArrival:
    """Somebody knows the number and key of a session and wants its statement cancelled.

    Call `hang_up` when that is done: clients take the end of the connection for the sign of it.
    """

    pid: int
    key: bytes = field(repr=False)
    peer: str
    hang_up: Callable[[], None] = field(repr=False, compare=False, default=lambda: None)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Was told why (`error`) and sent away; None when it left by itself without having asked for anything."""

    error: GatewayError | None
    peer: str
    tls: bool = False


Arrival: TypeAlias = ClientStartup | CancelArrival | Rejected


class _Gone(Exception):
    """The client hung up before it had said anything whole: a port scan, a health check."""


@dataclass(eq=False, slots=True)
class Door:
    """Takes in the clients of one listener. `certificate` None: no TLS is spoken.

    A startup message in plaintext is taken only from this machine, and only if `insecure_loopback`.
    """

    certificate: Certificate | None
    insecure_loopback: bool = False
    seconds: float = STARTUP_SECONDS
    unauthenticated_max: int = UNAUTHENTICATED_MAX
    _waiting: int = 0

    @property
    def waiting(self) -> int:
        """Clients that have not been authenticated yet."""
        return self._waiting

    async def admit(self, sock: socket.socket) -> Arrival:
        """Bring an accepted socket to its startup message. Never raises; the socket is taken care of."""
        peer = _address_of(sock)
        if self._waiting >= self.unauthenticated_max:
            sock.close()
            return Rejected(Unavailable("wire.crowded"), peer)
        self._waiting += 1
        visit = _Visit(self, sock, peer, Slot(self._leave), asyncio.get_running_loop().time() + self.seconds)
        return await visit.arrive()

    def _leave(self) -> None:
        self._waiting -= 1


@dataclass(eq=False, slots=True)
class _Visit:
    """One client on its way in."""

    door: Door
    sock: socket.socket
    peer: str
    slot: Slot
    deadline: float
    stream: Stream | None = None
    tls: bool = False

    async def arrive(self) -> Arrival:
        """Drive it to an arrival, in time; tell the client what was wrong, and let go of it."""
        try:
            async with asyncio.timeout_at(self.deadline):
                tune(self.sock)
                arrival = await self._first_packet()
        except (TimeoutError, OSError, _Gone) as error:
            self._drop()
            late = ProtocolError("wire.startup_timeout") if isinstance(error, TimeoutError) else None
            return Rejected(late, self.peer, self.tls)
        except GatewayError as error:
            await self._tell(error)
            return Rejected(error, self.peer, self.tls)
        except BaseException:
            self._drop()
            raise
        return arrival

    async def _first_packet(self) -> ClientStartup | CancelArrival:
        first = await self._peek()
        if first == _TLS_RECORD:
            await self._shake_hands(direct=True)
            return await self._in_tls()
        asked: set[type[FirstPacket]] = set()
        while True:
            packet = startup.parse(await self._packet())
            match packet:
                case SslRequest() | GssEncRequest():
                    if type(packet) in asked:
                        raise ProtocolError("wire.malformed", "encryption asked for twice")
                    asked.add(type(packet))
                    if await self._encrypt(packet):
                        return await self._in_tls()
                case CancelRequest():
                    return CancelArrival(packet.pid, packet.key, self.peer, self._hang_up)
                case StartupMessage():
                    return await self._in_plaintext(packet)

    async def _encrypt(self, packet: SslRequest | GssEncRequest) -> bool:
        """Answer a request for encryption; True when the rest is in TLS."""
        behind = self._behind()
        willing = isinstance(packet, SslRequest) and self.door.certificate is not None
        if behind and not (willing and behind == _TLS_RECORD):
            raise ProtocolError("wire.smuggled")
        await asyncio.get_running_loop().sock_sendall(self.sock, b"S" if willing else b"N")
        if willing:
            await self._shake_hands(direct=False)
        return willing

    async def _shake_hands(self, *, direct: bool) -> None:
        if self.door.certificate is None:
            raise _Gone
        loop, stream = asyncio.get_running_loop(), Stream()
        context = self.door.certificate.context()
        try:
            await loop.connect_accepted_socket(
                lambda: stream, self.sock, ssl=context
            )  # uvloop returns its own protocol
        except (ssl.SSLError, OSError) as error:
            self.sock.close()
            reason = getattr(error, "reason", None) or type(error).__name__
            raise ProtocolError("wire.tls", str(reason)) from None
        self._own(stream)
        self.tls = True
        spoken = stream.tls.selected_alpn_protocol() if stream.tls else None
        if direct and spoken != ALPN:
            raise ProtocolError("wire.tls", "direct TLS without ALPN postgresql")

    async def _in_tls(self) -> ClientStartup | CancelArrival:
        """The first packet inside TLS: the only thing refused here is to ask for encryption again."""
        reader, packet = StartupReader(), None
        stream = self._stream()
        while packet is None:
            data = await stream.read()
            if not data:
                raise _Gone
            packet = reader.receive_data(data)
        stream.unread(reader.rest())
        match packet:
            case SslRequest() | GssEncRequest():
                raise ProtocolError("wire.malformed", "encryption asked for inside TLS")
            case CancelRequest():
                return CancelArrival(packet.pid, packet.key, self.peer, self._hang_up)
            case StartupMessage():
                return self._welcome(packet)

    async def _in_plaintext(self, packet: StartupMessage) -> ClientStartup:
        if not self.door.insecure_loopback or not _is_loopback(self.peer):
            raise Unauthenticated("wire.plaintext")
        stream = Stream()
        await asyncio.get_running_loop().connect_accepted_socket(lambda: stream, self.sock)
        self._own(stream)
        return self._welcome(packet)

    def _welcome(self, packet: StartupMessage) -> ClientStartup:
        stream = self._stream()
        if packet.needs_negotiation:
            stream.write(startup.negotiate_protocol_version(packet))
        return ClientStartup(stream, packet, self.tls, self.peer, self.deadline, self.slot)

    def _own(self, stream: Stream) -> None:
        self.stream = stream
        stream.when_closed(self.slot.release)

    def _stream(self) -> Stream:
        if self.stream is None:
            raise _Gone
        return self.stream

    async def _peek(self) -> bytes:
        """The first byte, left where it is."""
        await _readable(self.sock)
        first = self.sock.recv(1, socket.MSG_PEEK)
        if not first:
            raise _Gone
        return first

    def _behind(self) -> bytes:
        """The byte that has come behind a request, if one has; it stays where it is."""
        try:
            return self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return b""

    async def _packet(self) -> bytes:
        """One whole first packet, and not a byte more."""
        prefix = await self._exactly(4)
        return prefix + await self._exactly(startup.packet_length(prefix) - len(prefix))

    async def _exactly(self, size: int) -> bytes:
        loop, data = asyncio.get_running_loop(), b""
        while len(data) < size:
            more = await loop.sock_recv(self.sock, size - len(data))
            if not more:
                raise _Gone
            data += more
        return data

    async def _tell(self, error: GatewayError) -> None:
        """Say what is wrong as far as the client can hear it, then hang up."""
        entry = error.entry
        said = error_response(severity="FATAL", sqlstate=entry.sqlstate, message=entry.message, hint=entry.remedy)
        if self.stream is not None:
            self.stream.write(said)
            self.stream.end()
        elif self.sock.fileno() >= 0:
            with contextlib.suppress(OSError):
                self.sock.send(said)
        self._drop_bare()

    def _hang_up(self) -> None:
        """In order, so that a client that is still reading sees an end and no reset."""
        if self.stream is not None:
            self.stream.end()
        self._drop_bare()

    def _drop(self) -> None:
        if self.stream is not None:
            self.stream.abort()
        self._drop_bare()

    def _drop_bare(self) -> None:
        """A bare socket is ours to close; a stream closes it, and the slot with it."""
        if self.stream is None:
            self.sock.close()
            self.slot.release()


async def _readable(sock: socket.socket) -> None:
    """Wait until something can be read, and read nothing."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(sock)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _address_of(sock: socket.socket) -> str:
    """The peer's address without port; empty when it is gone or has none."""
    try:
        name = sock.getpeername()
    except OSError:
        return ""
    return str(name[0]) if isinstance(name, tuple) else ""


def _is_loopback(peer: str) -> bool:
    """127.0.0.0/8 and ::1, also written as an IPv6-mapped address."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
