"""The leaves that a verifier finds in the write-ahead log, and where its segments cannot be read on."""

from pathlib import Path
from typing import NamedTuple

from gateway.evidence.files import read_file
from gateway.evidence.frames import MAGIC, Kind, read_frames
from gateway.evidence.wal import first_leaf, segments


class Damage(NamedTuple):
    """A segment that cannot be read to its end."""

    segment: str
    lost: int
    """bytes"""
    reached: int
    """leaves before the damage"""


class WalLeaves(NamedTuple):
    """Everything that could be read."""

    leaves: dict[int, bytes]
    """number → leaf"""
    damage: tuple[Damage, ...]

    there: bool
    """there is a segment at all"""

    @classmethod
    def read(cls, folder: Path) -> "WalLeaves":
        """Every good frame, and where the good ones end. Raises OSError."""
        leaves: dict[int, bytes] = {}
        damage, there = [], False
        for path in segments(folder):
            try:
                data = read_file(path)
            except FileNotFoundError:  # the writer has just removed it
                continue
            there = True
            end, reached = _read(data, first_leaf(path), leaves)
            if end < len(data):
                damage.append(Damage(path.name, len(data) - end, reached))
        return cls(leaves, tuple(damage), there)


def _read(data: bytes, first: int, leaves: dict[int, bytes]) -> tuple[int, int]:
    """Take in a segment's frames as long as they stand in order: a START, then each leaf behind its bodies.

    The offset behind the last good one, and the number of the leaf that was due there.
    """
    end, due = 0, first
    for frame in read_frames(data) if data.startswith(MAGIC) else ():
        if frame.number != due or (frame.kind is Kind.START) != (end == 0):
            break
        end = frame.end
        if frame.kind is Kind.LEAF:
            leaves[due] = frame.payload
            due += 1
    return end, due
