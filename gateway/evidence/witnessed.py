"""What witnesses say of a log that is verified: who cosigned how much of it and when, and whether it is still the same.

A cosigned tree must be a beginning of the log as it is now. One that is not, or is longer, was shown to the witness by
whoever holds the log's key, and it is not the history that lies here.
"""

from collections.abc import Sequence

import msgspec

from gateway.core.clock import moment
from gateway.evidence.cosign import Cosigned, WitnessKey, open_cosigned
from gateway.evidence.cosigned import cosigned_notes
from gateway.evidence.merkle import range_root
from gateway.evidence.note import NoteError
from gateway.evidence.reader import LogReader
from gateway.evidence.walk import Finding

_NS = 1_000_000_000


class WitnessReport(msgspec.Struct, frozen=True, kw_only=True):
    """How far one witness has seen one epoch."""

    name: str
    epoch: int
    size: int
    """leaves of the last tree it cosigned"""
    at: str
    """when, in nanoseconds since 1970"""
    age_seconds: int


class Witnessed:
    """Goes through the cosigned checkpoints of each epoch."""

    def __init__(self, keys: Sequence[WitnessKey], now_ns: int) -> None:
        self.findings: list[Finding] = []
        self.reports: list[WitnessReport] = []
        self._keys = keys
        self._now_ns = now_ns
        self._unknown = 0

    def whole(self, readers: Sequence[LogReader]) -> "Witnessed":
        """Take in every epoch, and say it."""
        for reader in readers:
            self._epoch(reader)
        self._finish()
        return self

    def _epoch(self, reader: LogReader) -> None:
        """Take in one epoch; without its key nothing can be said, which others say."""
        latest: dict[str, WitnessReport] = {}
        try:
            notes = list(cosigned_notes(reader.prefix)) if reader.verifier else []
        except (OSError, ValueError):
            return
        for name, note in notes:
            where = f"epoch {reader.epoch}, {name}"
            try:
                found = open_cosigned(note, reader.verifier, self._keys)
            except NoteError as error:
                if name != "checkpoint" or "cosignature" in str(error):
                    self.findings.append(Finding("witness.signature", where, str(error)))
                continue
            self._unknown += found.others
            if found.by and self._holds(reader, found, where):
                for report in self._reports(reader.epoch, found):
                    before = latest.get(report.name)
                    latest[report.name] = max(report, before or report, key=lambda each: each.size)
        self.reports += latest.values()

    def _finish(self) -> None:
        """Say who has cosigned, or that nobody has."""
        for report in self.reports:
            text = f"{report.name} cosigned {report.size} leaves at {moment(int(report.at))}, {_age(report)} ago"
            self.findings.append(Finding("witness.cosigned", f"epoch {report.epoch}", text, grave=False))
        for key in self._keys:
            if key.name not in {report.name for report in self.reports}:
                text = "it has cosigned nothing that lies here"
                self.findings.append(Finding("witness.silent", key.name, text, grave=False))
        if self._unknown:
            text = f"{self._unknown} cosignatures are of keys that were not given"
            self.findings.append(Finding("witness.unknown", "the log", text, grave=False))
        if not self.reports:
            text = "no independent witness has cosigned its checkpoints"
            self.findings.append(Finding("witness.none", "the log", text, grave=False))

    def _reports(self, epoch: int, found: Cosigned) -> list[WitnessReport]:
        return [
            WitnessReport(
                name=each.witness,
                epoch=epoch,
                size=found.checkpoint.size,
                at=str(each.at * _NS),
                age_seconds=max(0, self._now_ns // _NS - each.at),
            )
            for each in found.by
        ]

    def _holds(self, reader: LogReader, found: Cosigned, where: str) -> bool:
        """Whether the cosigned tree is a beginning of the one that lies here now."""
        size, names = found.checkpoint.size, ", ".join(each.witness for each in found.by)
        now = reader.again()  # it may have grown since it was read
        try:
            if size > now.checkpoint.size:
                text = f"{names} cosigned {size} leaves, and the checkpoint has only {now.checkpoint.size}"
                self.findings.append(Finding("witness.ahead", where, text))
                return False
            root = range_root(now.node(), 0, size)
        except (OSError, ValueError):
            text = f"{names} cosigned {size} leaves, with which the log cannot be compared: tiles cannot be read"
            self.findings.append(Finding("witness.unproved", where, text))
            return False
        if root != found.checkpoint.root:
            text = f"{names} cosigned another tree of {size} leaves: the history that lies here was written anew"
            self.findings.append(Finding("witness.other_tree", where, text))
        return root == found.checkpoint.root


def _age(report: WitnessReport) -> str:
    """For people."""
    seconds = report.age_seconds
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
