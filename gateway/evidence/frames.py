"""Frames of the write-ahead log: length, CRC-32C, leaf number, kind, payload; one behind the other.

    uint32  length of kind and payload
    uint32  CRC-32C (RFC 3720, §B.4) over the leaf number, kind and payload
    uint64  number of the leaf this frame belongs to
    byte    kind
    …       payload

All integers are big-endian. The first bad frame ends what can be read: what stands behind it was never acknowledged as
durable, or somebody changed the file.
"""

import struct
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

import google_crc32c

MAGIC: Final = b"QWWAL\x00\x01\n"
"""the first bytes of a segment"""
MAX_PAYLOAD: Final = 64 << 20
_HEAD: Final = struct.Struct(">IIQ")
_NUMBER: Final = struct.Struct(">Q")


class Kind(Enum):
    """What a frame holds."""

    START = b"S"
    """first in a segment: what a reader must know of everything before it"""
    BODY = b"B"
    """a body named by the next leaf"""
    LEAF = b"L"


class Frame(NamedTuple):
    """One good frame, and the offset behind it."""

    kind: Kind
    number: int
    payload: bytes
    end: int


_KINDS: Final = {kind.value: kind for kind in Kind}


def pack_frame(kind: Kind, number: int, payload: bytes) -> bytes:
    """The bytes of a frame."""
    content = kind.value + payload
    numbered = _NUMBER.pack(number)
    crc = google_crc32c.extend(google_crc32c.value(numbered), content)
    return b"".join((_HEAD.pack(len(content), crc, number), content))


def read_frames(data: bytes, start: int = len(MAGIC)) -> Iterator[Frame]:
    """Good frames from `start` on; ends without a word at the first that is torn or changed."""
    at, end = start, len(data)
    while at + _HEAD.size < end:
        length, crc, number = _HEAD.unpack_from(data, at)
        content_at = at + _HEAD.size
        at = content_at + length
        kind = _KINDS.get(data[content_at : content_at + 1])
        if kind is None or not 1 <= length <= MAX_PAYLOAD or at > end:
            return
        content = data[content_at:at]
        if google_crc32c.extend(google_crc32c.value(_NUMBER.pack(number)), content) != crc:
            return
        yield Frame(kind, number, content[1:], at)
