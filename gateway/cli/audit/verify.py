"""`querywarden audit verify`: derives the whole log again and names everything that does not fit."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from gateway.cli.audit.desk import FINE, SAYS_NO, ConfigOption, DataOption, JsonOption, KeyOption, data_folder, trusted
from gateway.cli.audit.progress import Bar
from gateway.cli.audit.prove import check_proof
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import printable, rows
from gateway.core.clock import SystemClock
from gateway.evidence.verified import Memory
from gateway.evidence.verify import EpochReport, Options, Report
from gateway.evidence.verify import verify as derive

SHOWN: Final = 100
"""findings of a kind that are written out"""


def verify(  # noqa: PLR0913 -- what can be given on the command line
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    proof: Annotated[Path | None, Parameter(name="--proof")] = None,
    full: Annotated[bool, Parameter(name="--full", negative="")] = False,
    state: Annotated[Path | None, Parameter(name="--state")] = None,
    as_json: JsonOption = False,
) -> int:
    """Derive the whole log again. Exits 1 when it does not prove what it should, naming each thing that does not fit.

    A gateway may go on writing it meanwhile. Needs nothing but the data folder; trusts nothing but the key. What an
    earlier run has verified is not read again when no file of it was written since; the report says so.

    Parameters
    ----------
    config
        The configuration file, which names the data folder. Default: gateway.yaml.
    data
        The data folder itself.
    key
        The log's public key, kept elsewhere. Without it the one beside the log is believed.
    proof
        Verify this one file of `audit prove` instead. With --key it needs no log.
    full
        Read everything again, whatever an earlier run has verified.
    state
        Where runs remember what they have verified. Default: $XDG_STATE_HOME/querywarden, in your home.
    as_json
        Print the report as JSON.

    """
    if proof is not None:
        there = data is not None or config is not None or key is None
        return check_proof(proof, data_folder(config, data) if there else None, key, as_json=as_json)
    clock = SystemClock()
    bar = Bar(sys.stderr, clock, "leaves")
    try:
        options = Options(Memory(state or _default_state()), full=full, workers=max((os.cpu_count() or 1) - 1, 0))
        report = derive(data_folder(config, data), clock, verifier=trusted(key), progress=bar, options=options)
    finally:
        bar.clear()
    if as_json:
        sys.stdout.write(written(_plain(report)))
    else:
        sys.stdout.write(in_words(report, own_key=key is None))
    return FINE if report.ok else SAYS_NO


def _default_state() -> Path:
    """In the home of whoever verifies: never in the data folder, which others can write."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "querywarden/verified"


def in_words(report: Report, *, own_key: bool) -> str:
    """What a person reads: each epoch, each finding, and one last line."""
    parts = [*map(_epoch, report.epochs), *_findings(report)]
    leaves = sum(epoch.size + epoch.tail for epoch in report.epochs)
    read = sum(epoch.read for epoch in report.epochs)
    if report.ok:
        end = f"verified: {leaves:,} leaves, none changed since they were signed."
        if read < leaves:
            end += f" {read:,} of them read now."
    else:
        grave = sum(finding.grave for finding in report.findings)
        end = f"NOT verified: {grave:,} grave finding{'s' if grave != 1 else ''} in {leaves:,} leaves."
    end += f" {report.seconds:.1f} s, {report.leaves_per_second:,} leaves a second.\n"
    if own_key:
        end += "The key that lies beside the log was believed; --key takes one kept elsewhere.\n"
    return "\n".join([*parts, end])


def _epoch(epoch: EpochReport) -> str:
    unknown = f", {epoch.unknown_outcomes:,} with an unknown outcome" if epoch.unknown_outcomes else ""
    return rows(
        [
            ("log", printable(epoch.origin)),
            ("leaves", f"{epoch.size:,} signed" + (f", {epoch.tail:,} behind the checkpoint" if epoch.tail else "")),
            ("holds", f"{epoch.decisions:,} decisions{unknown}; {epoch.sessions:,} sessions; {epoch.bodies:,} bodies"),
            ("taken", f"{epoch.taken:,} leaves from an earlier run, see below" if epoch.taken else ""),
            ("pruned", f"{epoch.pruned:,} leaves, recorded" if epoch.pruned else ""),
            ("root", epoch.root),
        ]
    )


def _findings(report: Report) -> list[str]:
    """Grave ones first; of many with one name only the first are written out."""
    lines: list[str] = []
    counts: dict[str, int] = {}
    for finding in sorted(report.findings, key=lambda each: not each.grave):
        counts[finding.name] = counts.get(finding.name, 0) + 1
        if counts[finding.name] <= SHOWN:
            mark = "GRAVE" if finding.grave else "note "
            lines.append(f"{mark}  {finding.name:<22}  {printable(finding.where)}: {printable(finding.text)}\n")
    lines += [f"       {name:<22}  {count - SHOWN:,} more\n" for name, count in counts.items() if count > SHOWN]
    return ["".join(lines)]


def _plain(report: Report) -> dict[str, object]:
    document: dict[str, object] = msgspec.to_builtins(report)
    return {**document, "findings": [finding._asdict() for finding in report.findings]}
