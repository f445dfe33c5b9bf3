"""The last tree head that was signed, in a file of its own: what keeps us from ever signing a smaller or another tree.

Two slots of one block each, written in turn in place, so that one sync makes a head durable and a torn write spoils
only the older one. It lies beside the keys, not beside the log: whoever puts an older log back does not put this back.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

import google_crc32c

from gateway.evidence.files import FILE_MODE, read_file, sync_folder
from gateway.evidence.merkle import EMPTY_ROOT

_SLOT: Final = 512


class Head(NamedTuple):
    """A tree: how many leaves, and its root."""

    size: int
    root: bytes


EMPTY: Final = Head(0, EMPTY_ROOT)


class HeadError(ValueError):
    """Signing this head would take back what was signed before."""


class SignedHead:
    """The file of the last signed head."""

    def __init__(self, path: Path) -> None:
        """Open or make it. Raises OSError."""
        new = not path.exists()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        if new:
            os.ftruncate(self._descriptor, 2 * _SLOT)
            os.fsync(self._descriptor)
            sync_folder(path.parent)
        slots = _read_slots(os.pread(self._descriptor, 2 * _SLOT, 0))
        self.last = max(slots)
        self._next = 1 - slots.index(self.last)

    def advance(self, head: Head) -> None:
        """Note durably that `head` is about to be signed. Raises HeadError, OSError."""
        if head.size < self.last.size or (head.size == self.last.size and head.root != self.last.root):
            raise HeadError(f"a tree of {self.last.size} leaves was signed; this one has {head.size}")
        if head == self.last:
            return
        os.pwrite(self._descriptor, _slot(head), self._next * _SLOT)
        os.fdatasync(self._descriptor)
        self.last = head
        self._next = 1 - self._next

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_head(path: Path) -> Head:
    """The last signed head, for readers; the empty tree when there is none. Raises OSError."""
    try:
        return max(_read_slots(read_file(path, 2 * _SLOT)))
    except FileNotFoundError:
        return EMPTY


def trouble_of(path: Path) -> str:
    """`missing`; `damaged`, when one slot holds something that is no head, as a power cut may leave it; or `spoilt`.

    No crash spoils both slots, or the length of the file. Raises OSError.
    """
    try:
        data = read_file(path, 2 * _SLOT)
    except FileNotFoundError:
        return "missing"
    if len(data) != 2 * _SLOT:
        return "spoilt"
    used = [slot for slot in (data[:_SLOT], data[_SLOT:]) if slot.strip(b"\0")]
    bad = [slot for slot in used if _read_slot(slot) == EMPTY]
    if not bad:
        return ""
    return "damaged" if len(bad) < 2 else "spoilt"  # noqa: PLR2004 -- slots


def head_file(keys: Path, epoch: int) -> Path:
    """Where the last signed head of an epoch lies."""
    return keys / f"log-{epoch}.head"


def epochs_with_head(keys: Path) -> list[int]:
    """Numbers of the epochs of which something was signed, oldest first."""
    numbers = [path.name.removeprefix("log-").removesuffix(".head") for path in keys.glob("log-*.head")]
    return sorted(
        int(number) for number in numbers if number.isdecimal() and read_head(head_file(keys, int(number))).size
    )


def _slot(head: Head) -> bytes:
    line = f"{head.size} {head.root.hex()}"
    return f"{line} {google_crc32c.value(line.encode()):08x}\n".encode().ljust(_SLOT, b"\n")


def _read_slots(data: bytes) -> list[Head]:
    """The heads of the two slots; a torn one counts as the empty tree."""
    return [_read_slot(data[start : start + _SLOT]) for start in (0, _SLOT)]


def _read_slot(slot: bytes) -> Head:
    try:
        size, root, _ = slot.decode("ascii").split(" ", 2)
        head = Head(int(size), bytes.fromhex(root))
    except ValueError:
        return EMPTY
    return head if slot == _slot(head) else EMPTY
