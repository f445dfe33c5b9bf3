"""What files say when they are unpacked: archives, compressed and columnar files, databases, recordings.

A scan looks at the bytes of every file as they lie; here is what those bytes hide. What cannot be unpacked is said to
be unread. Lengths are not believed: what would unpack to more than `UNPACKED_MAX` is said to be unread, too.
"""

import io
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import zstandard
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.evidence.recording.format import MAGIC as RECORDING
from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.frames import What
from gateway.evidence.recording.reader import Playback

UNPACKED_MAX: Final = 1 << 30
"""bytes of one part; each is held in memory"""
DEPTH: Final = 3
"""archives one inside another"""
_GZIP, _ZSTD, _ZIP = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_SQLITE, _PARQUET = b"SQLite format 3\0", b"PAR1"
_ROWS: Final = 1000

STREAMS: Final = frozenset(what.name.lower() for what in What)
"""what the parts of a recording are called"""

Content: TypeAlias = tuple[str, Iterable[bytes]]
"""what it is within the file, and its bytes"""


class UnreadError(Exception):
    """Something could not be unpacked. The text says why, and quotes nothing of it."""


def contents(path: Path, key: X25519PrivateKey | None) -> Iterator[Content]:
    """What a file holds besides its own bytes. Raises UnreadError and OSError; what was given before that was read."""
    with path.open("rb") as file:
        front = file.read(len(_SQLITE))
    if front.startswith(RECORDING):
        if key is not None:
            yield from _recording(path, key)
    elif front.startswith(_SQLITE):
        yield "rows", _rows(path)
    elif front.startswith(_PARQUET):
        yield "rows", _columns(path)
    elif is_packed(front):
        if path.stat().st_size > UNPACKED_MAX:
            raise UnreadError("packed, and too large to be unpacked here")
        for name, part in unpacked(path.read_bytes(), DEPTH):
            yield name, (part,)


def is_packed(data: bytes) -> bool:
    """Whether bytes begin as gzip, zstd or zip."""
    return data.startswith((_GZIP, _ZSTD, _ZIP))


def unpacked(data: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of everything that is packed in some bytes, and in that. Raises UnreadError."""
    if not depth:
        raise UnreadError("packed too often")
    for name, part in _parts(data):
        yield name, part
        if is_packed(part):
            for inner, inner_part in unpacked(part, depth - 1):
                yield f"{name}/{inner}", inner_part


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        if data.startswith(_GZIP):
            yield "gzip", _gunzipped(data)
        elif data.startswith(_ZSTD):
            with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
                yield "zstd", _limited(reader.read(UNPACKED_MAX + 1))
        else:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.infolist():
                    with archive.open(member) as file:
                        yield member.filename.replace("\n", "?"), _limited(file.read(UNPACKED_MAX + 1))
    except (zlib.error, zstandard.ZstdError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadError(f"cannot be unpacked: {type(error).__name__}") from None


def _gunzipped(data: bytes) -> bytes:
    """All members of a gzip file; one that ends early raises."""
    out: list[bytes] = []
    size = 0
    while data:
        member = zlib.decompressobj(31)
        out.append(member.decompress(data, UNPACKED_MAX + 1 - size))
        size += len(out[-1])
        if member.unconsumed_tail or size > UNPACKED_MAX:
            raise UnreadError("unpacks to too much")
        if not member.eof:
            raise UnreadError("ends early")
        data = member.unused_data
    return b"".join(out)


def _limited(data: bytes) -> bytes:
    if len(data) > UNPACKED_MAX:
        raise UnreadError("unpacks to too much")
    return data


def _rows(path: Path) -> Iterator[bytes]:
    """Every value of every table, one a line: numbers and long texts do not stand as such in the file's pages."""
    try:
        with closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro&immutable=1", uri=True)) as database:
            database.text_factory = bytes
            names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
            for (name,) in names.fetchall():
                table = name.decode("utf-8", "replace").replace('"', '""')
                for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 -- a name out of the file, quoted
                    yield from map(_line, row)
    except sqlite3.Error as error:
        raise UnreadError(f"not to be read as a database: {type(error).__name__}") from None


def _quoted(path: Path) -> str:
    return path.absolute().as_uri().removeprefix("file://")


class _Rows(Protocol):
    """As much of a DuckDB result as is used here."""

    def fetchmany(self, size: int) -> list[tuple[object, ...]]: ...


def _columns(path: Path) -> Iterator[bytes]:
    """Every value of a Parquet file, one a line."""
    if find_spec("duckdb") is None:
        raise UnreadError("a Parquet file; querywarden[history] brings what reads it")
    duckdb = import_module("duckdb")
    try:
        with duckdb.connect() as database:
            found: _Rows = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
            while rows := found.fetchmany(_ROWS):
                for row in rows:
                    yield from map(_line, row)
    except duckdb.Error as error:
        raise UnreadError(f"not to be read as Parquet: {type(error).__name__}") from None


def _line(value: object) -> bytes:
    return (value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")) + b"\n"


def _recording(path: Path, key: X25519PrivateKey) -> Iterator[Content]:
    """Both directions of a recorded session as streams, and the notes between them."""
    try:
        playback = Playback(path, key)
        for what in What:
            yield what.name.lower(), (piece.data for piece in playback.pieces() if piece.what is what)
        trouble = playback.trouble
    except RecordingError as error:
        trouble = error
    if trouble is not None and trouble.name != "recording.torn":  # a session may be going on
        raise UnreadError(f"not to be read as a recording: {trouble.name}")
