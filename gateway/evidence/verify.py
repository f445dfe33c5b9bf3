"""Derives a whole log again from what lies on disk and says, by name, everything that does not fit.

Entries give leaf hashes, leaf hashes give tiles and the root, the root must be the signed one; the write-ahead log must
say the same; every body must be there and have the hash it is named by; the leaves must tell a whole story (`walk`).
A good result proves that nothing was changed *since it was signed*. That nobody with our key wrote another history is
for independent witnesses to say.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.core.clock import Clock
from gateway.evidence.frames import MAGIC, Kind, read_frames
from gateway.evidence.head import Head, epochs_with_head, head_file
from gateway.evidence.leaf import LeafError, decode_leaf
from gateway.evidence.merkle import EMPTY_ROOT, leaf_hash
from gateway.evidence.note import Checkpoint, NoteError, Verifier
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.tiles import WIDTH, Edge, Tile, bundle_path, split_hashes, tile_path
from gateway.evidence.wal import first_leaf, segments
from gateway.evidence.walk import Finding, Walk

MAX_NAMED: Final = 16
"""leaves of one tile that are named one by one when they do not have its hashes"""
Progress = Callable[[int, int], None]
"""(leaves done, leaves in all), for each epoch from the start"""


class _Damage(NamedTuple):
    """A segment of the write-ahead log that cannot be read to its end."""

    segment: str
    lost: int
    """bytes"""
    reached: int
    """leaves before the damage"""


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


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification."""

    ok: bool
    epochs: tuple[EpochReport, ...]
    findings: tuple[Finding, ...]
    seconds: float
    leaves_per_second: int


def verify(
    data_dir: Path, clock: Clock, *, verifier: Verifier | None = None, progress: Progress | None = None
) -> Report:
    """Verify every epoch of a data folder's log. Raises FileNotFoundError when there is none."""
    started = clock.monotonic_ns()
    readers = open_epochs(data_dir, verifier)
    if not readers:
        raise FileNotFoundError(errno.ENOENT, "no log here", str(data_dir / "log"))
    findings = _missing_epochs(data_dir, {reader.epoch for reader in readers})
    epochs = []
    before: LogReader | None = None
    for reader in readers:
        check = _EpochCheck(reader, several=len(readers) > 1)
        epochs.append(check.run(progress))
        if before is not None:
            check.follows(before)
        findings.extend(check.findings)
        before = reader
    findings.append(
        Finding("witness.none", "the log", "no independent witness has cosigned its checkpoints", grave=False)
    )
    seconds = (clock.monotonic_ns() - started) / 1e9
    leaves = sum(epoch.size + epoch.tail for epoch in epochs)
    return Report(
        ok=not any(finding.grave for finding in findings),
        epochs=tuple(epochs),
        findings=tuple(findings),
        seconds=round(seconds, 3),
        leaves_per_second=round(leaves / seconds) if seconds else 0,
    )


def _missing_epochs(data_dir: Path, present: set[int]) -> list[Finding]:
    """Epochs that were signed, or that a later one must have followed, and are not there."""
    due = set(epochs_with_head(data_dir / "keys")) | set(range(1, max(present)))
    text = "its folder is missing"
    return [Finding("epoch.missing", f"epoch {number}", text) for number in sorted(due - present)]


