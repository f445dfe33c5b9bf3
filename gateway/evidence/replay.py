"""What a start finds: the write-ahead log read again up to its torn tail, and whether it goes on from what was signed.

A log that does not contain the last signed tree (it was put back from a copy, cut, or changed) is not gone on with: it
stays as it is, readable, and a new epoch with a new key begins, whose first leaf names the old checkpoint.
"""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.evidence.files import put_file, read_file
from gateway.evidence.frames import Frame, Kind
from gateway.evidence.head import EMPTY, Head
from gateway.evidence.ledger import Ledger, mark_of
from gateway.evidence.tree import Tree, decode_start
from gateway.evidence.wal import first_leaf, read_segment, segments


class BrokenLog(Exception):
    """The log does not contain what was signed. The text says why."""


class Replay(NamedTuple):
    """The state of a log at a start."""

    tree: Tree
    ledger: Ledger
    segment: Path | None
    """the segment to go on with; None for a new log"""
    offset: int
    cuts: tuple[tuple[Path, int], ...]
    """segments that go on behind the last good leaf, and where; 0 for those that are no use at all"""

    @property
    def torn(self) -> int:
        """Bytes that stand behind the last good leaf."""
        return sum(path.stat().st_size - offset for path, offset in self.cuts)


def replay(folder: Path, head: Head) -> Replay:
    """Read the segments in `folder`, changing nothing. BrokenLog when they do not lead to `head`; OSError."""
    reader = _Reader(head)
    cuts: list[tuple[Path, int]] = []
    for path in segments(folder):
        good = 0 if cuts else reader.read(path)
        if good < path.stat().st_size:
            cuts.append((path, good))
    if not reader.reached:
        raise BrokenLog(f"{head.size} leaves were signed; the log has {reader.tree.size} good ones, or others")
    return Replay(reader.tree, reader.ledger, reader.segment, reader.offset, tuple(cuts))


def cut(cuts: tuple[tuple[Path, int], ...]) -> None:
    """Cut segments off, keeping what is cut in a file beside each: it may say what happened. Raises OSError."""
    for path, offset in cuts:
        put_file(path.with_name(f"{path.stem}-{offset}.torn"), read_file(path)[offset:], sync=True)
        if offset:
            os.truncate(path, offset)
        else:
            path.unlink()


class _Reader:
    """Goes through segments in order, for as long as they are whole."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._begun = False
        self.tree = Tree()
        self.ledger = Ledger()
        self.segment: Path | None = None
        self.offset = 0
        self.reached = head == EMPTY

    def read(self, path: Path) -> int:
        """Take in one segment; the offset behind its last good leaf."""
        _, frames = read_segment(path)
        start = next(frames, None)
        if start is None or not self._begin(start, first_leaf(path)):
            return 0
        self.segment, self.offset = path, start.end
        bodies: list[bytes] = []
        for frame in frames:
            if frame.kind is Kind.BODY:
                bodies.append(frame.payload)
            elif not self._leaf(frame, bodies):
                break
            else:
                bodies = []
                self.offset = frame.end
        return self.offset

    def _begin(self, frame: Frame, number: int) -> bool:
        """Whether a segment that starts so may follow what was read."""
        if frame.kind is not Kind.START or (self._begun and number != self.tree.size):
            return False
        try:
            start = decode_start(frame.payload)
        except ValueError:
            return False
        if start.size != number:
            return False
        if not self._begun:
            self._begun = True
            self.tree, self.ledger = Tree(start.levels), Ledger(start.open)
            self._compare()
        return True

    def _leaf(self, frame: Frame, bodies: list[bytes]) -> bool:
        if frame.kind is not Kind.LEAF or frame.number != self.tree.size:
            return False
        try:
            mark = mark_of(frame.payload)
        except msgspec.DecodeError:
            return False
        self.tree.add(frame.payload, bodies)
        self.ledger.follow(mark)
        self._compare()
        return True

    def _compare(self) -> None:
        if self.tree.size == self._head.size:
            self.reached = self.tree.head() == self._head
