"""Logs of a PostgreSQL server as they lie on disk: plain or compressed, of any format, in the order of their times."""

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Final, cast

from gateway.core.errors import ConfigError
from gateway.evidence.reconcile_formats import Found, reader_of
from gateway.evidence.reconcile_prefix import NEEDED, Prefix
from gateway.evidence.reconcile_record import LogFormatError, Record, Times, Unread

STDIN: Final = Path("-")
CHUNK: Final = 1 << 20
_TORN: Final = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
_CSV_COMMAS: Final = 20


@dataclass(frozen=True, slots=True)
class Form:
    """How the logs are written. `name` empty: each file is looked at."""

    name: str
    prefix: str
    zone: str
    database: str

    @property
    def carries_names(self) -> bool:
        """Each record has the application_name."""
        return self.name in {"json", "csv"} or not self.prefix or "%a" in self.prefix


def read_logs(paths: Iterable[Path], form: Form, tell: Callable[[int, int], None]) -> Iterator[Found]:
    """Records of all files, the file with the oldest first. `tell` hears bytes done and in all. Raises ConfigError."""
    paths = list(paths)
    sizes = {path: 0 if path == STDIN else path.stat().st_size for path in paths}
    done, total = 0, sum(sizes.values())
    for path in sorted(paths, key=lambda path: _begins(path, form)):
        with _open(path) as stream:
            for found in _records(path, stream, form):
                yield found
                tell(done + _position(stream, sizes[path]), total)
        done += sizes[path]


def _records(path: Path, stream: IO[bytes], form: Form) -> Iterator[Found]:
    torn: list[Unread] = []
    chunks = _chunks(stream, CHUNK, torn)
    first = next(chunks, b"")
    try:
        read = _reader(first, form)
    except LogFormatError as error:
        raise ConfigError("config.invalid", f"{path}: {error}") from None
    readable = False
    for found in read(chain([first], chunks)):
        if not readable and isinstance(found, Record):
            readable = True
        yield found
    yield from torn
    if first.strip() and not readable:
        raise ConfigError("config.invalid", f"{path}: no line is one of a server's log of this form; see --prefix")


def _reader(first: bytes, form: Form) -> Callable[[Iterable[bytes]], Iterator[Found]]:
    name = form.name or _guessed(first)
    prefix = None
    if name == "stderr":
        if not form.prefix:
            raise LogFormatError("lines begin with log_line_prefix, which --prefix has to say (SHOW log_line_prefix)")
        prefix = Prefix(form.prefix, form.database)
        lacking = [NEEDED[field] for field in ("database", "user") if field not in prefix.fields]
        if lacking:
            said = " and ".join(f"%{letter} ({what})" for letter, what in lacking)
            raise LogFormatError(f"log_line_prefix needs {said}")
    return reader_of(name, Times(form.zone), prefix)


def _guessed(first: bytes) -> str:
    line = first.split(b"\n", 1)[0]
    if line.startswith(b"{"):
        return "json"
    return "csv" if line[:2].isdigit() and line.count(b",") >= _CSV_COMMAS else "stderr"


def _begins(path: Path, form: Form) -> int:
    """The time of a file's first record; one without any goes first."""
    if path == STDIN:
        return 1 << 62
    with _open(path) as stream:
        first = next(_chunks(stream, 1 << 16, []), b"")
    try:
        found = (record for record in _reader(first, form)([first]) if isinstance(record, Record))
        record = next(found, None)
    except LogFormatError as error:
        raise ConfigError("config.invalid", f"{path}: {error}") from None
    return record.time_ns if record else 0


def _open(path: Path) -> IO[bytes]:
    if path == STDIN:
        return sys.stdin.buffer
    with path.open("rb") as plain:
        magic = plain.read(6)
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if magic.startswith(b"BZh"):
        return bz2.open(path, "rb")
    return lzma.open(path, "rb") if magic == b"\xfd7zXZ\0" else path.open("rb")


def _chunks(stream: IO[bytes], size: int, torn: list[Unread]) -> Iterator[bytes]:
    """Everything that can be read; a compressed file that is cut off counts as a piece that could not be."""
    read = getattr(stream, "read1", stream.read)
    try:
        while data := read(size):
            yield data
    except _TORN:
        torn.append(Unread(0))


def _position(stream: IO[bytes], size: int) -> int:
    """How far a file has been read, in bytes on disk."""
    try:
        raw = getattr(stream, "fileobj", None) or getattr(stream, "_fp", None) or stream
        return min(int(raw.tell()), size)
    except (OSError, ValueError, AttributeError):
        return 0
