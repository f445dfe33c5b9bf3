"""The file of a recording (`.gwr`): a header in clear, then sealed segments, each bound to the one before it.

    bytes   QWGWR 00 01 0A
    uint32  length of the header
    …       header: JSON (what is recorded, of which session, since when, to whom it is encrypted)
    then segments:
    uint32  number, from 0
    byte    0 frames, 1 the end
    uint32  number of the first statement that begins in it; 0 for none
    uint32  how many begin in it
    uint32  length of the content
    uint32  length of what follows
    …       AES-256-GCM over zstd over the content, its tag of 16 bytes last

Associated data: session id ‖ the segment's 21 bytes in clear ‖ the tag before (for segment 0: the first 16 bytes of
SHA-256 over all in front of it). The nonce is four zero bytes and the number in eight: each session has its own key. So
a segment opens only in its place of its recording.
"""

import hashlib
import struct
import threading
from typing import Final, NamedTuple

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.evidence.recording.frames import SEGMENT_MAX

MAGIC: Final = b"QWGWR\x00\x01\n"
VERSION: Final = 1
KEY_SIZE: Final = 32
TAG_SIZE: Final = 16
HEADER_MAX: Final = 64 * 1024
PLAIN_MAX: Final = 2 * SEGMENT_MAX
SEALED_MAX: Final = PLAIN_MAX + 1024
LEVEL: Final = 1
"""of zstd: beyond it time doubles, and little is gained on rows"""
FRAMES, END = 0, 1
CLEAR: Final = struct.Struct(">IBIIII")
LENGTH: Final = struct.Struct(">I")
_NONCE: Final = struct.Struct(">IQ")
_THREAD: Final = threading.local()


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in clear in front. Nothing of what was said."""

    v: int
    sid: str
    connection: str
    protocol: str
    """as in `postgres`: how the bytes are to be read"""
    content: str
    started: str
    """nanoseconds since the epoch"""
    cipher: str = "AES-256-GCM"
    compression: str = "zstd"
    recipients: tuple[str, ...] = ()
    """fingerprints of the keys it is encrypted to"""


class Clear(NamedTuple):
    """What stands in clear in front of a segment."""

    number: int
    kind: int
    first: int
    statements: int
    plain: int
    sealed: int


class RecordingError(ValueError):
    """A recording is not what it should be. `name` is the finding's, the text quotes nothing of the content."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def encode_header(header: Header) -> bytes:
    """Magic, length, header."""
    body = msgspec.json.encode(header)
    return MAGIC + LENGTH.pack(len(body)) + body


def decode_header(data: bytes) -> tuple[Header, int]:
    """The header and where the first segment begins. Raises RecordingError."""
    start = len(MAGIC) + LENGTH.size
    if len(data) < start or not data.startswith(MAGIC):
        raise RecordingError("recording.header", "it does not begin as a recording")
    (length,) = LENGTH.unpack_from(data, len(MAGIC))
    if length > HEADER_MAX or len(data) < start + length:
        raise RecordingError("recording.header", "its header is cut off, or its length lies")
    try:
        header = msgspec.json.decode(data[start : start + length], type=Header)
        int(header.started)
    except (ValueError, msgspec.DecodeError):
        raise RecordingError("recording.header", "its header cannot be read") from None
    if (header.v, header.cipher, header.compression) != (VERSION, "AES-256-GCM", "zstd"):
        raise RecordingError("recording.header", "it was written by another version")
    return header, start + length


def first_tag(front: bytes) -> bytes:
    """What binds segment 0 to everything in front of it."""
    return hashlib.sha256(front).digest()[:TAG_SIZE]


def decode_clear(data: bytes) -> Clear:
    """What stands in front of a segment, from its first bytes. Raises RecordingError before anyone trusts a length."""
    if len(data) < CLEAR.size:
        raise RecordingError("recording.torn", "a segment ends early")
    clear = Clear(*CLEAR.unpack_from(data))
    if clear.kind not in {FRAMES, END} or clear.plain > PLAIN_MAX or not TAG_SIZE <= clear.sealed <= SEALED_MAX:
        raise RecordingError("recording.length", f"segment {clear.number} claims what no segment has")
    return clear


class Sealer:
    """Seals the segments of one session, in order. Holds its data key; its repr does not show it."""

    def __init__(self, key: bytes, sid: str, front: bytes) -> None:
        self._cipher = AESGCM(key)
        self._sid = sid.encode()
        self._tag = first_tag(front)
        self.number = 0
        """of the next segment"""

    def __repr__(self) -> str:
        """Nothing secret."""
        return f"Sealer({self.number})"

    def seal(self, plain: bytes, *, kind: int = FRAMES, first: int = 0, statements: int = 0) -> bytes:
        """The bytes of the next segment. Its nonce is used once: what comes out is written again if need be."""
        if len(plain) > PLAIN_MAX:
            raise RecordingError("recording.length", "a segment is too long")
        packed = packer().compress(plain)
        clear = CLEAR.pack(self.number, kind, first, statements, len(plain), len(packed) + TAG_SIZE)
        sealed = self._cipher.encrypt(nonce(self.number), packed, self._sid + clear + self._tag)
        self._tag = sealed[-TAG_SIZE:]
        self.number += 1
        return clear + sealed


class Opener:
    """Opens the segments of one session, in order."""

    def __init__(self, key: bytes, sid: str, front: bytes) -> None:
        self._cipher = AESGCM(key)
        self._sid = sid.encode()
        self._tag = first_tag(front)

    def __repr__(self) -> str:
        """Nothing secret."""
        return "Opener()"

    def skip(self, segment: bytes) -> None:
        """Pass over a segment that need not be opened. What was wrong with it the next one gives away."""
        self._tag = segment[-TAG_SIZE:]

    def open(self, clear: Clear, segment: bytes) -> bytes:
        """The content of a whole segment. Raises RecordingError."""
        before, self._tag = self._tag, segment[-TAG_SIZE:]
        try:
            packed = self._cipher.decrypt(
                nonce(clear.number), segment[CLEAR.size :], self._sid + segment[: CLEAR.size] + before
            )
        except InvalidTag:
            text = f"segment {clear.number} was changed, moved, or belongs to another recording"
            raise RecordingError("recording.changed", text) from None
        return unpacked(packed, clear)


def unpacked(packed: bytes, clear: Clear) -> bytes:
    """Decompressed, and not a byte more than was announced: the claim of the frame itself is looked at first."""
    try:
        claimed = zstandard.get_frame_parameters(packed)
        if claimed.content_size != clear.plain or claimed.window_size > PLAIN_MAX:
            raise RecordingError("recording.bomb", f"segment {clear.number} would unpack to another size than it says")
        plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=clear.plain, allow_extra_data=False)
    except zstandard.ZstdError:
        raise RecordingError("recording.bomb", f"segment {clear.number} cannot be unpacked") from None
    if len(plain) != clear.plain:
        raise RecordingError("recording.bomb", f"segment {clear.number} unpacks to another size than it says")
    return plain


def packer() -> zstandard.ZstdCompressor:
    """One for each thread: it keeps a megabyte of tables, too much for each session to have its own."""
    if not hasattr(_THREAD, "packer"):
        _THREAD.packer = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True)
    made: zstandard.ZstdCompressor = _THREAD.packer
    return made


def nonce(number: int) -> bytes:
    """Twelve bytes."""
    return _NONCE.pack(0, number)
