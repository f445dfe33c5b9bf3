"""Derives a whole log again from what lies on disk and says, by name, everything that does not fit.

Entries give leaf hashes, leaf hashes give tiles and the root, the root must be the signed one; the write-ahead log must
say the same; every body must be there and have the hash it is named by; the leaves must tell a whole story (`walk`).
A good result proves that nothing was changed *since it was signed*. That nobody with our key wrote another history is
for independent witnesses to say.
"""

import errno
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.x509 import Certificate

from gateway.core.clock import Clock
from gateway.evidence.anchored import anchor_findings
from gateway.evidence.bodies import BodyCheck
from gateway.evidence.cosign import WitnessKey
from gateway.evidence.epoch_check import EpochCheck, EpochReport, Progress
from gateway.evidence.head import epochs_with_head
from gateway.evidence.note import Verifier
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.recording.check import Checked
from gateway.evidence.recording.check import check as check_recordings
from gateway.evidence.recording.places import FOLDER
from gateway.evidence.root_log import root_findings
from gateway.evidence.seen import Sight, Sights, gone_back
from gateway.evidence.verified import Memory, Verified
from gateway.evidence.walk import Finding
from gateway.evidence.witnessed import Witnessed, WitnessReport

__all__ = ["EpochReport", "Finding", "Options", "Report", "verify"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification."""

    ok: bool
    epochs: tuple[EpochReport, ...]
    findings: tuple[Finding, ...]
    seconds: float
    leaves_per_second: int
    """of those that were read"""
    witnesses: tuple[WitnessReport, ...] = ()
    """who has cosigned how much; of those whose keys are known"""
    recordings: int = 0
    """that were compared with their leaves"""


class Options(NamedTuple):
    """How to verify."""

    memory: Memory | None = None
    """what was verified before; None remembers nothing and reads everything"""
    full: bool = False
    """read everything, whatever was verified before"""
    workers: int = 0
    """other processes that read bodies meanwhile"""
    witnesses: tuple[WitnessKey, ...] = ()
    """whose cosignatures count"""
    anchor_roots: tuple[Certificate, ...] = ()
    """whose time-stamps are believed"""
    replicas: tuple[Path, ...] = ()
    """data folders of the logs whose checkpoints a root log holds"""


def verify(
    data_dir: Path,
    clock: Clock,
    *,
    verifier: Verifier | None = None,
    progress: Progress | None = None,
    options: Options = Options(),  # noqa: B008 -- frozen
) -> Report:
    """Verify every epoch of a data folder's log. Raises FileNotFoundError when there is none."""
    started = clock.monotonic_ns()
    readers = open_epochs(data_dir, verifier)
    if not readers:
        raise FileNotFoundError(errno.ENOENT, "no log here", str(data_dir / "log"))
    findings = _missing_epochs(data_dir, {reader.epoch for reader in readers})
    epochs = []
    before: LogReader | None = None
    with BodyCheck(data_dir / "objects", options.workers) as bodies:
        for reader in readers:
            check, epoch = _check(reader, bodies, clock, options, progress)
            epochs.append(epoch)
            if before is not None:
                check.follows(before)
            findings.extend(check.findings_of(several=len(readers) > 1))
            if check.sound and options.memory is not None:
                findings.extend(_seen(reader.again(), options.memory.sights, clock, readers[-1].epoch))
            before = reader
    witnessed = Witnessed(options.witnesses, clock.now_ns()).whole(readers)
    recorded = _recordings(data_dir, verifier, epochs)
    stamped, over = anchor_findings(readers, options.anchor_roots), root_findings(readers, options.replicas)
    findings.extend([*witnessed.findings, *stamped, *over, *recorded.findings])
    seconds = (clock.monotonic_ns() - started) / 1e9
    return Report(
        ok=not any(finding.grave for finding in findings),
        epochs=tuple(epochs),
        findings=tuple(findings),
        seconds=round(seconds, 3),
        leaves_per_second=round(sum(epoch.read for epoch in epochs) / seconds) if seconds else 0,
        witnesses=tuple(witnessed.reports),
        recordings=recorded.recordings,
    )


def _recordings(data_dir: Path, verifier: Verifier | None, epochs: list[EpochReport]) -> Checked:
    """Compare them with the log, which is read once more for it: not where neither tells of any."""
    if not any(epoch.recorded for epoch in epochs) and not (data_dir / FOLDER).exists():
        return Checked((), 0, 0, 0)
    return check_recordings(data_dir, verifier)


def _check(
    reader: LogReader, bodies: BodyCheck, clock: Clock, options: Options, progress: Progress | None
) -> tuple[EpochCheck, EpochReport]:
    """Go on from what was verified before; read everything when that does not fit any more."""
    known = _recall(reader, options.memory)
    check = EpochCheck(reader, bodies, known, resume=known is not None and not options.full)
    if known is not None and not options.full:
        if check.unchanged():
            report = check.run(progress)
            if check.sound:
                _keep(check, clock, options.memory)
                return check, report
        check = EpochCheck(reader.again(), bodies, known, resume=False)
        check.note("verify.restarted", "what was verified before", "it does not fit any more: everything is read again")
    report = check.run(progress)
    if not check.sound and check.overtaken():
        check = EpochCheck(reader.again(), bodies, known, resume=False)
        report = check.run(progress)
    if check.sound:
        _keep(check, clock, options.memory)
    return check, report


def _recall(reader: LogReader, memory: Memory | None) -> Verified | None:
    if memory is None:
        return None
    try:
        return memory.recall(reader.verifier.encode())
    except (OSError, ValueError):
        return None


def _keep(check: EpochCheck, clock: Clock, memory: Memory | None) -> None:
    """Remember it for the next time. A folder that cannot be written costs only the time."""
    if memory is None or (verified := check.verified(clock.now_ns())) is None:
        return
    try:
        memory.keep(verified)
    except OSError as error:
        text = f"the next run reads everything again: {error.strerror}"
        check.note("memory.unwritable", "what was verified", text)


def _seen(reader: LogReader, sights: Sights, clock: Clock, newest: int) -> list[Finding]:
    """Hold the log against what was seen of it last; when it goes on from there, remember what is seen now."""
    try:
        key, checkpoint = reader.verifier.encode(), reader.checkpoint
        sight = sights.recall(key)
        found = list(gone_back(reader, sight, newest)) if sight else []
        if not found:
            seen = Sight(key=key, size=checkpoint.size, root=checkpoint.root.hex(), at_ns=clock.now_ns(), newest=newest)
            sights.keep(seen)
    except (OSError, ValueError):  # nothing is signed yet, or nothing can be kept, which has been said
        return []
    return found


def _missing_epochs(data_dir: Path, present: set[int]) -> list[Finding]:
    """Epochs that were signed, or that a later one must have followed, and are not there."""
    due = set(epochs_with_head(data_dir / "keys")) | set(range(1, max(present)))
    text = "its folder is missing"
    return [Finding("epoch.missing", f"epoch {number}", text) for number in sorted(due - present)]
