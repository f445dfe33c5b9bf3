"""Derives a whole log again from what lies on disk and says, by name, everything that does not fit.

Entries give leaf hashes, leaf hashes give tiles and the root, the root must be the signed one; the write-ahead log must
say the same; every body must be there and have the hash it is named by; the leaves must tell a whole story (`walk`).
A good result proves that nothing was changed *since it was signed*. That nobody with our key wrote another history is
for independent witnesses to say.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.core.clock import Clock
from gateway.evidence.frames import MAGIC, Kind, read_frames
from gateway.evidence.merkle import leaf_hash
from gateway.evidence.note import Checkpoint, NoteError, Verifier
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.tiles import WIDTH, Edge, Tile, tile_path
from gateway.evidence.wal import segments
from gateway.evidence.walk import Finding, Walk

Progress = Callable[[int, int], None]
"""(leaves done, leaves in all)"""


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
        raise FileNotFoundError(2, "no log here", str(data_dir / "log"))
    findings: list[Finding] = []
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


class _EpochCheck:
    """One epoch, verified once."""

    def __init__(self, reader: LogReader, *, several: bool) -> None:
        self._reader = reader
        self._several = several
        self._found: list[Finding] = []
        self._walk = Walk("")
        self._edge = Edge()
        self._wal: dict[int, bytes] = {}
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
        checkpoint = self._checkpoint()
        self._walk = Walk(checkpoint.origin)
        self._read_wal(checkpoint.size)
        self._entries(checkpoint, progress)
        self._root(checkpoint)
        tail = self._tail(checkpoint.size)
        self._walk.finish()
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
            bodies=len(self._walk.bodies),
        )

    def follows(self, before: LogReader) -> None:
        """The first leaf of an epoch names the checkpoint its predecessor ended with."""
        head = before.signed_head()
        if (
            f'"root":"{head.root.hex()}"'.encode() not in self._first
            or f'"size":{head.size}'.encode() not in self._first
        ):
            self._find("epoch.unlinked", "leaf 0", "it does not name the last checkpoint of the epoch before")

    def _find(self, name: str, where: str, text: str, *, grave: bool = True) -> None:
        self._found.append(Finding(name, where, text, grave))

    def _checkpoint(self) -> Checkpoint:
        """The checkpoint if its signature is good; else the empty one, and a finding."""
        try:
            checkpoint = self._reader.checkpoint
        except FileNotFoundError as error:
            self._find("checkpoint.missing", Path(error.filename).name, "it cannot be read, so nothing is proved")
        except NoteError as error:
            self._find("checkpoint.signature", "checkpoint", str(error))
        else:
            signed = self._reader.signed_head()
            if checkpoint.size < signed.size:
                self._find("log.cut", "checkpoint", f"{signed.size} leaves were signed; it has {checkpoint.size}")
            elif checkpoint.size == signed.size and checkpoint.root != signed.root:
                self._find("log.rewritten", "checkpoint", f"another tree of {signed.size} leaves was signed before")
            return checkpoint
        return Checkpoint("", 0, b"")

    def _read_wal(self, size: int) -> None:
        """Every good frame; a bad one is grave when leaves under the checkpoint stand behind it."""
        for path in segments(self._reader.prefix / "wal"):
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # the writer has just removed it
                continue
            end = 0
            if data.startswith(MAGIC):
                for frame in read_frames(data):
                    end = frame.end
                    if frame.kind is Kind.LEAF:
                        self._wal[frame.number] = frame.payload
            if end < len(data):
                reached = max(self._wal, default=-1) + 1
                text = f"{len(data) - end} bytes behind leaf {reached - 1} are torn or were changed"
                self._find("wal.damaged", path.name, text, grave=reached < size)

    def _entries(self, checkpoint: Checkpoint, progress: Progress | None) -> None:
        for number, width in self._reader.bundles() if checkpoint.size else []:
            first = number * WIDTH
            try:
                entries = self._reader.entries(number, width)
            except FileNotFoundError as error:
                self._find("entries.missing", f"leaves {first} to {first + width - 1}", f"{error.filename} is missing")
                return
            except ValueError as error:
                self._find("entries.unreadable", f"leaves {first} to {first + width - 1}", str(error))
                return
            for index, leaf in enumerate(entries, first):
                if index == 0:
                    self._first = leaf
                self._walk.leaf(index, leaf)
                for tile, data in self._edge.append(leaf_hash(leaf)):
                    self._tile(tile, data)
                if self._wal.get(index, leaf) != leaf:
                    self._find("wal.mismatch", f"leaf {index}", "the write-ahead log has another leaf here")
            if progress is not None:
                progress(first + width, checkpoint.size)

    def _tile(self, tile: Tile, data: bytes) -> None:
        try:
            stored = self._reader.tile(tile)
        except FileNotFoundError:
            self._find("tile.missing", tile_path(tile), "the file is missing")
            return
        if stored != data:
            self._find("tile.mismatch", tile_path(tile), "it does not hold the hashes of its leaves")

    def _root(self, checkpoint: Checkpoint) -> None:
        if not checkpoint.size:
            return
        if self._edge.size != checkpoint.size:
            self._find("root.unproved", "checkpoint", f"only {self._edge.size} of {checkpoint.size} leaves can be read")
            return
        for tile, data in self._edge.partial_tiles():
            self._tile(tile, data)
        if self._edge.root() != checkpoint.root:
            self._find("root.mismatch", "checkpoint", "the leaves are not those that were signed")

    def _tail(self, size: int) -> int:
        """Leaves behind the checkpoint."""
        index = size
        while index in self._wal:
            self._walk.leaf(index, self._wal[index])
            index += 1
        return index - size

    def _bodies(self) -> None:
        for digest, index in self._walk.bodies.items():
            try:
                found = self._reader.body(digest)
            except (ValueError, OSError):
                self._find("body.changed", f"leaf {index}", f"the body {digest} does not have the hash it is named by")
                continue
            if found is None and digest not in self._walk.shredded:
                self._find("body.missing", f"leaf {index}", f"the body {digest} is not there")
