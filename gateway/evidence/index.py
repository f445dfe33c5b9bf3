"""The search index: a SQLite file that is derived from the log, can be derived again at any time, and proves nothing.

It says where to look. Whoever shows something reads the leaf it points at; an index that points wrong is thrown away.
One that is damaged, of another version or of another log is thrown away too, and said to have been.
"""

import fcntl
import hashlib
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from gateway.core.errors import ConfigError
from gateway.evidence.files import FILE_MODE, make_folder
from gateway.evidence.index_schema import APPLICATION, FULL_TEXT, LEAF_BITS, TABLES, VERSION

FOLDER: Final = "index"
FILE: Final = "search.sqlite"
LOCK: Final = "lock"
WAIT_SECONDS: Final = 60.0
_PASSING: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR")
_SIDE_FILES: Final = ("", "-wal", "-shm", "-journal")
_UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LEAVES: Final = (1 << LEAF_BITS) - 1

Damaged = sqlite3.DatabaseError
"""what reading an index that is no index raises"""


class Index:
    """One open index. Methods raise `Damaged`."""

    def __init__(self, path: Path) -> None:
        """Open one that is there. Raises ConfigError for a file that is none of ours to open, OSError, Damaged."""
        _check(path)
        self.database = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            self.database.execute("PRAGMA journal_mode = WAL")
            self.database.execute("PRAGMA synchronous = OFF")  # it can be derived again
            self.database.execute("PRAGMA secure_delete = ON")
            self.database.execute("PRAGMA cache_size = -65536")
            self.database.execute("PRAGMA temp_store = MEMORY")
            self.database.execute("PRAGMA trusted_schema = OFF")
            self.why_not = self._trouble()
            self.has_words = bool(self.one("SELECT count(*) FROM sqlite_schema WHERE name = 'word'"))
        except Damaged:
            self.close()
            raise

    def one(self, sql: str, *values: object) -> object:
        """The first column of the first row; None when there is none."""
        row = self.database.execute(sql, values).fetchone()
        return row[0] if row else None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All of it or nothing."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def _trouble(self) -> str:
        """Why it cannot be used; empty when it can."""
        if self.one("PRAGMA application_id") != APPLICATION:
            return "it is none"
        if self.one("PRAGMA user_version") != VERSION:
            return "it is of another version"
        return ""


def create(path: Path) -> None:
    """A new, empty index in place of what is there. Raises OSError, ConfigError."""
    make_folder(path.parent)
    _check(path)
    remove(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    os.close(descriptor)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.executescript(TABLES)
        with suppress(sqlite3.OperationalError):
            database.execute(FULL_TEXT)
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {VERSION}")
    finally:
        database.close()


def remove(path: Path) -> None:
    """Take an index away. Raises OSError."""
    for side in _SIDE_FILES:
        path.with_name(path.name + side).unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time builds. Raises OSError, ConfigError."""
    make_folder(folder)
    _check(folder / FILE)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def place_of(log: int, leaf: int) -> int:
    """A decision's number in the index."""
    return log << LEAF_BITS | leaf


def split_place(place: int) -> tuple[int, int]:
    """(number of the log, leaf)."""
    return place >> LEAF_BITS, place & _LEAVES


def key_of(did: str) -> bytes:
    """A decision's id, short: a UUID as its 16 bytes, anything else as its digest."""
    if _UUID.fullmatch(did):
        return bytes.fromhex(did.replace("-", ""))
    return hashlib.sha256(did.encode("utf-8", "replace")).digest()


def _check(path: Path) -> None:
    """Nothing is written through a link, nor into what has another name elsewhere. Raises ConfigError, OSError."""
    folder = path.parent
    if folder.is_symlink():
        raise ConfigError("config.invalid", f"{folder}: a link; the index is not written through one")
    for side in _SIDE_FILES:
        file = path.with_name(path.name + side)
        try:
            found = file.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise ConfigError("config.invalid", f"{file}: a link, or no file; the index is not written through one")


def trouble_of(damage: sqlite3.DatabaseError) -> str:
    """Why an index is of no use. Raises OSError when it may be well, but somebody has it or the disk is full."""
    if getattr(damage, "sqlite_errorname", "").startswith(_PASSING):
        raise OSError(None, f"the index cannot be read: {damage}") from damage
    return f"it is damaged ({damage})"
