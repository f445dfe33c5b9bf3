"""`querywarden audit verify`: derives the whole log again and names everything that does not fit."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec
from cyclopts import Parameter

from gateway.cli.audit.desk import FINE, SAYS_NO, ConfigOption, DataOption, JsonOption, KeyOption, data_folder, trusted
from gateway.cli.audit.package import check_package
from gateway.cli.audit.progress import Bar
from gateway.cli.audit.prove import check_proof
from gateway.cli.audit.witnesses import AnchorOption, WitnessOption, anchors_of, witnesses_of
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import printable, rows
from gateway.core.clock import SystemClock
from gateway.evidence.note import Verifier
from gateway.evidence.verified import Memory
from gateway.evidence.verify import EpochReport, Options, Report
from gateway.evidence.verify import verify as derive

StateOption: TypeAlias = Annotated[
    Path | None,
    Parameter(
        name="--state",
        help="Where runs remember what they have verified. Default: $XDG_STATE_HOME/querywarden, in your home.",
    ),
]
ProofOption: TypeAlias = Annotated[
    Path | None,
    Parameter(name="--proof", help="Verify this one file of `audit prove` instead. With --key it needs no log."),
]
FullOption: TypeAlias = Annotated[
    bool,
    Parameter(name="--full", negative="", help="Read everything again, whatever an earlier run has verified."),
]
ReplicaOption: TypeAlias = Annotated[
    tuple[Path, ...],
    Parameter(name="--replica", negative="", help="Of a root log: a data folder whose checkpoints it holds."),
]
SHOWN: Final = 100
"""findings of a kind that are written out"""


def verify(  # noqa: PLR0913 -- options that say themselves what they are
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    proof: ProofOption = None,
    package: Annotated[Path | None, Parameter(name="--package", help="Verify this evidence package instead.")] = None,
    seed: Annotated[str, Parameter(help="Of the sample in the package: what you gave for its draw.")] = "",
    full: FullOption = False,
    state: StateOption = None,
    witness_key: WitnessOption = (),
    anchor_ca: AnchorOption = None,
    replica: ReplicaOption = (),
    as_json: JsonOption = False,
) -> int:
    """Derive the whole log again. Exits 1 when it does not prove what it should, naming each thing that does not fit.

    A gateway may write it meanwhile. Trusts nothing but the key. What an earlier run has verified is not read again.
    """
    if package is not None:
        given = witnesses_of(witness_key, config, configured=False)
        return check_package(package, key, tuple(each.encode() for each in given), seed, as_json=as_json)
    folder = data_folder(config, data) if proof is None or key is None or data or config else None
    witnesses = witnesses_of(witness_key, config, configured=data is None)
    if proof is not None or folder is None:
        return check_proof(proof or Path(), folder, key, witnesses, as_json=as_json)
    known = (witnesses, anchors_of(anchor_ca, config, configured=data is None), replica)
    options = Options(Memory(state or _default_state()), full, 0, *known)
    return _show(_report(folder, trusted(key), options), own_key=key is None, as_json=as_json)


def _show(report: Report, *, own_key: bool, as_json: bool) -> int:
    sys.stdout.write(written(_plain(report)) if as_json else in_words(report, own_key=own_key))
    return FINE if report.ok else SAYS_NO


def _report(folder: Path, verifier: Verifier | None, options: Options) -> Report:
    """Derive it, with every processor but one, and show how far."""
    clock = SystemClock()
    options = options._replace(workers=max((os.cpu_count() or 1) - 1, 0))
    bar = Bar(sys.stderr, clock, "leaves")
    try:
        return derive(folder, clock, verifier=verifier, progress=bar, options=options)
    finally:
        bar.clear()


def _default_state() -> Path:
    """In the home of whoever verifies: never in the data folder, which others can write."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "querywarden/verified"


def in_words(report: Report, *, own_key: bool) -> str:
    """What a person reads: each epoch, each finding, and one last line."""
    compared = [("recordings", f"{report.recordings:,} compared with the leaves that seal them")]
    parts = [*map(_epoch, report.epochs), *([rows(compared)] if report.recordings else []), *_findings(report)]
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
