"""Files that are never seen half written, folders only we can read."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from gateway.core.ids import random_bytes

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
LONGEST: Final = 256 << 20
"""bytes of a file that are read at once; no file of ours is longer that is read so"""


def make_folder(path: Path) -> None:
    """The folder and those above it that are missing, readable by us only."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        sync_folder(folder.parent)


def put_file(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write a file by way of a temporary one; a reader sees the old content, the new, or none. Raises OSError.

    Without `sync` a crash of the machine may leave it empty: only for what can be derived again.
    """
    temporary = path.with_name(f".{path.name}.{random_bytes(6).hex()}")
    try:
        descriptor = _create(temporary, path.parent)
        try:
            _write_all(descriptor, data)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if sync:
        sync_folder(path.parent)


def open_file(path: str | Path) -> BinaryIO:
    """Open a file to be read.

    Whoever can write a folder can put a pipe where a file should be, and whoever reads it would wait for ever. What is
    no regular file is not there: FileNotFoundError. Raises OSError.
    """
    return os.fdopen(_readable(path)[0], "rb")


def read_file(path: str | Path, longest: int = LONGEST) -> bytes:
    """What is in a file, or its first `longest` bytes and one more. Raises OSError, as `open_file` does."""
    descriptor, size = _readable(path)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return file.readall() if size <= longest else file.read(longest + 1)


def create_file(path: Path, data: bytes) -> None:
    """A new file, durable, readable by us only. Raises FileExistsError when it is there already."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        _write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _readable(path: str | Path) -> tuple[int, int]:
    """Descriptor and size of a regular file. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode):
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, "not a file, but a folder, a pipe or a device", str(path))
    return descriptor, info.st_size


def _create(path: Path, folder: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, FILE_MODE)
    except FileNotFoundError:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        return os.open(path, flags, FILE_MODE)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
