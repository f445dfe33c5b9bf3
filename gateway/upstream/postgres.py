"""Open a session on a real PostgreSQL: connect, log in, pin the settings our reading of SQL depends on.

Every way to fail is an Unavailable with an `upstream.*` code. Its detail has no secret and nothing the server wrote,
whose texts may quote anything, except its SQLSTATE.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from gateway.core.errors import ProtocolError, Unavailable
from gateway.upstream.dial import dial
from gateway.upstream.login import Login
from gateway.upstream.stream import Stream
from gateway.upstream.target import Target
from gateway.wire.postgres import server_messages
from gateway.wire.postgres.client_messages import TERMINATE
from gateway.wire.postgres.frames import DataRun, Frame, ServerReader
from gateway.wire.postgres.server_messages import BackendKey
from gateway.wire.postgres.startup import CANCEL_KEY_MIN, LONG_KEYS_MINOR, cancel_request, startup_message

CONNECT_SECONDS = 10.0
_GREETING_MAX = 64 * 1024
"""no message before ReadyForQuery is longer"""
_TOO_MANY = frozenset({"53300", "53400"})
_TIMED_OUT = "within the time allowed"


@dataclass(slots=True, eq=False)
class Link:
    """A session on a server: logged in, idle, settings pinned. Give it back by `close`; it is not used again."""

    target: Target
    stream: Stream = field(repr=False)
    parameters: dict[str, str]
    """what ParameterStatus said up to now"""
    backend: BackendKey | None = field(repr=False, default=None)
    minor: int = 0
    """minor version of protocol 3 that is spoken"""

    @property
    def pid(self) -> int:
        """The server's process; 0 when it gave none."""
        return self.backend.pid if self.backend else 0

    @property
    def key(self) -> bytes:
        """What a cancel request must show; empty when the server gave none."""
        return self.backend.key if self.backend else b""

    @property
    def at_eof(self) -> bool:
        """The server has gone."""
        return self.stream.at_eof

    async def read(self) -> bytes:
        """Whatever the server sent. Raises Unavailable(`upstream.lost`) at the end of the stream."""
        data = await self.stream.read()
        if not data:
            raise Unavailable("upstream.lost")
        return data

    def unread(self, data: bytes) -> None:
        """Put bytes back: the next `read` gives them first."""
        self.stream.unread(data)

    def write(self, data: bytes) -> None:
        """Send; follow with `drain` after much."""
        self.stream.write(data)

    async def drain(self) -> None:
        """Wait for room to write. Raises Unavailable(`upstream.lost`)."""
        try:
            await self.stream.drain()
        except ConnectionResetError:
            raise Unavailable("upstream.lost") from None

    def close(self) -> None:
        """End the session: Terminate, then the connection."""
        self.stream.write(TERMINATE)
        self.stream.end()

    def abort(self) -> None:
        """Drop the connection in whatever state it is."""
        self.stream.abort()


_NOTHING: Mapping[str, str] = MappingProxyType({})


async def connect(
    target: Target,
    *,
    application_name: str = "",
    settings: Mapping[str, str] = _NOTHING,
    deadline: float | None = None,
) -> Link:
    """Open a session by `deadline`, a time of the loop. `settings` are start-up parameters; pinned ones win.

    Raises Unavailable (`upstream.*`) only.
    """
    asked = {**settings, "application_name": application_name, **target.pinned}
    try:
        async with asyncio.timeout_at(_by(deadline)):
            stream = await dial(target)
            try:
                return await _log_in(target, stream, asked)
            except BaseException:
                stream.abort()
                raise
    except TimeoutError:
        raise Unavailable("upstream.timeout", _TIMED_OUT) from None
    except ProtocolError as error:
        raise Unavailable("upstream.wrong_server", error.detail) from None


def _by(deadline: float | None) -> float:
    return asyncio.get_running_loop().time() + CONNECT_SECONDS if deadline is None else deadline


