"""The content of a recording: frames one behind the other, and the segments that hold at most 256 KiB of them.

    byte    what it is: 1 sent by the agent, 2 received by it, 3 a note of the gateway's
    uint64  nanoseconds since the session began
    uint32  number of the statement it belongs to, from 1 in order of appearance; 0 for none
    uint32  length
    …       a piece of the byte stream of that direction, or the note as JSON

All integers are big-endian. A frame is a piece of a stream, not a message: what lies in it only its protocol knows.
"""

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, Literal, NamedTuple

import msgspec

SEGMENT_MAX: Final = 256 * 1024
"""bytes of frames in one segment"""
PIECE_MAX: Final = 128 * 1024
"""bytes in one frame: longer ones are cut, so that segments keep to their size"""
HEAD: Final = struct.Struct(">BQII")


class What(IntEnum):
    """Whose bytes a frame holds."""

    SENT = 1
    RECEIVED = 2
    NOTE = 3


class Piece(NamedTuple):
    """One frame."""

    what: What
    t_ns: int
    """since the session began"""
    statement: int
    data: bytes

    def __repr__(self) -> str:
        """Without the bytes."""
        return f"Piece({self.what.name}, {self.statement}, {len(self.data)} bytes)"


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the gateway says of a statement: that it begins here (`statement`), or how it ended (`outcome`)."""

    is_: Literal["statement", "outcome"] = msgspec.field(name="is")
    did: str
    act: str = ""
    phase: str = ""
    outcome: str = ""
    code: str = ""
    """of a refusal or an error"""
    rows: int = 0


class FrameError(ValueError):
    """The frames of a segment do not add up."""


_NOTES: Final = msgspec.json.Decoder(Note)
_ENCODER: Final = msgspec.json.Encoder()


def encode_note(note: Note) -> bytes:
    """JSON."""
    return _ENCODER.encode(note)


def decode_note(data: bytes) -> Note:
    """Raises FrameError."""
    try:
        return _NOTES.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise FrameError("a note cannot be read") from None


def pack(pieces: Iterable[Piece]) -> bytes:
    """The frames of one segment."""
    out: list[bytes] = []
    for what, t_ns, statement, data in pieces:
        out += HEAD.pack(what, t_ns, statement, len(data)), data
    return b"".join(out)


def unpack(plain: bytes) -> Iterator[Piece]:
    """The frames in a segment's content. Raises FrameError when they do not fill it exactly."""
    at, end = 0, len(plain)
    while at < end:
        if end - at < HEAD.size:
            raise FrameError("a frame ends early")
        kind, t_ns, statement, length = HEAD.unpack_from(plain, at)
        at += HEAD.size
        if length > end - at:
            raise FrameError("a frame's length lies")
        if kind not in set(What):
            raise FrameError("a frame of no known kind")
        yield Piece(What(kind), t_ns, statement, plain[at : at + length])
        at += length
