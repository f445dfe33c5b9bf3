"""Reads a log as it lies on disk, also while it is being written: checkpoint, tiles, entries, bodies, and the tail.

The tail is what stands in the write-ahead log behind the last checkpoint: binding for the gateway, not yet signed.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from gateway.evidence.files import read_file
from gateway.evidence.frames import Frame, Kind
from gateway.evidence.head import Head, head_file, read_head, trouble_of
from gateway.evidence.keys import load_verifier, public_key
from gateway.evidence.merkle import Node, range_root
from gateway.evidence.note import MAX_NOTE, Checkpoint, Verifier, open_checkpoint
from gateway.evidence.objects import Objects
from gateway.evidence.pruned import Mark, read_mark
from gateway.evidence.tiles import WIDTH, Tile, bundle_path, nodes_of, split_entries, tile_path
from gateway.evidence.wal import read_segment, segments

EPOCH: Final = re.compile("[1-9][0-9]{0,8}")
"""the name of an epoch's folder"""


ARCHIVED: Final = "archived"
"""the note of where older entries lie"""
_LONGEST_PATH: Final = 4096


class LogReader:
    """One epoch of the log in a data folder. Methods raise OSError and ValueError (NoteError is one)."""

    def __init__(self, data_dir: Path, epoch: int, verifier: Verifier | None = None) -> None:
        self.epoch = epoch
        self._data_dir = data_dir
        self.prefix = data_dir / "log" / str(epoch)
        self._keys = data_dir / "keys"
        self._objects = Objects(data_dir / "objects")
        self._given = verifier

    @cached_property
    def verifier(self) -> Verifier:
        """The key that was given, else the public key that lies beside the log."""
        return self._given or load_verifier(public_key(self._keys, self.epoch))

    @cached_property
    def note(self) -> bytes:
        """The checkpoint's bytes as they were when first asked for."""
        return read_file(self.prefix / "checkpoint", MAX_NOTE)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The verified checkpoint."""
        return open_checkpoint(self.note, self.verifier)

    @cached_property
    def mark(self) -> Mark | None:
        """How many leaves were pruned, and where that is recorded; None when all are here."""
        return read_mark(self.prefix)

    @property
    def begin(self) -> int:
        """Number of the first leaf whose content is here, a multiple of 256; a note that is none counts as nothing."""
        try:
            return self.mark.size if self.mark else 0
        except ValueError:
            return 0

    def again(self) -> "LogReader":
        """The same epoch as it is now."""
        return LogReader(self._data_dir, self.epoch, self._given)

    def sibling(self, epoch: int) -> "LogReader":
        """Another epoch of the same log."""
        return LogReader(self._data_dir, epoch)

    def root_of(self, size: int) -> bytes:
        """Root of the tree's first `size` leaves, by its tiles."""
        return range_root(self.node(), 0, size)

    def signed_head(self) -> Head:
        """What the writer remembers having signed."""
        return read_head(head_file(self._keys, self.epoch))

    def head_trouble(self) -> str:
        """`missing`, `damaged` or `spoilt`, when the file of the last signed head is; empty when it is well."""
        return trouble_of(head_file(self._keys, self.epoch))

    def last_head(self) -> Head:
        """The larger of what the writer remembers and of a good checkpoint: what the next epoch must name."""
        try:
            return max(self.signed_head(), Head(self.checkpoint.size, self.checkpoint.root))
        except (OSError, ValueError):
            return self.signed_head()

    def tile(self, tile: Tile) -> bytes:
        """A tile's bytes; a partial one that is gone is read from the full one that took its place."""
        return self._partial_or_full(tile_path(tile), tile_path(Tile(tile.level, tile.number)))[: tile.width * 32]

    def node(self) -> Node:
        """Nodes of the checkpointed tree, read from tiles."""
        return nodes_of(self.checkpoint.size, self.tile)

    def entries(self, number: int, width: int = WIDTH) -> list[bytes]:
        """The leaves of one bundle."""
        entries = split_entries(self._bundle(bundle_path(number, width), bundle_path(number)))
        if len(entries) < width:
            raise ValueError(f"{bundle_path(number, width)} has {len(entries)} entries")
        return entries[:width]

    def bundles(self) -> list[tuple[int, int]]:
        """(number, width) of every bundle under the checkpoint that was not pruned."""
        full, rest = divmod(self.checkpoint.size, WIDTH)
        first = self.begin // WIDTH
        return [(number, WIDTH) for number in range(first, full)] + ([(full, rest)] if rest else [])

    def frames(self) -> Iterator[Frame]:
        """Every good frame of the segments that are kept."""
        for path in segments(self.prefix / "wal"):
            try:
                yield from read_segment(path)[1]
            except FileNotFoundError:  # the writer has just removed it: its leaves stand in tiles
                continue

    def wal_leaves(self) -> dict[int, bytes]:
        """Index → leaf, for the leaves that are still in the write-ahead log."""
        return {frame.number: frame.payload for frame in self.frames() if frame.kind is Kind.LEAF}

    def body(self, digest: str) -> bytes | None:
        """A body by its hex digest, whole; None when it is nowhere. Raises ValueError when it was changed."""
        found = self._objects.read(digest)
        if found is None:
            found = self._tail_bodies.get(digest)
        return self._objects.read(digest) if found is None else found  # it may have been laid out in between

    @cached_property
    def _tail_bodies(self) -> dict[str, bytes]:
        """Bodies that are not laid out yet."""
        bodies = (frame.payload for frame in self.frames() if frame.kind is Kind.BODY)
        return {hashlib.sha256(body).hexdigest(): body for body in bodies}

    def _bundle(self, partial: str, full: str) -> bytes:
        """Here, or where older ones were moved."""
        try:
            return self._partial_or_full(partial, full)
        except FileNotFoundError:
            if self.archive is None:
                raise
            return read_file(self.archive / full)

    @cached_property
    def archive(self) -> Path | None:
        """The folder to which older entries were moved; None when all are here."""
        try:
            return Path(os.fsdecode(read_file(self.prefix / ARCHIVED, _LONGEST_PATH)).rstrip("\n"))
        except FileNotFoundError:
            return None

    def _partial_or_full(self, partial: str, full: str) -> bytes:
        try:
            return read_file(self.prefix / partial)
        except FileNotFoundError:
            if partial == full:
                raise
            return read_file(self.prefix / full)


def open_epochs(data_dir: Path, verifier: Verifier | None = None) -> list[LogReader]:
    """Every epoch, oldest first. `verifier` is a key for the last one, for who does not trust the key beside it."""
    numbers = sorted(int(path.name) for path in (data_dir / "log").glob("*") if EPOCH.fullmatch(path.name))
    return [LogReader(data_dir, number, verifier if number == numbers[-1] else None) for number in numbers]
