"""Reads the log behind its writer: only leaves under a signed checkpoint, so that an id never names two events.

What stands in the write-ahead log and is not signed yet could be lost with the machine's power, and its number be given
to another leaf. A checkpoint is signed each second (`evidence.checkpoint_interval`): so far a sink is always behind.
"""

from pathlib import Path
from typing import NamedTuple

from gateway.evidence.note import open_checkpoint
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.sinks.outgoing import Position
from gateway.evidence.tiles import WIDTH


class Run(NamedTuple):
    """Leaves of one epoch, one behind the other."""

    origin: str
    epoch: int
    first: int
    leaves: list[bytes]
    missing: int = 0
    """leaves before `first` that are not there any more"""
    full: bool = False
    """a limit ended it: there may be more to be had at once"""


class _Epoch(NamedTuple):
    note: bytes
    size: int
    origin: str


class Follower:
    """The signed part of a data folder's log. Methods raise OSError and ValueError when it cannot be read."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._known: dict[int, _Epoch] = {}
        self._readers: dict[int, LogReader] = {}

    def look(self) -> None:
        """See how far the log is now."""
        readers = {reader.epoch: reader for reader in open_epochs(self._data_dir)}
        for epoch, reader in readers.items():
            known = self._known.get(epoch)
            try:
                note = reader.note
            except FileNotFoundError:  # nothing of it was signed yet
                self._known[epoch] = _Epoch(b"", 0, reader.verifier.name)
                continue
            if known is None or known.note != note:
                checkpoint = open_checkpoint(note, reader.verifier)
                self._known[epoch] = _Epoch(note, checkpoint.size, checkpoint.origin)
        self._known = {epoch: known for epoch, known in sorted(self._known.items()) if epoch in readers}
        self._readers = readers

    def end(self) -> Position:
        """The place behind the last signed leaf."""
        if not self._known:
            return Position(1, 0)
        epoch = max(self._known)
        return Position(epoch, self._known[epoch].size)

    def pending(self, position: Position) -> int:
        """How many signed leaves there are from a place on."""
        return sum(
            max(0, known.size - (position.number if epoch == position.epoch else 0))
            for epoch, known in self._known.items()
            if epoch >= position.epoch
        )

    def settle(self, position: Position) -> Position:
        """The same place, or the beginning of the next epoch when this one has no leaf there."""
        for epoch, known in self._known.items():
            if epoch > position.epoch:
                position = Position(epoch, 0)
            if epoch == position.epoch and position.number < known.size:
                return position
        return position

    def read(self, position: Position, most: int, most_bytes: int) -> Run | None:
        """Leaves from a place on; None when there are none yet. The last one may go beyond the bytes."""
        position = self.settle(position)
        known = self._known.get(position.epoch)
        if known is None or position.number >= known.size:
            return None
        first = self._there(position, known.size)
        if first >= known.size:  # all that was left of it is gone
            return Run(known.origin, position.epoch, first, [], first - position.number, full=True)
        leaves: list[bytes] = []
        taken, index = 0, first
        while index < known.size:
            for leaf in self._block(position.epoch, index, known.size):
                leaves.append(leaf)
                taken += len(leaf)
                if len(leaves) >= most or taken >= most_bytes:
                    return Run(known.origin, position.epoch, first, leaves, first - position.number, full=True)
            index = first + len(leaves)
        return Run(known.origin, position.epoch, first, leaves, first - position.number)

    def body(self, epoch: int, digest: str) -> bytes | None:
        """A body that a leaf names."""
        reader = self._readers.get(epoch)
        return reader.body(digest) if reader else None

    def _block(self, epoch: int, index: int, size: int) -> list[bytes]:
        """Leaves from a number on to the end of its bundle."""
        number, at = divmod(index, WIDTH)
        width = min(WIDTH, size - number * WIDTH)
        return self._readers[epoch].entries(number, width)[at:]

    def _there(self, position: Position, size: int) -> int:
        """The number, or the first behind it whose bundle was not removed (retention)."""
        index = max(position.number, self._readers[position.epoch].begin)
        while index < size:
            try:
                self._block(position.epoch, index, size)
            except FileNotFoundError:
                if (index // WIDTH + 1) * WIDTH >= size:
                    raise
                index = (index // WIDTH + 1) * WIDTH
            else:
                break
        return index
