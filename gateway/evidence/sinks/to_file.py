"""A file of one event a line, which only we can read. It is synced before the cursor moves.

When it is full it is renamed and another one begun. A line that a crash tore is cut off before the next is written: its
event comes again.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gateway.evidence.files import FILE_MODE, make_folder, sync_folder
from gateway.evidence.sinks.answers import Answer, Later, Taken
from gateway.evidence.sinks.aside import aside
from gateway.evidence.sinks.outgoing import Outgoing

_TAIL: Final = 1 << 20


class FileReceiver:
    """Appends to `path`; a full file is renamed to `<stem>-<epoch>-<first leaf after it><suffix>`, never removed."""

    def __init__(self, path: Path, rotate: int) -> None:
        self._path = path
        self._rotate = rotate
        """bytes"""

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        """Write and sync, in a thread: a disk may be slow."""
        try:
            await aside(self._append, events)
        except OSError as error:
            return Later(f"file.{type(error).__name__}.{error.errno}")
        return Taken()

    async def probe(self) -> Answer:
        """Whether the file could be written."""
        folder = next(each for each in self._path.parents if each.exists())
        target = self._path if self._path.exists() else folder
        return Taken() if os.access(target, os.W_OK) else Later("file.not_writable")

    async def close(self) -> None:
        """Nothing is kept open."""

    def _append(self, events: Sequence[Outgoing]) -> None:
        make_folder(self._path.parent)
        data = b"".join(event.payload + b"\n" for event in events)
        with os.fdopen(self._open(), "rb+", buffering=0) as file:
            size = _cut_torn_line(file.fileno())
            full = size > 0 and size + len(data) > self._rotate
            if not full:
                _write(file.fileno(), data)
        if full:
            self._path.rename(self._full_name(events[0]))
            with os.fdopen(self._open(os.O_EXCL), "rb+", buffering=0) as file:
                _write(file.fileno(), data)
        if full or not size:
            sync_folder(self._path.parent)

    def _open(self, more: int = 0) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._path, flags | more, FILE_MODE)

    def _full_name(self, event: Outgoing) -> Path:
        """A name that no file has: the same leaf may come first again after a crash."""
        stem = f"{self._path.stem}-{event.position.epoch}-{event.position.number:012d}"
        name, count = self._path.with_name(f"{stem}{self._path.suffix}"), 1
        while name.exists():
            name, count = self._path.with_name(f"{stem}-{count}{self._path.suffix}"), count + 1
        return name


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


def _cut_torn_line(descriptor: int) -> int:
    """End the file behind its last whole line; its size then."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    if not size or tail.endswith(b"\n"):
        return size
    size -= len(tail) - (tail.rfind(b"\n") + 1)
    os.ftruncate(descriptor, size)
    return size
