"""What a verification remembers of a log, so that the next one reads only what is new: a small file of the verifier's.

It belongs to who verifies and lies with them, never in the data folder: whoever can change the log must not be able to
say what was verified of it. It names the tree that was derived, what the walk knew there, and the size, change time and
inode of every file that was read. Entries that were written since are held against their tile; a tile that was makes
the next run read everything again.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.evidence.files import make_folder, put_file
from gateway.evidence.seen import Sights
from gateway.evidence.tiles import WIDTH, Tile, bundle_path, tile_path
from gateway.evidence.walk import Finding, WalkState

VERSION: Final = 2
_MARK: Final = 8
_STRIDE: Final = 2 * _MARK
MAX_FINDINGS: Final = 10_000
"""more are not remembered: the log is read again"""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The part of one epoch that was verified: its first `size` leaves, a multiple of 256."""

    v: int = VERSION
    key: str
    """public key of the log, as notes write it"""
    size: int
    root: str
    since_ns: int
    """when it was last read from the start"""
    at_ns: int
    """when its last leaves were read"""
    levels: list[list[bytes]]
    """right edge of the tree"""
    walk: WalkState
    previous: tuple[int, str] | None
    """size and root of the epoch before, as the first leaf has it"""
    findings: list[Finding]
    files: bytes
    """what the file system says of each file: for each bundle eight bytes of a hash over its own, and over its tiles"""


class Memory:
    """A folder of such files, one a log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sights = Sights(folder)
        """the checkpoints that were seen last"""

    def recall(self, key: str) -> Verified | None:
        """What is remembered of the log with this public key; None when nothing whole is. Raises OSError."""
        try:
            raw = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        digest, _, document = raw.partition(b"\n")
        if hashlib.sha256(document).hexdigest().encode() != digest:
            return None
        try:
            found = msgspec.json.decode(document, type=Verified)
        except msgspec.DecodeError:
            return None
        return found if found.v == VERSION and found.key == key else None

    def keep(self, verified: Verified) -> None:
        """Remember. Raises OSError."""
        make_folder(self._folder)
        document = msgspec.json.encode(verified)
        digest = hashlib.sha256(document).hexdigest().encode()
        put_file(self._path(verified.key), digest + b"\n" + document, sync=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.verified"


class Files:
    """What the file system says of the files of a log's prefix, in the order they were written: two marks a bundle."""

    def __init__(self, prefix: Path) -> None:
        self._prefix = str(prefix)
        self._marks = bytearray()

    def upto(self, size: int) -> bytes:
        """The marks for the first `size` leaves, which may only grow from call to call. Raises OSError."""
        for number in range(len(self._marks) // _STRIDE, size // WIDTH):
            self._marks += self._mark([bundle_path(number)]) + self._mark(_tiles_of(number))
        return bytes(self._marks)

    def _mark(self, paths: Iterable[str]) -> bytes:
        return hashlib.sha256(b"".join(map(self._line, paths))).digest()[:_MARK]

    def _line(self, path: str) -> bytes:
        try:
            stat = os.stat(f"{self._prefix}/{path}")  # noqa: PTH116 -- thousands of them
        except FileNotFoundError:
            return b"-\n"
        return b"%d %d %d\n" % (stat.st_size, stat.st_ctime_ns, stat.st_ino)


class Written(NamedTuple):
    """What was written since, by the number of the bundle."""

    entries: tuple[int, ...]
    tiles: tuple[int, ...]


def written_since(before: bytes, now: bytes) -> Written:
    """Compare the marks of one part of a log at two times."""
    found = [
        (start // _STRIDE, part) for start in range(0, len(before), _STRIDE) for part in _differ(before, now, start)
    ]
    return Written(*(tuple(number for number, each in found if each == part) for part in (0, 1)))


def _differ(before: bytes, now: bytes, start: int) -> list[int]:
    if before[start : start + _STRIDE] == now[start : start + _STRIDE]:
        return []
    spans = [(start, start + _MARK), (start + _MARK, start + _STRIDE)]
    return [part for part, span in enumerate(spans) if before[slice(*span)] != now[slice(*span)]]


def _tiles_of(number: int) -> Iterator[str]:
    """The tiles that became final when this bundle was full."""
    level = 0
    while True:
        yield tile_path(Tile(level, number))
        number, rest = divmod(number, WIDTH)
        if rest != WIDTH - 1:
            return
        level += 1
