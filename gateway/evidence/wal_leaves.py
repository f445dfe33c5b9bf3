"""The leaves that a verifier finds in the write-ahead log, and where its segments cannot be read on."""

from pathlib import Path
from typing import NamedTuple

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

    @classmethod
    def read(cls, folder: Path) -> "WalLeaves":
        """Every good frame, and where the good ones end. Raises OSError."""
        leaves: dict[int, bytes] = {}
        damage = []
        for path in segments(folder):
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # the writer has just removed it
                continue
            end, reached = 0, first_leaf(path)
            if data.startswith(MAGIC):
                for frame in read_frames(data):
                    end = frame.end
                    if frame.kind is Kind.LEAF:
                        leaves[frame.number] = frame.payload
                        reached = frame.number + 1
            if end < len(data):
                damage.append(Damage(path.name, len(data) - end, reached))
        return cls(leaves, tuple(damage))
