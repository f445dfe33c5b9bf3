"""Cut PostgreSQL's byte stream into frames: one type byte, an int32 length that counts itself, the content (§54.7).

Frames keep the bytes they came in, so what is not changed is forwarded as it was. Rows and COPY data come as runs: the
headers of a chunk are walked, and all consecutive frames of that kind are one slice, because nobody reads most rows.
A length that lies or exceeds the limit of its kind is refused when the header is seen, before anything is kept for it.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from gateway.core.errors import ProtocolError

HEADER = struct.Struct(">BI")
MESSAGE_MAX = 16 * 1024 * 1024
PASSWORD_MAX = 64 * 1024
_FIRST = HEADER.size
_SMALLEST = 4
_KINDS = [bytes((number,)) for number in range(256)]


class Opaque(msgspec.Struct, frozen=True):
    """A struct that may hold literals or credentials, so its repr says only what it is."""

    def __repr__(self) -> str:
        """Only what it is."""
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Nothing, for pretty printers too."""
        return []


class Frame(Opaque, frozen=True, gc=False):
    """One message. `raw` is all of it, header included."""

    kind: bytes
    """the type byte"""
    raw: bytes

    @property
    def payload(self) -> memoryview:
        """The content behind the header."""
        return memoryview(self.raw)[_FIRST:]

    def __repr__(self) -> str:
        """Kind and size."""
        return f"Frame({self.kind!r}, {len(self.raw)} bytes)"


class DataRun(Opaque, frozen=True, gc=False):
    """`count` consecutive messages of one kind: DataRow (`D`) or CopyData (`d`), headers included."""

    kind: bytes
    raw: bytes
    count: int

    def __repr__(self) -> str:
        """Kind, count and size."""
        return f"DataRun({self.kind!r}, {self.count} frames, {len(self.raw)} bytes)"

    def first(self, count: int) -> "DataRun":
        """The run cut after `count` frames."""
        if count >= self.count:
            return self
        at = 0
        for _ in range(max(count, 0)):
            at += 1 + HEADER.unpack_from(self.raw, at)[1]
        return DataRun(self.kind, self.raw[:at], max(count, 0))

    def payloads(self) -> Iterator[memoryview]:
        """The content of each frame."""
        view, at = memoryview(self.raw), 0
        while at < len(view):
            stop = at + 1 + HEADER.unpack_from(view, at)[1]
            yield view[at + _FIRST : stop]
            at = stop


Received: TypeAlias = Frame | DataRun


