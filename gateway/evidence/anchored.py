"""What time-stamps say of a log that is verified: how many leaves were there when, and whether they still are."""

from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509

from gateway.core.clock import moment
from gateway.core.errors import ConfigError
from gateway.evidence.anchor import MISSING, Stamp, TokenError, is_available, read_token
from gateway.evidence.anchors import Anchor, anchors_of
from gateway.evidence.merkle import range_root
from gateway.evidence.note import Checkpoint, NoteError, open_checkpoint
from gateway.evidence.reader import LogReader
from gateway.evidence.walk import Finding


class _Good(NamedTuple):
    """A time-stamp that holds."""

    stamp: Stamp
    checkpoint: Checkpoint


def anchor_findings(readers: Sequence[LogReader], roots: Sequence[x509.Certificate]) -> list[Finding]:
    """What there is to say of every epoch's time-stamps; nothing where there are none."""
    found: list[Finding] = []
    for reader in readers:
        try:
            anchors = list(anchors_of(reader.prefix)) if reader.verifier else []
        except (OSError, ValueError):
            continue
        if anchors:
            found += _epoch(reader, anchors, roots)
    return found


def _epoch(reader: LogReader, anchors: Sequence[Anchor], roots: Sequence[x509.Certificate]) -> list[Finding]:
    where = f"epoch {reader.epoch}"
    if not roots or not is_available():
        text = f"{len(anchors)} time-stamps were not verified: " + ("give --anchor-ca" if not roots else MISSING)
        return [Finding("anchor.unchecked", where, text, grave=False)]
    now = reader.again()
    findings: list[Finding] = []
    good: list[_Good] = []
    for anchor in anchors:
        result = _one(now, anchor, roots)
        if isinstance(result, Finding):
            findings.append(result)
        else:
            good.append(result)
    if good:
        last = max(good, key=lambda each: each.stamp.at_ns)
        times = f"{len(good)} time-stamps; the last, by {last.stamp.by} at {moment(last.stamp.at_ns)}"
        text = f"{times}, is over {last.checkpoint.size} leaves"
        findings.append(Finding("anchor.holds", where, text, grave=False))
    return findings


def _one(now: LogReader, anchor: Anchor, roots: Sequence[x509.Certificate]) -> _Good | Finding:
    """Verify one time-stamp, and that what it is over is a beginning of the log as it lies here."""
    where = f"epoch {now.epoch}, {anchor.name}"
    try:
        checkpoint = open_checkpoint(anchor.checkpoint, now.verifier)
        stamp = read_token(anchor.token, anchor.checkpoint, roots)
    except (NoteError, TokenError, ConfigError) as error:
        return Finding("anchor.token", where, str(error))
    try:
        if checkpoint.size > now.checkpoint.size:
            text = f"{checkpoint.size} leaves were stamped at {moment(stamp.at_ns)}; there are {now.checkpoint.size}"
            return Finding("anchor.ahead", where, text)
        root = range_root(now.node(), 0, checkpoint.size)
    except (OSError, ValueError):
        return Finding("anchor.unproved", where, "it cannot be compared with the log: tiles cannot be read")
    if root != checkpoint.root:
        text = f"another tree of {checkpoint.size} leaves was stamped at {moment(stamp.at_ns)}"
        return Finding("anchor.other_tree", where, text)
    return _Good(stamp, checkpoint)