async def _log_in(target: Target, stream: Stream, settings: Mapping[str, str]) -> Link:
    asked = {**settings, "user": target.user, "database": target.database}
    given = {name: value for name, value in asked.items() if value or "." in name}  # customized: empty, but there
    parameters = {name: value for name, value in given.items() if "\0" not in value}
    stream.write(startup_message(parameters, target.minor))
    tls = stream.tls is not None
    login = Login(target, tls=tls, binding=_certificate_hash(stream) if tls else None)
    link = Link(target, stream, {}, minor=target.minor)
    reader = ServerReader(_GREETING_MAX)
    inside = False
    while data := await stream.read():
        for received in reader.receive_data(data):
            frame = _single(received)
            if frame.kind == b"R" and not inside:
                reply = await asyncio.to_thread(login.answer, frame)  # reads a secret, derives keys
                inside = reply is None
                stream.write(reply or b"")
            elif inside and frame.kind == b"Z":
                server_messages.parse_ready_for_query(frame)
                stream.unread(reader.rest())
                return _checked(link)
            else:
                _note(frame, link, inside=inside)
    raise Unavailable("upstream.lost", "before the session was open")


def _single(received: Frame | DataRun) -> Frame:
    match received:
        case Frame():
            return received
        case DataRun():
            raise ProtocolError("upstream.malformed", "rows before the session is open")


def _note(frame: Frame, link: Link, *, inside: bool) -> None:
    """Keep what the server says of itself. Raises Unavailable when it refuses, ProtocolError for what is unexpected."""
    match frame.kind:
        case b"E":
            raise _refusal(sqlstate(frame))
        case b"N":
            return
        case b"S" if inside:
            name, value = server_messages.parse_parameter_status(frame)
            link.parameters[name] = value
        case b"K" if inside:
            link.backend = server_messages.parse_backend_key(frame)
            if link.minor < LONG_KEYS_MINOR and len(link.key) != CANCEL_KEY_MIN:
                raise ProtocolError("upstream.malformed", "a long cancel key in protocol 3.0")
        case b"v" if not inside:
            newest, unknown = server_messages.parse_negotiation(frame)
            if unknown or newest >= link.minor:
                raise ProtocolError("upstream.malformed", "it negotiates what was not asked for")
            link.minor = newest
        case _:
            raise ProtocolError("upstream.malformed", f"{frame.kind!r} before the session is open")


def sqlstate(frame: Frame) -> str:
    """The SQLSTATE of an ErrorResponse, when it looks like one: the only part of it that goes into our own errors."""
    state = server_messages.parse_diagnostic(frame).sqlstate[:5]
    return state if state.isascii() and state.isalnum() else "?"


def _refusal(state: str) -> Unavailable:
    code = "upstream.too_many" if state in _TOO_MANY else "upstream.refused"
    if state == "57P03":
        code = "upstream.unreachable"  # starting up or shutting down
    return Unavailable(code, f"SQLSTATE {state}")


def _checked(link: Link) -> Link:
    """The settings that decide how SQL is read must be what we asked for."""
    reported = link.parameters
    if not reported.get("server_version"):
        raise Unavailable("upstream.wrong_server", "it reports no version")
    for name in ("client_encoding", "standard_conforming_strings"):
        if reported.get(name) != link.target.pinned[name]:
            raise Unavailable("upstream.wrong_server", f"it reports another {name}")
    return link


def _certificate_hash(stream: Stream) -> bytes | None:
    """tls-server-end-point (RFC 5929, §4.1): by the certificate's own hash, SHA-256 for MD5 and SHA-1."""
    certificate = stream.tls.getpeercert(binary_form=True) if stream.tls else None
    if not certificate:
        return None
    try:
        used = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None
    if used is None:  # Ed25519 and the like name none
        return None
    weak = isinstance(used, hashes.MD5 | hashes.SHA1)
    digest = hashes.Hash(hashes.SHA256() if weak else used)
    digest.update(certificate)
    return digest.finalize()


async def cancel(target: Target, pid: int, key: bytes, *, deadline: float | None = None) -> None:
    """Ask the server to cancel what a session does, over TLS as the session is. The server answers by hanging up."""
    try:
        async with asyncio.timeout_at(_by(deadline)):
            stream = await dial(target)
            try:
                stream.write(cancel_request(pid, key))
                while await stream.read():
                    pass
            finally:
                stream.end()
    except TimeoutError:
        raise Unavailable("upstream.timeout", _TIMED_OUT) from None