class FrameReader:
    """Cut a byte stream into frames. Feed it whatever the socket gave you.

    `limits` gives for each known type byte the largest length it may claim; any other type byte is refused. `runs`
    are the type bytes that come as DataRun. After a ProtocolError the reader gives nothing more.
    """

    def __init__(self, limits: Mapping[bytes, int], *, runs: bytes, unknown: str, oversize: str, lying: str) -> None:
        self._limits = [0] * 256
        self.permit(limits)
        self._runs = frozenset(runs)
        self._codes = (unknown, oversize, lying)
        self._parts: list[bytes] = []
        """chunks of a frame that is not complete yet"""
        self._held = 0
        self._needed = _FIRST
        self._chunk = b""
        self._at = 0
        self._broken: ProtocolError | None = None

    def permit(self, limits: Mapping[bytes, int]) -> None:
        """Change what is accepted, from the next frame on: type byte → largest length; 0 refuses it."""
        for kind, limit in limits.items():
            self._limits[kind[0]] = limit

    def receive_data(self, data: bytes) -> Iterator[Received]:
        """Take bytes and give the frames they complete. What an abandoned iterator left, the next one gives."""
        if self._broken is not None:
            raise self._broken
        return self._frames() if self._gather(data) else iter(())

    def _frames(self) -> Iterator[Received]:
        chunk, size, limits, unpack = self._chunk, len(self._chunk), self._limits, HEADER.unpack_from
        while size - self._at >= _FIRST:
            start = self._at
            kind, length = unpack(chunk, start)
            if not _SMALLEST <= length <= limits[kind]:
                self._broken = self._refusal(kind, length)
                raise self._broken
            stop = start + 1 + length
            if stop > size:
                self._needed = stop - start
                break
            if kind in self._runs:
                stop, count = self._end_of_run(kind, start)
                self._at = stop
                yield DataRun(_KINDS[kind], chunk[start:stop], count)
            else:
                self._at = stop
                yield Frame(_KINDS[kind], chunk[start:stop])
        self._set_aside()

    def rest(self) -> bytes:
        """What was received and belongs to no frame given so far."""
        return self._chunk[self._at :] + b"".join(self._parts)

    def _gather(self, data: bytes) -> bool:
        """Put together what there is to read; False while the frame begun is known to be incomplete."""
        if self._chunk:
            self._parts.insert(0, self._chunk[self._at :])
            self._held += len(self._parts[0])
            self._chunk, self._at = b"", 0
        if data:
            self._parts.append(data)
            self._held += len(data)
        if self._held < self._needed:
            return False
        self._chunk = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._at, self._held, self._needed = 0, 0, _FIRST
        return True

    def _set_aside(self) -> None:
        """Keep the beginning of the next frame, and let the chunk go."""
        rest = self._chunk[self._at :]
        self._parts = [rest] if rest else []
        self._held = len(rest)
        self._chunk, self._at = b"", 0

    def _end_of_run(self, kind: int, at: int) -> tuple[int, int]:
        """Walk headers from `at` while they are complete frames of `kind`: where they end, and how many they are."""
        chunk, limit, unpack = self._chunk, self._limits[kind], HEADER.unpack_from
        end, last, count = len(chunk), len(chunk) - _FIRST, 0
        while at <= last:
            found, length = unpack(chunk, at)
            stop = at + 1 + length
            if found != kind or stop > end or not _SMALLEST <= length <= limit:
                break
            at = stop
            count += 1
        return at, count

    def _refusal(self, kind: int, length: int) -> ProtocolError:
        unknown, oversize, lying = self._codes
        shown = repr(bytes((kind,)))
        if not self._limits[kind]:
            return ProtocolError(unknown, f"type {shown}")
        return ProtocolError(oversize if length >= _SMALLEST else lying, f"type {shown} claims {length} bytes")


_CLIENT_SMALL = 64 * 1024
_CLIENT_PLAIN = b"QPBDECHSdcfFXp"
_EMPTY = {b"S": 4, b"H": 4, b"X": 4, b"c": 4}
_SERVER_PLAIN = b"RKSZTtD123nsICEANdGHWcvV"


class ClientReader(FrameReader):
    """What a client sends after its startup packet. Until `open` is called only `p` is accepted (§54.2.1)."""

    def __init__(self, message_max: int = MESSAGE_MAX) -> None:
        self._message_max = message_max
        super().__init__(
            {b"p": PASSWORD_MAX},
            runs=b"d",
            unknown="wire.unknown_message",
            oversize="wire.message_too_long",
            lying="wire.malformed",
        )

    def open(self, message_max: int | None = None) -> None:
        """The client is authenticated: accept everything but passwords, up to its connection's limit if it has one."""
        largest = self._message_max if message_max is None else message_max
        self.permit({bytes((kind,)): largest for kind in _CLIENT_PLAIN})
        self.permit({**_EMPTY, b"p": 0, **dict.fromkeys((b"D", b"C", b"E"), min(_CLIENT_SMALL, largest))})


class ServerReader(FrameReader):
    """What a server sends."""

    def __init__(self, message_max: int = MESSAGE_MAX) -> None:
        super().__init__(
            {bytes((kind,)): message_max for kind in _SERVER_PLAIN},
            runs=b"Dd",
            unknown="upstream.malformed",
            oversize="upstream.message_too_long",
            lying="upstream.malformed",
        )
