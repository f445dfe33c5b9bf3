"""Writes the archive: the same files give the same bytes, whatever machine, time or library wrote them.

Files are stored as they are, in the order of their names, on one fixed date, with one mode; `verifier/archive.py` has
the form of every header. Packing them would save space and make the bytes depend on a compressor: pack the whole.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from gateway.evidence.package.verifier.archive import ENVELOPE, FAR, MANIFEST, SAFE, directory_line, ending, header

_PIECE: Final = 1 << 20


class Stored(NamedTuple):
    """A file that was written."""

    size: int
    sha256: str


class PackageWriter:
    """The archive that is being written. Names come in order; methods raise OSError."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lines: list[bytes] = []
        self._offset = 0
        self._last = ""
        self.files: dict[str, Stored] = {}

    def add(self, name: str, content: bytes | Path) -> None:
        """Append a file: bytes, or another file that is too large for memory. Raises ValueError for a wrong name."""
        if SAFE.fullmatch(name) is None or (name <= self._last and name not in {MANIFEST, ENVELOPE}):
            raise ValueError(f"{name!r} cannot stand behind {self._last!r} in a package")
        crc, size, digest = 0, 0, hashlib.sha256()
        for piece in _pieces(content):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            digest.update(piece)
        if size >= FAR:
            raise ValueError(f"{name} is larger than a file of a package may be")
        before = header(name.encode(), size, crc)
        self._file.write(before)
        for piece in _pieces(content):
            self._file.write(piece)
        self._lines.append(directory_line(name.encode(), size, crc, self._offset))
        self._offset += len(before) + size
        self._last, self.files[name] = name, Stored(size, digest.hexdigest())

    def finish(self) -> None:
        """Write the directory."""
        directory = b"".join(self._lines)
        self._file.write(directory + ending(len(self._lines), len(directory), self._offset))


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield from iter(lambda: file.read(_PIECE), b"")


Content = Callable[[], bytes | Path]
"""makes a file's content when its turn comes: bytes, or another file that holds them"""


Step = Callable[[int, int], None]
"""told how many files are written, and how many there are"""


def _silent(_done: int, _total: int) -> None:
    """Say nothing of how far it is."""


def same(content: bytes | Path) -> bytes | Path:
    """For `partial`: content that is there already."""
    return content


def write_in_order(writer: PackageWriter, parts: Mapping[str, Content], step: Step = _silent) -> None:
    """Write parts by name, each made when its turn comes. Raises OSError and what they raise."""
    for number, name in enumerate(sorted(parts), 1):
        writer.add(name, parts[name]())
        step(number, len(parts))
