"""`querywarden audit digest`: one day, with what stands out first (PCI DSS 10.4.1)."""

import sys
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from gateway.cli.audit.accessing import AsOption, note_access
from gateway.cli.audit.desk import FINE, ConfigOption, DataOption, JsonOption, KeyOption, data_folder, reading, trusted
from gateway.cli.audit.exporting.daily import day_of, digest_for
from gateway.cli.audit.exporting.days import DETECTIONS, Digest, sha256_of
from gateway.cli.audit.exporting.signoffs import SignOff
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import printable, rows
from gateway.core.clock import SystemClock

DayOption: TypeAlias = Annotated[str, Parameter(name="--day", help="Like 2026-11-25, today or yesterday; UTC.")]


def digest(  # noqa: PLR0913 -- each is an option
    *,
    day: DayOption = "yesterday",
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    person: AsOption = "",
    as_json: JsonOption = False,
) -> int:
    """What a person looks at daily: spikes, cleared reads, new agents, off-hours, broken glass, logins, failures."""
    folder, verifier, name = data_folder(config, data), trusted(key), day_of(day, SystemClock())
    with reading():
        found, signed = digest_for(folder, name, verifier)
    note_access(folder, "digest", {"day": name}, results=len(found.detections), person=person)
    if as_json:
        sys.stdout.write(written({"digest": found, "sha256": sha256_of(found), "signed_off": signed}))
    else:
        sys.stdout.write(in_words(found, signed))
    return FINE


def in_words(found: Digest, signed: SignOff | None) -> str:
    """What a person reads, what stands out first."""
    marks = "\n".join(
        printable(f"{each.name:<18} {each.what} · {each.count:,}  ({DETECTIONS[each.name]})")
        for each in found.detections
    )
    who = printable(f"{signed.who}: {signed.reason} (leaf {signed.epoch}/{signed.leaf})") if signed else "not yet"
    return rows(
        [
            ("day", f"{found.day}, up to {found.until[:19]}Z"),
            ("stands out", marks or "nothing"),
            ("decisions", f"{found.decisions:,}: {_counted(found.by_outcome)}" if found.decisions else "none"),
            ("agents", _counted(found.by_agent)),
            ("refused by", _counted(found.refused_by_code)),
            ("sessions", f"{found.sessions:,}"),
            ("failed logins", _counted(found.failed_logins) or "none"),
            ("reviewed", who),
            ("digest", sha256_of(found)),
        ]
    )


def _counted(counts: dict[str, int]) -> str:
    return printable(", ".join(f"{name} {count:,}" for name, count in counts.items()))
