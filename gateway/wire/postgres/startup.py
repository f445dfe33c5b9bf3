"""The first packets of a connection, which have no type byte (PostgreSQL 18, §54.2.1, §54.7).

An int32 length, then a code: encryption requests, a cancel request, or the protocol version and the parameters. What
a server reads differently from us is an attack, so each packet is read to its last byte: one value a parameter, no
unknown version, no bytes behind the end.
"""

from typing import Final, TypeAlias

import msgspec

from gateway.core.errors import ProtocolError
from gateway.wire.postgres.fields import UINT16, UINT32, Fields, message, text
from gateway.wire.postgres.frames import Opaque

STARTUP_MAX: Final = 10_000
"""bytes, as MAX_STARTUP_PACKET_LENGTH of the server"""
CANCEL_KEY_MIN: Final = 4
CANCEL_KEY_MAX: Final = 256
NEWEST_MINOR: Final = 2
LONG_KEYS_MINOR: Final = 2
PREFIX: Final = 8
"""bytes that say which packet it is and how long"""
_CANCEL, _SSL, _GSS = 1234 << 16 | 5678, 1234 << 16 | 5679, 1234 << 16 | 5680
_OPTION_PREFIX = "_pq_."
_FALSE = frozenset({"false", "off", "no", "0", "f", "n"})


class SslRequest(msgspec.Struct, frozen=True):
    """The client asks whether it may speak TLS."""


class GssEncRequest(msgspec.Struct, frozen=True):
    """The client asks whether it may speak GSSAPI encryption. The answer is no."""


class CancelRequest(Opaque, frozen=True):
    """Cancel what the session with this number and key is doing."""

    pid: int
    key: bytes


class StartupMessage(Opaque, frozen=True, kw_only=True):
    """Who wants to talk to which database. `parameters` has all of them, `user`, `database` and `options` included."""

    minor: int
    """minor version of protocol 3 the client asked for"""
    user: str
    database: str
    parameters: dict[str, str]
    protocol_options: tuple[str, ...]
    """`_pq_.` names; none is known to us"""

    @property
    def agreed_minor(self) -> int:
        """The minor version both sides speak."""
        return min(self.minor, NEWEST_MINOR)

    @property
    def long_cancel_keys(self) -> bool:
        """A cancel key may have more than four bytes (PostgreSQL 18, §54.2.9)."""
        return self.agreed_minor >= LONG_KEYS_MINOR

    @property
    def needs_negotiation(self) -> bool:
        """The client asked for something newer: answer `server_messages.negotiate_protocol_version` first."""
        return self.minor > NEWEST_MINOR or bool(self.protocol_options)


FirstPacket: TypeAlias = SslRequest | GssEncRequest | CancelRequest | StartupMessage


def packet_length(prefix: bytes) -> int:
    """Length of the whole packet, from its first four bytes. Raises ProtocolError before anyone waits for it."""
    (length,) = UINT32.unpack_from(prefix)
    if not PREFIX <= length <= STARTUP_MAX:
        raise ProtocolError("wire.malformed", f"start-up packet claims {length} bytes")
    return int(length)


class StartupReader:
    """Collect one first packet from a byte stream."""

    def __init__(self) -> None:
        self._buffer = b""

    def receive_data(self, data: bytes) -> FirstPacket | None:
        """Take bytes; give the packet when it is complete. Raises ProtocolError."""
        self._buffer += data
        if len(self._buffer) < 4:  # noqa: PLR2004 -- an int32
            return None
        length = packet_length(self._buffer)
        if len(self._buffer) < length:
            return None
        packet, self._buffer = self._buffer[:length], self._buffer[length:]
        return parse(packet)

    def rest(self) -> bytes:
        """What came behind the packet."""
        return self._buffer


def parse(packet: bytes) -> FirstPacket:
    """Read one whole first packet, its length included. Raises ProtocolError."""
    fields = Fields(packet, 0)
    if packet_length(packet) != len(packet):
        raise fields.refusal("start-up packet has another length")
    fields.uint32()
    code = fields.uint32()
    if code == _CANCEL:
        return _cancel(fields)
    if code in {_SSL, _GSS}:
        fields.end()
        return SslRequest() if code == _SSL else GssEncRequest()
    if code >> 16 != 3:  # noqa: PLR2004 -- the only major version there is
        raise ProtocolError("wire.version", f"protocol {code >> 16}.{code & 0xFFFF}")
    return _startup(code & 0xFFFF, fields)


def _cancel(fields: Fields) -> CancelRequest:
    pid, key = fields.uint32(), fields.rest()
    if not CANCEL_KEY_MIN <= len(key) <= CANCEL_KEY_MAX:
        raise fields.refusal("cancel key of impossible length")
    return CancelRequest(pid, key)


def _startup(minor: int, fields: Fields) -> StartupMessage:
    parameters: dict[str, str] = {}
    while name := fields.string():
        if name in parameters:
            raise fields.refusal("a start-up parameter is given twice")
        parameters[name] = fields.string()
    fields.end()
    asked = tuple(sorted(name for name in parameters if name.startswith(_OPTION_PREFIX)))
    parameters = {name: value for name, value in parameters.items() if name not in asked}
    user = parameters.get("user", "")
    if not user:
        raise ProtocolError("wire.user_missing")
    if parameters.get("replication", "false").lower() not in _FALSE:
        raise ProtocolError("wire.replication")
    database = parameters.get("database") or user
    return StartupMessage(minor=minor, user=user, database=database, parameters=parameters, protocol_options=asked)


def parse_options(options: str) -> tuple[tuple[str, str], ...]:
    """Settings in the `options` parameter: `-c name=value`, `-cname=value`, `--name=value`; backslash escapes a blank.

    In the order given, as the server's pg_split_opts and getopt read them. Raises ProtocolError(`wire.options`) for any
    other switch.
    """
    words = iter(_split_options(options))
    settings = []
    for word in words:
        if word == "-c":
            setting = next(words, "")
        elif word.startswith(("-c", "--")):
            setting = word[2:]
        else:
            raise ProtocolError("wire.options", "only -c name=value is read")
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise ProtocolError("wire.options", "a setting without value")
        settings.append((name.replace("-", "_"), value))
    return tuple(settings)


def _split_options(options: str) -> list[str]:
    words: list[str] = []
    word: str | None = None
    characters = iter(options)
    for character in characters:
        if character in " \t\n\r\f\v":
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + (next(characters, "") if character == "\\" else character)
    return words if word is None else [*words, word]


SSL_REQUEST: Final = UINT32.pack(8) + UINT32.pack(_SSL)
GSSENC_REQUEST: Final = UINT32.pack(8) + UINT32.pack(_GSS)


def cancel_request(pid: int, key: bytes) -> bytes:
    """CancelRequest."""
    return UINT32.pack(12 + len(key)) + UINT32.pack(_CANCEL) + UINT32.pack(pid) + key


def startup_message(parameters: dict[str, str], minor: int = 0) -> bytes:
    """StartupMessage of protocol 3.`minor`."""
    body = b"".join(text(name) + text(value) for name, value in parameters.items()) + b"\0"
    return UINT32.pack(8 + len(body)) + UINT16.pack(3) + UINT16.pack(minor) + body


def negotiate_protocol_version(startup: StartupMessage) -> bytes:
    """NegotiateProtocolVersion: the newest version we speak, as major << 16 | minor, and the options we do not know."""
    unknown = startup.protocol_options
    version = UINT32.pack(3 << 16 | startup.agreed_minor)
    return message(b"v", version, UINT32.pack(len(unknown)), *map(text, unknown))
