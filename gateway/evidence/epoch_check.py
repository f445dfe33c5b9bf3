"""One epoch of a log, verified once: from its first leaf on, or from where an earlier run or a pruning left off.

What is read in which order matters while the log is being written: first what the writer remembers having signed, then
the write-ahead log, then the checkpoint. Each covers what moved on from the one before in the meantime.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gateway.core.clock import moment
from gateway.evidence.anchors import missing
from gateway.evidence.beginning import Beginning, begin
from gateway.evidence.bodies import BodyCheck, State
from gateway.evidence.head import Head, head_file
from gateway.evidence.merkle import EMPTY_ROOT, leaf_hash
from gateway.evidence.note import Checkpoint, NoteError
from gateway.evidence.reader import LogReader
from gateway.evidence.tiles import WIDTH, Edge, Tile, bundle_path, split_hashes, tile_path
from gateway.evidence.verified import MAX_FINDINGS, Files, Verified, written_since
from gateway.evidence.wal_leaves import WalLeaves
from gateway.evidence.walk import Finding, Walk

MAX_NAMED: Final = 16
"""leaves of one tile that are named one by one when they do not have its hashes"""
Progress = Callable[[int, int], None]
"""(leaves done, leaves in all), for each epoch from the start"""


class EpochReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one epoch holds and proves."""

    epoch: int
    origin: str
    size: int
    """leaves under the checkpoint"""
    tail: int
    """leaves behind it, not signed yet"""
    root: str
    decisions: int
    sessions: int
    unknown_outcomes: int
    bodies: int
    """different bodies that this run has read"""
    taken: int = 0
    """leaves that an earlier run had verified and this one did not read again, nor their bodies"""
    pruned: int = 0
    """leaves that are gone, as a leaf says; their hashes are here"""
    recorded: int = 0
    """leaves that tell of recordings"""

    @property
    def read(self) -> int:
        """Leaves that this run has read."""
        return self.size + self.tail - self.taken - self.pruned