class _EpochCheck:
    """One epoch, verified once.

    What is read in which order matters while the log is being written: first what the writer remembers having signed,
    then the write-ahead log, then the checkpoint. Each covers what moved on from the one before in the meantime.
    """

    def __init__(self, reader: LogReader, *, several: bool) -> None:
        self._reader = reader
        self._several = several
        self._found: list[Finding] = []
        self._walk = Walk("")
        self._edge = Edge()
        self._wal: dict[int, bytes] = {}
        self._damage: list[_Damage] = []
        self._signed = reader.signed_head()
        self._as_remembered = self._root_holds = True
        self._missing_bodies: list[tuple[str, int]] = []
        self._first: bytes = b""

    @property
    def findings(self) -> list[Finding]:
        """Everything found; where there are several epochs, each finding says of which."""
        found = [*self._found, *self._walk.findings]
        if not self._several:
            return found
        return [finding._replace(where=f"epoch {self._reader.epoch}, {finding.where}") for finding in found]

    def run(self, progress: Progress | None) -> EpochReport:
        """Go through everything."""
        self._read_wal()
        proved = self._checkpoint()
        checkpoint = proved or Checkpoint(self._origin(), 0, EMPTY_ROOT)
        self._walk = Walk(checkpoint.origin)
        self._entries(checkpoint, progress)
        self._root(checkpoint)
        tail = self._tail(checkpoint.size)
        if proved is not None:
            self._went_on(checkpoint.size + tail)
        self._remembered()
        self._walk.finish()
        self._damaged(checkpoint.size)
        self._bodies()
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
        )

    def follows(self, before: LogReader) -> None:
        """The first leaf of an epoch names the checkpoint its predecessor ended with."""
        head = before.last_head()
        try:
            named = decode_leaf(self._first).facts().get("previous")
        except LeafError:
            named = None
        if not isinstance(named, dict) or (named.get("size"), named.get("root")) != (head.size, head.root.hex()):
            self._find("epoch.unlinked", "leaf 0", "it does not name the last checkpoint of the epoch before")

    def _find(self, name: str, where: str, text: str, *, grave: bool = True) -> None:
        self._found.append(Finding(name, where, text, grave))

    def _origin(self) -> str:
        """The name the log should have; empty when there is no key to say so."""
        try:
            return self._reader.verifier.name
        except (OSError, ValueError):
            return ""

    def _checkpoint(self) -> Checkpoint | None:
        """The checkpoint if its signature is good; else a finding."""
        try:
            return self._reader.checkpoint
        except FileNotFoundError as error:
            name = "key.missing" if str(error.filename).endswith(".pub") else "checkpoint.missing"
            self._find(name, Path(error.filename).name, "it is not there, so nothing is proved")
        except NoteError as error:
            self._find("checkpoint.signature", "checkpoint", str(error))
        return None

    def _read_wal(self) -> None:
        """Every good frame, and where the good ones end."""
        for path in segments(self._reader.prefix / "wal"):
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # the writer has just removed it
                continue
            end, reached = 0, first_leaf(path)
            if data.startswith(MAGIC):
                for frame in read_frames(data):
                    end = frame.end
                    if frame.kind is Kind.LEAF:
                        self._wal[frame.number] = frame.payload
                        reached = frame.number + 1
            if end < len(data):
                self._damage.append(_Damage(path.name, len(data) - end, reached))

    def _damaged(self, size: int) -> None:
        """A torn tail is what a crash or a running writer leaves; grave when signed leaves stood behind it."""
        for segment, lost, reached in self._damage:
            text = f"{lost} bytes behind leaf {reached - 1} are torn or were changed"
            self._find("wal.damaged", segment, text, grave=reached < max(size, self._signed.size))

    def _entries(self, checkpoint: Checkpoint, progress: Progress | None) -> None:
        for number, width in self._reader.bundles() if checkpoint.size else []:
            first = number * WIDTH
            where = f"leaves {first} to {first + width - 1}"
            try:
                entries = self._reader.entries(number, width)
            except FileNotFoundError:
                self._find("entries.missing", where, f"{bundle_path(number, width)} is missing")
                return
            except ValueError as error:
                self._find("entries.unreadable", where, str(error))
                return
            for index, leaf in enumerate(entries, first):
                for tile, data in self._take(index, leaf):
                    self._tile(tile, data)
                if self._wal.get(index, leaf) != leaf:
                    self._find("wal.mismatch", f"leaf {index}", "the write-ahead log has another leaf here")
            self._new_bodies()
            if progress is not None:
                progress(first + width, checkpoint.size)

    def _take(self, index: int, leaf: bytes) -> list[tuple[Tile, bytes]]:
        """Follow one leaf; the tiles it fills."""
        if index == 0:
            self._first = leaf
        self._walk.leaf(index, leaf)
        full = self._edge.append(leaf_hash(leaf))
        if self._edge.size == self._signed.size:
            self._as_remembered = Head(self._edge.size, self._edge.root()) == self._signed
        return full

    def _tile(self, tile: Tile, data: bytes) -> None:
        try:
            stored = self._reader.tile(tile)
        except FileNotFoundError:
            self._find("tile.missing", tile_path(tile), "the file is missing")
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
        """Leaves behind the checkpoint."""
        index = size
        while self._edge.size == index and index in self._wal:
            self._take(index, self._wal[index])
            index += 1
        self._new_bodies()
        return index - size

    def _went_on(self, reached: int) -> None:
        """Compare with what the writer remembers having signed.

        A log that ends before that was put back from a copy, or cut. One that holds and is another was written anew,
        with the real key.
        """
        if not self._as_remembered and self._root_holds:
            self._find("log.rewritten", "checkpoint", f"another tree of {self._signed.size} leaves was signed before")
        if reached < self._signed.size:
            self._find("log.cut", "checkpoint", f"{self._signed.size} leaves were signed; only {reached} are here")

    def _remembered(self) -> None:
        """The writer's own memory of what it signed. A copy of the log may be without it, and it proves nothing."""
        trouble = self._reader.head_trouble()
        if trouble:
            text = "so nothing tells whether the log was put back from an older copy"
            self._find(f"head.{trouble}", head_file(Path(), self._reader.epoch).name, text, grave=False)

    def _new_bodies(self) -> None:
        """Bodies named since the last call: there, and with the hash they are named by."""
        for digest, index in self._walk.take_bodies():
            try:
                found = self._reader.body(digest)
            except (ValueError, OSError):
                self._find("body.changed", f"leaf {index}", f"the body {digest} does not have the hash it is named by")
                continue
            if found is None:
                self._missing_bodies.append((digest, index))

    def _bodies(self) -> None:
        """Only now is it known whose destruction was recorded."""
        for digest, index in self._missing_bodies:
            if digest not in self._walk.shredded:
                self._find("body.missing", f"leaf {index}", f"the body {digest} is not there")
