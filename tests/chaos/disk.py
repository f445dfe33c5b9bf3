"""A disk under the gateway that fails when told to: full, read-only, broken, slow, hanging. Works for root as well."""

import errno
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class FaultyDisk:
    """Stands between the gateway of this process and its data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.write_error = 0
        self.open_error = 0
        self.sync_error = 0
        self.sync_seconds = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self.refused = 0
        self._pwrite, self._fdatasync, self._fsync, self._open = os.pwrite, os.fdatasync, os.fsync, os.open

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """From now on until the test ends."""
        patch.setattr(os, "pwrite", self.pwrite)
        patch.setattr(os, "fdatasync", self.fdatasync)
        patch.setattr(os, "fsync", self.fsync)
        patch.setattr(os, "open", self.open)

    def mend(self) -> None:
        """Well again."""
        self.write_error = self.open_error = self.sync_error = 0
        self.sync_seconds = 0.0
        self.gate.set()

    def _fail(self, number: int) -> None:
        if number:
            self.refused += 1
            raise OSError(number, os.strerror(number))

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        self._fail(self.write_error)
        return self._pwrite(descriptor, data, offset)

    def fdatasync(self, descriptor: int) -> None:
        self._before_sync()
        self._fdatasync(descriptor)

    def fsync(self, descriptor: int) -> None:
        self._before_sync()
        self._fsync(descriptor)

    def _before_sync(self) -> None:
        if not self.gate.is_set():
            self.refused += 1
            self.gate.wait(20)
        if self.sync_seconds:
            time.sleep(self.sync_seconds)
        self._fail(self.sync_error)

    def open(self, path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & _WRITES and str(path).startswith(self.folder):
            self._fail(self.open_error)
        return self._open(path, flags, mode, dir_fd=dir_fd)


def full(disk: FaultyDisk) -> None:
    disk.write_error = errno.ENOSPC


def read_only(disk: FaultyDisk) -> None:
    disk.write_error = disk.open_error = errno.EROFS


def broken(disk: FaultyDisk) -> None:
    disk.sync_error = errno.EIO


def hanging(disk: FaultyDisk) -> None:
    disk.gate.clear()


FAULTS: Mapping[str, Callable[[FaultyDisk], None]] = {
    "full": full,
    "read-only": read_only,
    "broken": broken,
    "hanging": hanging,
}
