"""From a recording's frames to what was said: whole messages of each side, and the gateway's notes, in their order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.frames import FrameError, Note, Piece, What, decode_note
from gateway.wire.postgres.frames import HEADER

MESSAGE_MAX: Final = 1 << 30
"""bytes; no gateway lets a longer one pass (`limits.message_max`)"""


class Said(NamedTuple):
    """One message."""

    t_ns: int
    sent: bool
    """by the agent; else received by it"""
    statement: int
    """0 for none"""
    kind: bytes
    raw: bytes

    def __repr__(self) -> str:
        """Without the content."""
        return f"Said({self.kind!r}, {len(self.raw)} bytes)"


class Noted(NamedTuple):
    """What the gateway noted of a statement."""

    t_ns: int
    statement: int
    note: Note


Event: TypeAlias = Said | Noted


@dataclass(slots=True)
class _Half:
    """What of a direction's next message has come."""

    parts: list[bytes] = field(default_factory=list)
    held: int = 0
    needed: int = HEADER.size

    def add(self, data: bytes) -> bytes:
        """Everything held, once it may hold a whole message; else nothing."""
        self.parts.append(data)
        self.held += len(data)
        if self.held < self.needed:
            return b""
        joined = b"".join(self.parts)
        self.parts.clear()
        self.held, self.needed = 0, HEADER.size
        return joined


def events(pieces: Iterable[Piece]) -> Iterator[Event]:
    """Messages and notes, as they followed each other. Raises RecordingError for bytes that are no messages."""
    halves = {What.SENT: _Half(), What.RECEIVED: _Half()}
    for piece in pieces:
        if piece.what is What.NOTE:
            yield Noted(piece.t_ns, piece.statement, _note(piece.data))
        else:
            yield from _messages(piece, halves[piece.what])


def _note(data: bytes) -> Note:
    try:
        return decode_note(data)
    except FrameError as error:
        raise RecordingError("recording.frames", str(error)) from None


def _messages(piece: Piece, half: _Half) -> Iterator[Said]:
    data, at = half.add(piece.data), 0
    while len(data) - at >= HEADER.size:
        kind, length = HEADER.unpack_from(data, at)
        if not HEADER.size - 1 <= length <= MESSAGE_MAX:
            raise RecordingError("recording.frames", "the bytes of a direction are not its protocol's messages")
        stop = at + 1 + length
        if stop > len(data):
            half.needed = stop - at
            break
        yield Said(piece.t_ns, piece.what is What.SENT, piece.statement, bytes((kind,)), data[at:stop])
        at = stop
    if at < len(data):
        half.parts.append(data[at:])
        half.held += len(data) - at
