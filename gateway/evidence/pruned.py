"""What a pruned log keeps of the leaves that went: a note of how many, and which leaf recorded it.

The note proves nothing; it says where to look. The leaf is signed like every other, says up to which leaf, why and by
whose word, and names a body that holds what a walk knew there, so that whoever verifies goes on from it.
"""

from pathlib import Path
from typing import Final

import msgspec

from gateway.evidence.files import put_file, read_file
from gateway.evidence.tiles import WIDTH
from gateway.evidence.walk import WalkState

MARK: Final = "pruned"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content."""

    size: int
    """leaves that may be missing, from the first on; a multiple of 256"""
    leaf: int
    """number of the leaf that says so"""
    epoch: int
    """in which epoch's log that leaf stands"""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The body named by a leaf `log.pruned`."""

    size: int
    walk: WalkState
    previous: tuple[int, str] | None = None
    """size and root of the epoch before, which the first leaf named"""


def read_mark(prefix: Path) -> Mark | None:
    """What is noted beside a log; None when nothing was pruned. Raises OSError, and ValueError for what is no note."""
    try:
        mark = msgspec.json.decode(read_file(prefix / MARK), type=Mark)
    except FileNotFoundError:
        return None
    if mark.size % WIDTH or mark.size <= 0:
        raise ValueError("not a note of what was pruned")
    return mark


def write_mark(prefix: Path, mark: Mark) -> None:
    """Note it. Raises OSError."""
    put_file(prefix / MARK, msgspec.json.encode(mark), sync=True)


def decode_kept(body: bytes) -> Kept:
    """Read the body. Raises msgspec.DecodeError, a ValueError."""
    return msgspec.json.decode(body, type=Kept)


def encode_kept(kept: Kept) -> bytes:
    """Write the body."""
    return msgspec.json.Encoder(order="sorted").encode(kept)
