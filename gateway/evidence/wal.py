"""The write-ahead log: segments of frames, written in place, synced together; the only files a statement waits for.

A segment begins at a multiple of 256 leaves and with a START frame that holds all a reader must know of what came
before, so that opening the log costs the same however long it is. Frames not yet synced are kept in memory: after a
failed write or sync the kernel may have dropped its pages, so they are written again in their places first.
"""

import os
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from gateway.evidence.files import read_file, sync_folder
from gateway.evidence.frames import MAGIC, Frame, Kind, pack_frame, read_frames
from gateway.evidence.tiles import WIDTH

SEGMENT_LEAVES: Final = 16_384
SEGMENT_BYTES: Final = 32 << 20
SUFFIX: Final = ".wal"
_OWNER_ONLY: Final = 0o600
_NAME: Final = re.compile(r"[0-9]{20}\.wal")


def segments(folder: Path) -> list[Path]:
    """The segments of a log, oldest first. A file of another name is none."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(path.name))


def first_leaf(segment: Path) -> int:
    """Number of the first leaf of a segment."""
    return int(segment.name.removesuffix(SUFFIX))


def first_torn(path: Path) -> int:
    """Number of the first leaf of the segment whose torn tail lies in this file."""
    return int(path.stem.partition("-")[0])


def read_segment(segment: Path) -> tuple[bytes, Iterator[Frame]]:
    """The bytes of a segment, and its good frames; none when it does not begin as one."""
    data = read_file(segment)
    return data, read_frames(data) if data.startswith(MAGIC) else iter(())


class _Pending(NamedTuple):
    """Bytes written and not yet synced, with their place."""

    descriptor: int
    offset: int
    data: bytes


class SyncJob(NamedTuple):
    """One sync, to be run in a thread: everything written when it was made is durable when it returns."""

    frames: int
    descriptors: tuple[int, ...]
    folder: Path | None
    """set when a new segment's name must become durable too"""

    def run(self) -> None:
        """Raises OSError."""
        for descriptor in self.descriptors:
            os.fdatasync(descriptor)
        if self.folder is not None:
            sync_folder(self.folder)


class Wal:
    """The segment being written. Not for use by two threads at once, apart from `SyncJob.run`."""

    def __init__(self, folder: Path, start_payload: Callable[[], bytes]) -> None:
        self._folder = folder
        self._start_payload = start_payload
        self._descriptor = -1
        self._offset = 0
        self._first = 0
        self._pending: list[_Pending] = []
        self._open: list[int] = []
        self._new_name = False

    def resume(self, segment: Path, offset: int) -> None:
        """Go on behind `offset` of a segment; what stands there is cut off. Raises OSError."""
        self._descriptor = os.open(segment, os.O_RDWR | os.O_CLOEXEC)
        os.ftruncate(self._descriptor, offset)
        os.fsync(self._descriptor)
        self._open = [self._descriptor]
        self._offset, self._first = offset, first_leaf(segment)

    def write(self, number: int, frames: list[tuple[Kind, bytes]]) -> None:
        """Write the frames of leaf `number`. Raises OSError; then nothing of them counts as written."""
        if self._descriptor < 0 or self._is_full(number):
            self._begin_segment(number)
        self._put(b"".join(pack_frame(kind, number, payload) for kind, payload in frames))

    def _is_full(self, number: int) -> bool:
        long = number - self._first >= SEGMENT_LEAVES or self._offset >= SEGMENT_BYTES
        return long and number % WIDTH == 0 and number > self._first

    def _begin_segment(self, number: int) -> None:
        """Start a segment; the one before stays open until it is synced."""
        before = self._descriptor, self._offset, self._first
        path = self._folder / f"{number:020d}{SUFFIX}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _OWNER_ONLY)
        self._descriptor, self._offset, self._first = descriptor, 0, number
        try:
            self._put(MAGIC + pack_frame(Kind.START, number, self._start_payload()))
        except OSError:
            self._descriptor, self._offset, self._first = before
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        self._open.append(descriptor)
        self._new_name = True

    def _put(self, data: bytes) -> None:
        """Write at the end. The offset moves only when all is written, so half a frame is overwritten by the next."""
        try:
            _write_at(self._descriptor, data, self._offset)
        except OSError:
            self._cut()
            raise
        self._pending.append(_Pending(self._descriptor, self._offset, data))
        self._offset += len(data)

    def _cut(self) -> None:
        """Take half a frame away; when that fails too, its checksum still gives it away."""
        try:
            os.ftruncate(self._descriptor, self._offset)
        except OSError:
            return

    def begin_sync(self) -> SyncJob:
        """The sync that covers everything written until now."""
        return SyncJob(len(self._pending), tuple(self._open), self._folder if self._new_name else None)

    def end_sync(self, job: SyncJob) -> None:
        """Note that a sync returned without an error."""
        del self._pending[: job.frames]
        if job.folder is not None:
            self._new_name = False
        waiting = {pending.descriptor for pending in self._pending}
        for descriptor in [d for d in self._open if d != self._descriptor and d not in waiting]:
            self._open.remove(descriptor)
            os.close(descriptor)

    def rewrite(self) -> None:
        """Write everything that was not synced once more. Raises OSError while the disk is not well."""
        for descriptor, offset, data in self._pending:
            _write_at(descriptor, data, offset)
        self._cut()

    def drop_before(self, size: int) -> list[Path]:
        """Segments that are not needed once the leaves below `size` stand in tiles. The caller removes them."""
        kept = size - size % WIDTH
        paths = segments(self._folder)
        return [path for path, after in pairwise(paths) if first_leaf(after) <= kept]

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._open:
            os.close(descriptor)
        self._open.clear()
        self._descriptor = -1


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
