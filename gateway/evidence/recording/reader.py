"""Reads a recording from front to back with a recipient's private key. What is wrong with it gets a name.

A recording whose gateway was killed ends early, perhaps within a segment: everything in front of that is read, and
`trouble` says what stands there. Lengths are believed only as far as a writer can make them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.evidence.files import open_file
from gateway.evidence.recording.format import (
    CLEAR,
    END,
    HEADER_MAX,
    LENGTH,
    MAGIC,
    Clear,
    Header,
    Opener,
    RecordingError,
    decode_clear,
    decode_header,
)
from gateway.evidence.recording.frames import FrameError, Piece, unpack
from gateway.evidence.recording.keys import KEY_FILE_MAX, unwrap
from gateway.evidence.recording.places import key_path
from gateway.evidence.recording.tape import Totals


class Segment(NamedTuple):
    """One segment as it lies in the file."""

    clear: Clear
    raw: bytes
    """all of it, what stands in clear included"""


class Front(NamedTuple):
    """What stands before the first segment."""

    header: Header
    raw: bytes


def read_front(file: BinaryIO) -> Front:
    """Raises RecordingError."""
    raw = file.read(len(MAGIC) + LENGTH.size)
    if len(raw) == len(MAGIC) + LENGTH.size:
        raw += file.read(min(LENGTH.unpack_from(raw, len(MAGIC))[0], HEADER_MAX + 1))
    header, size = decode_header(raw)
    return Front(header, raw[:size])


def read_segments(file: BinaryIO) -> Iterator[Segment]:
    """Segments in order, up to the end. Raises RecordingError where one is torn, out of order, or lies."""
    number = 0
    while front := file.read(CLEAR.size):
        clear = decode_clear(front)
        if clear.number != number:
            raise RecordingError("recording.reordered", f"segment {clear.number} stands where {number} is due")
        sealed = file.read(clear.sealed)
        if len(sealed) < clear.sealed:
            raise RecordingError("recording.torn", f"segment {number} ends early")
        yield Segment(clear, front + sealed)
        number += 1
        if clear.kind == END:
            if file.read(1):
                raise RecordingError("recording.trailing", "something stands behind the end")
            return


class Playback:
    """A recording being read."""

    def __init__(self, path: Path, private: X25519PrivateKey) -> None:
        """Look at its header and its key. Raises RecordingError, OSError."""
        self._path = path
        with open_file(path) as file:
            self._front = read_front(file)
        self.header = self._front.header
        if path.stem != self.header.sid:
            raise RecordingError("recording.swapped", f"it is the recording of session {self.header.sid}")
        self._key = unwrap(_key_file(path), self.header.sid, private)
        self.totals: Totals | None = None
        """as the end says; None when it was not reached"""
        self.trouble: RecordingError | None = None
        """why reading stopped before the end"""

    def __repr__(self) -> str:
        """Without the key."""
        return f"Playback({self.header.sid})"

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """The frames in order, up to the end or to trouble; segments before number `start` are passed over."""
        self.totals, self.trouble = None, None
        opener = Opener(self._key, self.header.sid, self._front.raw)
        try:
            with open_file(self._path) as file:
                file.seek(len(self._front.raw))
                for segment in read_segments(file):
                    if segment.clear.number < start and segment.clear.kind != END:
                        opener.skip(segment.raw)
                        continue
                    plain = opener.open(segment.clear, segment.raw)
                    if segment.clear.kind == END:
                        self.totals = _totals(plain)
                    else:
                        yield from unpack(plain)
        except RecordingError as error:
            self.trouble = error
        except FrameError as error:
            self.trouble = RecordingError("recording.frames", str(error))

    def segment_of(self, statement: int) -> int:
        """Number of the segment in which a statement begins; 0 when none says so. Opens nothing."""
        try:
            with open_file(self._path) as file:
                file.seek(len(self._front.raw))
                for segment in read_segments(file):
                    first = segment.clear.first
                    if first and first <= statement < first + segment.clear.statements:
                        return segment.clear.number
        except RecordingError:
            return 0
        return 0


def _key_file(path: Path) -> bytes:
    """Raises RecordingError."""
    try:
        with open_file(key_path(path)) as file:
            return file.read(KEY_FILE_MAX)
    except FileNotFoundError:
        raise RecordingError("recording.no_key", "its key file is gone: shredded, or lost") from None


def _totals(plain: bytes) -> Totals:
    try:
        return msgspec.json.decode(plain, type=Totals)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RecordingError("recording.frames", "its end cannot be read") from None
