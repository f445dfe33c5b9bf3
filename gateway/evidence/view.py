"""One epoch of the log as it stood at one moment, also while it is written: leaves by number, blocks of 256, times.

The write-ahead log is read before the checkpoint. Segments are removed only after a checkpoint covers them, so what the
first reading missed stands in tiles under the checkpoint that is read after it: no leaf falls between the two.
"""

import errno
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from gateway.evidence.leaf import Leaf, decode_leaf
from gateway.evidence.note import Verifier
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.tiles import WIDTH


class View:
    """The leaves from `begin` to `size`. Methods raise OSError and ValueError (NoteError, LeafError are)."""

    def __init__(self, reader: LogReader) -> None:
        tail = reader.wal_leaves()
        self.reader = reader
        self.signed = reader.checkpoint.size
        """leaves under the checkpoint"""
        self._tail = [tail[index] for index in _run(tail, self.signed)]
        self.size = self.signed + len(self._tail)
        """leaves in all, those not signed yet included"""
        self.begin = reader.begin
        """leaves whose content was pruned; they are passed over"""
        self.blocks = -(-self.size // WIDTH)
        """how many blocks: 256 leaves each, the last one perhaps fewer"""

    def block(self, number: int) -> list[bytes]:
        """The leaves from `number` * 256 on. IndexError when they were pruned."""
        if number * WIDTH < self.begin:
            raise IndexError("these leaves were pruned")
        first = number * WIDTH
        width = max(0, min(WIDTH, self.signed - first))
        leaves = self.reader.entries(number, width) if width else []
        start = first + width - self.signed
        return leaves + self._tail[start : start + WIDTH - width]

    def leaf(self, index: int) -> bytes:
        """One leaf. IndexError when there is none of that number, or it was pruned."""
        number, at = divmod(index, WIDTH)
        return self.block(number)[at]

    def block_at(self, time_ns: int) -> int:
        """The last block whose first leaf is not younger than that; the first that is here when all are younger."""
        low, high = self.begin // WIDTH, max(self.blocks - 1, 0)
        while low < high:
            middle = (low + high + 1) // 2
            if int(self._first(middle).t) <= time_ns:
                low = middle
            else:
                high = middle - 1
        return low

    def block_before(self, time_ns: int) -> int:
        """The block in front of the first that begins with a younger leaf; the first that is here when all are.

        Where the clock never went back it is `block_at`. Where it did, halving may lead past what this does not miss,
        for every block before it is looked at.
        """
        first = self.begin // WIDTH
        younger = (number for number in range(first, self.blocks) if int(self._first(number).t) > time_ns)
        return max(next(younger, self.blocks) - 1, first)

    def upwards(self, index: int) -> Iterator[tuple[int, bytes]]:
        """(number, leaf) from `index` on."""
        first, at = divmod(max(index, self.begin), WIDTH)
        for number in range(first, self.blocks):
            leaves = self.block(number)
            yield from enumerate(leaves[at:], number * WIDTH + at)
            at = 0

    def downwards(self, index: int) -> Iterator[tuple[int, bytes]]:
        """(number, leaf) from the one before `index` down to the first that is here."""
        for number in range((index - 1) // WIDTH, self.begin // WIDTH - 1, -1):
            first = number * WIDTH
            leaves = self.block(number)[: index - first]
            yield from zip(range(first + len(leaves) - 1, first - 1, -1), reversed(leaves), strict=True)

    def older_than(self, time_ns: int) -> int:
        """How many leaves from the front are older than that; `begin` when none is."""
        if not self.blocks or self.begin >= self.size:
            return self.begin
        number = self.block_at(time_ns - 1)
        older = sum(int(decode_leaf(leaf).t) < time_ns for leaf in self.block(number))
        return number * WIDTH + older

    def _first(self, number: int) -> Leaf:
        return decode_leaf(self.block(number)[0])


def open_views(data_dir: Path, verifier: Verifier | None = None) -> Iterator[View]:
    """Every epoch, the newest first, each read when it is asked for. FileNotFoundError when there is none."""
    readers = open_epochs(data_dir, verifier)
    if not readers:
        raise FileNotFoundError(errno.ENOENT, "no log here", str(data_dir / "log"))
    for reader in reversed(readers):
        yield View(reader)


def _run(tail: dict[int, bytes], start: int) -> Iterator[int]:
    for index in count(start):
        if index not in tail:
            return
        yield index
