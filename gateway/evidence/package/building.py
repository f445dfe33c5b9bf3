"""Puts a package together: what of the log is taken, the population that is fixed, the sample, and every file in order.

The policy's part (bundles, reports) is handed in by whoever may read policy; here is what the log alone gives.
"""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from gateway.core.ids import random_bytes
from gateway.evidence.files import FILE_MODE, put_file
from gateway.evidence.note import Signer, Verifier
from gateway.evidence.package.assembled import verify_py
from gateway.evidence.package.contents import custody, drawn_sessions, recording_parts, sample_parts
from gateway.evidence.package.manifest import Described, write_manifest
from gateway.evidence.package.population import Fixed, Period, Sample
from gateway.evidence.package.snapshot import Snapshot, Span, kept_checkpoints
from gateway.evidence.package.verifier.contents import ACCESSED
from gateway.evidence.package.verifier.drawn import FIXED, POPULATION, SAMPLE
from gateway.evidence.package.verifier.findings import mapping, text
from gateway.evidence.package.verifier.story import SLACK_NS, Leaf
from gateway.evidence.package.zipped import Content, PackageWriter, Step, write_in_order
from gateway.evidence.reader import open_epochs
from gateway.evidence.scrub import canonical

CUSTODY: Final = "custody.jsonl"
PAGE: Final = "VERIFY.md"


class Taken(NamedTuple):
    """What of the log belongs to a period, oldest epoch first."""

    data_dir: Path
    period: Period
    epochs: list[tuple[Snapshot, Span]]

    @property
    def newest(self) -> Snapshot:
        """The epoch that is written now."""
        return self.epochs[-1][0]

    def snapshot(self, epoch: int) -> Snapshot:
        """One of them."""
        return next(snapshot for snapshot, _ in self.epochs if snapshot.epoch == epoch)


def take(data_dir: Path, period: Period, verifier: Verifier | None = None) -> Taken:
    """What is signed now. A period that is not over ends behind the last signed leaf. Raises OSError, ValueError."""
    snapshots = _snapshots(data_dir, period, verifier)
    if not snapshots:
        raise ValueError("nothing is signed in this log yet")
    until = min(period.until_ns, max(snapshot.last_ns() for snapshot in snapshots) + 1)
    period = period._replace(until_ns=max(until, period.since_ns))
    spans = [snapshot.span(period.since_ns, period.until_ns, snapshot.tree.size) for snapshot in snapshots]
    return Taken(data_dir, period, list(zip(snapshots, spans, strict=True)))


def take_again(taken: Taken, verifier: Verifier | None = None) -> Taken:
    """The same period under the checkpoints of now: nothing is added to what was taken but proofs."""
    before = {snapshot.epoch: span for snapshot, span in taken.epochs}
    period = taken.period
    epochs = []
    for snapshot in _snapshots(taken.data_dir, period, verifier):
        span = before.get(snapshot.epoch) or snapshot.span(period.since_ns, period.until_ns, 0)
        epochs.append((snapshot, span._replace(high=snapshot.last_block(period.until_ns, span.end))))
    return Taken(taken.data_dir, period, epochs)


def _snapshots(data_dir: Path, period: Period, verifier: Verifier | None) -> list[Snapshot]:
    """Epochs back to the one that began before the period."""
    found: list[Snapshot] = []
    for reader in reversed(open_epochs(data_dir, verifier)):
        if not reader.checkpoint.size:
            continue
        found.append(Snapshot(reader))
        if reader.begin or found[-1].begins_ns() <= period.since_ns - SLACK_NS:
            break
    return found[::-1]


def fixing_leaf(before: Taken, now: Taken, fixed: Fixed) -> Leaf | None:
    """The leaf that says which population was fixed, once a checkpoint covers it."""
    start = before.newest.tree.size if before.newest.epoch == now.newest.epoch else 0
    for leaf in now.newest.leaves(start, now.newest.tree.size):
        named = text(mapping(leaf.facts().get("arguments")).get("population"))
        if leaf.kind == ACCESSED and named == f"sha256:{fixed.sha256}":
            return leaf
    return None


class Package(NamedTuple):
    """Everything that goes into one."""

    taken: Taken
    fixed: Fixed
    own: Leaf | None
    """the leaf that fixed the population"""
    sample: Sample
    page: bytes
    """VERIFY.md"""
    more: Mapping[str, Content]
    """policies, reports, results of other commands"""
    facts: Mapping[str, object]
    made_by: str
    earlier: Iterable[bytes] = ()
    """checkpoints that somebody kept"""
    step: Step | None = None
    """told how far the writing is"""


def build(package: Package, output: Path, signer: Signer) -> None:
    """Write the archive, readable by us only, then give it its name. Raises OSError, ValueError."""
    temporary = output.with_name(f".{output.name}.{random_bytes(6).hex()}")
    try:
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE), "wb"
        ) as file:
            writer = PackageWriter(file)
            write_in_order(writer, _parts(package), *([package.step] if package.step else []))
            described = Described(
                made_by=package.made_by,
                period=package.taken.period,
                fixed=package.fixed,
                taken=package.taken.epochs,
                facts=package.facts,
            )
            write_manifest(described, writer, signer)
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)


def _parts(package: Package) -> dict[str, Content]:
    taken, sample = package.taken, package.sample
    parts: dict[str, Content] = {
        CUSTODY: lambda: b"".join(custody(taken.epochs, package.own)),
        PAGE: lambda: package.page,
        POPULATION: lambda: package.fixed.path,
        SAMPLE: lambda: canonical(sample.document(package.fixed)),
        "verify.py": verify_py,
        **package.more,
    }
    own = package.own
    if own is not None:
        parts[FIXED] = lambda: taken.snapshot(own.epoch).proof(own.at)
    for number, (snapshot, span) in enumerate(taken.epochs):
        kept = [*kept_checkpoints(taken.data_dir, snapshot.epoch), *package.earlier]
        parts |= snapshot.parts(span, kept)
        if number:
            parts[f"{snapshot.folder}opened.tlog-proof"] = partial(snapshot.proof, 0)
    for did, (epoch, index) in sample.places.items():
        parts |= sample_parts(taken.snapshot(epoch), did, index)
    return parts | recording_parts(taken.data_dir, drawn_sessions(sample, taken.epochs))


def keep_checkpoint(taken: Taken) -> Path:
    """Keep the checkpoint of an export: the next one proves that the log went on from it. Raises OSError."""
    newest = taken.newest
    path = taken.data_dir / "exports" / str(newest.epoch) / f"{newest.tree.size}.checkpoint"
    put_file(path, newest.note, sync=True)
    return path