class EpochCheck:
    """Make it, ask `unchanged` when it is to go on from an earlier run, `run` it once, then ask the rest."""

    def __init__(self, reader: LogReader, bodies: BodyCheck, known: Verified | None, *, resume: bool) -> None:
        self._reader = reader
        self._bodies = bodies
        self._known = known
        self._resume = resume
        self._found: list[Finding] = []
        self._signed = reader.signed_head()
        self._wal = WalLeaves.read(reader.prefix / "wal")
        self._checkpoint = self._read_checkpoint()
        self._walk = Walk("")
        self._edge = Edge()
        self._beginning = Beginning(self._edge, None, None, 0, 0, ())
        self._files = Files(reader.prefix)
        self._others: list[tuple[str, str]] = []
        """(where it is known from, what is to be said) of trees that this log does not contain"""
        self._root_holds = True
        self._shredded: set[str] = set()
        """bodies whose destruction is recorded under the checkpoint: behind it anybody can write"""
        self._again = 0
        """leaves of the part taken whose files were written since, and that were read again"""
        self._kept: Verified | None = None

    @property
    def sound(self) -> bool:
        """Nothing grave was found."""
        return not any(finding.grave for finding in (*self._found, *self._walk.findings))

    def findings_of(self, *, several: bool) -> list[Finding]:
        """Everything found; where there are several epochs, each finding says of which."""
        found = [*self._found, *self._walk.findings]
        if not several:
            return found
        return [finding._replace(where=f"epoch {self._reader.epoch}, {finding.where}") for finding in found]

    def note(self, name: str, where: str, text: str) -> None:
        """Add something that an auditor should know."""
        self._find(name, where, text, grave=False)

    def unchanged(self) -> bool:
        """Whether the part that was verified before is the same still.

        No tile of it may have been written since. Entries may, when they were put back or moved: they are read again,
        and must have the hashes of their tile.
        """
        known, checkpoint = self._known, self._checkpoint
        if known is None or checkpoint is None or min(checkpoint.size, self._signed.size) < known.size:
            return False
        try:
            written = written_since(known.files, self._files.upto(known.size))
            return not written.tiles and all(map(self._has_its_hashes, written.entries))
        except (OSError, ValueError):
            return False

    def _has_its_hashes(self, number: int) -> bool:
        """Raises OSError, ValueError."""
        if number * WIDTH < self._reader.begin:
            return True  # pruned since; that it is recorded is seen later
        self._again += WIDTH
        hashes = b"".join(map(leaf_hash, self._reader.entries(number)))
        return hashes == self._reader.tile(Tile(0, number))

    def overtaken(self) -> bool:
        """Whether leaves were pruned while this ran: what it missed may be just that."""
        try:
            mark = self._reader.again().mark
        except (OSError, ValueError):
            return False
        return mark is not None and mark.size > self._beginning.pruned

    def run(self, progress: Progress | None) -> EpochReport:
        """Go through everything."""
        checkpoint = self._checkpoint or Checkpoint(self._origin(), 0, EMPTY_ROOT)
        self._begin(checkpoint)
        self._entries(checkpoint, progress)
        self._root(checkpoint)
        self._shredded = set(self._walk.shredded)
        tail = self._tail(checkpoint.size)
        if self._checkpoint is not None:
            self._went_on(checkpoint.size + tail)
        self._remembered()
        self._walk.finish()
        self._damaged(checkpoint.size)
        self._end_of_wal()
        self._bad_bodies()
        for where, there in missing(self._reader.prefix, self._walk.anchored):
            text = "not the time-stamp that was kept" if there else "a leaf says it was kept here; it is gone"
            self._find("anchor.changed" if there else "anchor.missing", where, text)
        return EpochReport(
            epoch=self._reader.epoch,
            origin=checkpoint.origin,
            size=checkpoint.size,
            tail=tail,
            root=checkpoint.root.hex(),
            decisions=self._walk.decisions,
            sessions=self._walk.sessions,
            unknown_outcomes=self._walk.unknown,
            bodies=self._walk.bodies,
            taken=self._beginning.taken,
            pruned=self._beginning.pruned,
            recorded=self._walk.recorded,
        )

    def verified(self, now_ns: int) -> Verified | None:
        """What the next run may go on from; None when there is too little or too much to remember."""
        if self._kept is None:
            return None
        since = self._known.since_ns if self._known and self._resume else now_ns
        return msgspec.structs.replace(self._kept, since_ns=since, at_ns=now_ns)

    def follows(self, before: LogReader) -> None:
        """The first leaf of an epoch names the checkpoint its predecessor ended with."""
        head = before.last_head()
        if self._previous != (head.size, head.root.hex()):
            self._find("epoch.unlinked", "leaf 0", "it does not name the last checkpoint of the epoch before")

    @property
    def _previous(self) -> tuple[int, str] | None:
        return self._walk.previous or self._beginning.previous

    def _find(self, name: str, where: str, text: str, *, grave: bool = True) -> None:
        self._found.append(Finding(name, where, text, grave))

    def _origin(self) -> str:
        """The name the log should have; empty when there is no key to say so."""
        try:
            return self._reader.verifier.name
        except (OSError, ValueError):
            return ""

    def _read_checkpoint(self) -> Checkpoint | None:
        """The checkpoint if its signature is good; else a finding."""
        try:
            return self._reader.checkpoint
        except OSError as error:
            name = "key.missing" if str(error.filename).endswith(".pub") else "checkpoint.missing"
            self._find(name, Path(str(error.filename)).name, "it is not there, so nothing is proved")
        except NoteError as error:
            self._find("checkpoint.signature", "checkpoint", str(error))
        return None

    def _begin(self, checkpoint: Checkpoint) -> None:
        known = self._known if self._resume else None
        self._beginning = beginning = begin(self._reader, self._checkpoint, known)
        self._found += beginning.found
        if self._again:
            text = "their files were written since they were verified; they have the hashes that were verified"
            self.note("verify.reread", f"{self._again} leaves", text)
        self._edge, self._walk = beginning.edge, Walk(checkpoint.origin, beginning.walk)
        for tile, data in beginning.tiles:
            self._tile(tile, data)
        self._heads()

    def _damaged(self, size: int) -> None:
        """A torn tail is what a crash or a running writer leaves; grave when signed leaves stood behind it."""
        for segment, lost, reached in self._wal.damage:
            text = f"{lost} bytes behind leaf {reached - 1} are torn or were changed"
            self._find("wal.damaged", segment, text, grave=reached < max(size, self._signed.size))

    def _entries(self, checkpoint: Checkpoint, progress: Progress | None) -> None:
        """Every leaf under the checkpoint. What the file system says of its files is asked before they are read."""
        if not checkpoint.size:
            return
        whole = checkpoint.size - checkpoint.size % WIDTH
        files = self._files.upto(whole)
        self._snapshot(whole, files)
        begin_at = self._edge.size
        for number, width in self._reader.bundles():
            first = number * WIDTH
            if first < begin_at:
                continue
            where = f"leaves {first} to {first + width - 1}"
            try:
                entries = self._reader.entries(number, width)
            except OSError:
                self._find("entries.missing", where, f"{bundle_path(number, width)} is missing, or cannot be read")
                return
            except ValueError as error:
                self._find("entries.unreadable", where, str(error))
                return
            for tile, data in self._take(first, entries):
                self._tile(tile, data)
            self._snapshot(whole, files)
            if progress is not None:
                progress(first + width, checkpoint.size)

    def _snapshot(self, whole: int, files: bytes) -> None:
        """Note what a later run may go on from, when the last full bundle is behind us."""
        if self._edge.size != whole or not whole or len(self._walk.findings) > MAX_FINDINGS or not self._checkpoint:
            return
        before = self._known.findings if self._known and self._resume else ()
        self._kept = Verified(
            key=self._reader.verifier.encode(),
            size=whole,
            root=self._edge.root().hex(),
            since_ns=0,
            at_ns=0,
            levels=[list(level) for level in self._edge.levels],
            walk=self._walk.state(),
            previous=self._previous,
            findings=[*before, *self._walk.findings],
            files=files,
        )

    def _take(self, first: int, entries: Sequence[bytes]) -> list[tuple[Tile, bytes]]:
        """Follow the leaves of one bundle, or of the tail; the tiles they fill."""
        walk, wal = self._walk.leaf, self._wal.leaves
        for index, leaf in enumerate(entries, first):
            walk(index, leaf)
            if wal and wal.get(index, leaf) != leaf:
                self._find("wal.mismatch", f"leaf {index}", "the write-ahead log has another leaf here")
        hashes = [leaf_hash(leaf) for leaf in entries]
        stops = sorted({size - first for size in self._known_sizes() if first < size < first + len(hashes)})
        full: list[tuple[Tile, bytes]] = []
        for start, stop in zip([0, *stops], [*stops, len(hashes)], strict=True):
            full += self._edge.extend(hashes[start:stop])
            self._heads()
        self._bodies.ask(self._walk.take_bodies())
        return full

    def _known_sizes(self) -> tuple[int, ...]:
        """Sizes at which the tree is known from elsewhere."""
        return (self._signed.size, self._known.size) if self._known else (self._signed.size,)

    def _heads(self) -> None:
        """Compare the tree at this size with what the writer signed and with what was verified before."""
        size = self._edge.size
        if size == self._signed.size and Head(size, self._edge.root()) != self._signed:
            self._others.append(("checkpoint", f"another tree of {size} leaves was signed before"))
        known = self._known
        if known is not None and size == known.size and self._edge.root().hex() != known.root:
            text = f"another tree of {size} leaves was verified at {moment(known.at_ns)}"
            self._others.append(("checkpoint", text))

    def _tile(self, tile: Tile, data: bytes) -> None:
        try:
            stored = self._reader.tile(tile)
        except OSError:
            self._find("tile.missing", tile_path(tile), "the file is missing, or cannot be read")
            return
        if stored != data:
            self._find("tile.mismatch", tile_path(tile), "it does not hold the hashes of its leaves")
            if tile.level == 0 and len(stored) == len(data):
                self._leaves_of(tile, stored, data)

    def _leaves_of(self, tile: Tile, stored: bytes, data: bytes) -> None:
        """Name the leaves that do not have the hashes their tile holds, when they are few."""
        pairs = zip(split_hashes(stored), split_hashes(data), strict=True)
        others = [number for number, (held, made) in enumerate(pairs, tile.number * WIDTH) if held != made]
        for number in others if len(others) <= MAX_NAMED else ():
            self._find("leaf.mismatch", f"leaf {number}", f"{tile_path(tile)} holds another hash for it")

    def _root(self, checkpoint: Checkpoint) -> None:
        if not checkpoint.size:
            return
        if self._edge.size != checkpoint.size:
            self._find("root.unproved", "checkpoint", f"only {self._edge.size} of {checkpoint.size} leaves can be read")
            return
        for tile, data in self._edge.partial_tiles():
            self._tile(tile, data)
        self._root_holds = self._edge.root() == checkpoint.root
        if not self._root_holds:
            self._find("root.mismatch", "checkpoint", "the leaves are not those that were signed")

    def _tail(self, size: int) -> int:
        """Leaves behind the checkpoint. Their tiles are not laid out yet."""
        index, leaves = size, list[bytes]()
        while self._edge.size == size and index in self._wal.leaves:
            leaves.append(self._wal.leaves[index])
            index += 1
        for start in range(0, len(leaves), WIDTH):
            self._take(size + start, leaves[start : start + WIDTH])
        return index - size

    def _went_on(self, reached: int) -> None:
        """Compare with what the writer remembers having signed, and with what an earlier run has seen.

        A log that ends before that was put back from a copy, or cut. One that holds and is another was written anew,
        with the real key.
        """
        for where, text in self._others if self._root_holds else ():
            self._find("log.rewritten", where, text)
        if reached < self._signed.size:
            self._find("log.cut", "checkpoint", f"{self._signed.size} leaves were signed; only {reached} are here")
        known = self._known
        if known is not None and reached < known.size:
            text = f"{known.size} leaves were verified at {moment(known.at_ns)}; only {reached} are here"
            self._find("log.cut", "checkpoint", text)

    def _remembered(self) -> None:
        """The writer's own memory of what it signed. A copy of the log may be without it, and it proves nothing."""
        trouble = self._reader.head_trouble()
        if trouble:
            text = "so nothing tells whether the log was put back from an older copy"
            name = head_file(Path(), self._reader.epoch).name
            self._find(f"head.{trouble}", name, text, grave=trouble == "spoilt")

    def _end_of_wal(self) -> None:
        """The segment that is written last reaches the last signed leaf, and is never removed.

        A copy of a log that was closed may be without it: nothing stood behind the checkpoint.
        """
        end, copied = max(self._wal.leaves, default=-1) + 1, self._walk.closed and not self._wal.there
        if end < self._signed.size and not self._wal.damage and not copied:
            text = f"{self._signed.size} leaves were signed, and it ends after {end}"
            self._find("wal.missing", "the write-ahead log", text)

    def _bad_bodies(self) -> None:
        """Only now is it known whose destruction was recorded. A young body may lie in the write-ahead log still."""
        for (digest, index), state in self._bodies.bad():
            try:
                found = self._reader.body(digest) if state is State.MISSING else None
            except (ValueError, OSError):
                found, state = None, State.CHANGED  # noqa: PLW2901 -- it was laid out in between
            if state is State.CHANGED:
                self._find("body.changed", f"leaf {index}", f"the body {digest} does not have the hash it is named by")
            elif found is None and digest not in self._shredded:
                self._find("body.missing", f"leaf {index}", f"the body {digest} is not there")
