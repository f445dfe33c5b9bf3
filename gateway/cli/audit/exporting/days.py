"""The digest of a day (PCI DSS 10.4.1): what a person looks at, with what stands out named first."""

import datetime as dt
import hashlib
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from gateway.cli.audit.exporting.answers import GLASS, Said
from gateway.cli.audit.exporting.tally import Day, Group, Kept
from gateway.core.events import EventType
from gateway.evidence.package.contents import as_json
from gateway.evidence.package.verifier.drawn import moment

DAY_NS: Final = 86_400 * 10**9
SPIKE_AT_LEAST: Final = 10
SPIKE_TIMES: Final = 3
LOGINS_AT_LEAST: Final = 5
"""failed logins from one address in a day"""
SHOWN: Final = 20
CHANGING: Final = frozenset(
    {"insert", "update", "delete", "merge", "truncate", "create", "alter", "drop", "grant", "revoke", "copy_in"}
)
DETECTIONS: Final = {
    "denials.spike": "an hour with far more refusals than the others of its day",
    "card_data.cleared": "labelled columns were shown to who is cleared for them",
    "glass.broken": "labelled columns were shown in an emergency",
    "agent.new": "an agent that was not seen in the thirty days before",
    "off_hours": "labelled data shown, or data changed, outside working hours (6 to 20 UTC, Monday to Friday)",
    "logins.failed": "many failed logins from one address",
    "policy.stopped": "an emergency stop was ordered",
    "policy.rejected": "a bundle was not accepted",
    "evidence.degraded": "nothing could be recorded for a while, so nothing was let through",
    "evidence.recovered": "the gateway had stopped without closing its log",
    "witness.refused": "a witness would not cosign the log",
    "witness.failed": "a witness could not be asked",
    "anchor.failed": "the log could not be time-stamped",
    "checkpoint.refused": "the root log would not take a log's checkpoint",
    "sink.failed": "a copy of the log could not be delivered",
    "clock.jumped": "the clock was set",
    "clock.off": "a measurement found the clock far off",
    "cards.blanked": "card numbers where none are expected: blanked on their way out",
    "evidence.shredded": "a stored document or a recording's key was destroyed",
}
"""name → what it means"""
_LISTED: Final = {
    EventType.POLICY_STOPPED.value: "policy.stopped",
    EventType.BUNDLE_REJECTED.value: "policy.rejected",
    EventType.LOG_DEGRADED.value: "evidence.degraded",
    EventType.LOG_RECOVERED.value: "evidence.recovered",
    EventType.WITNESS_REFUSED.value: "witness.refused",
    EventType.WITNESS_FAILED.value: "witness.failed",
    EventType.ANCHOR_FAILED.value: "anchor.failed",
    EventType.CHECKPOINT_REFUSED.value: "checkpoint.refused",
    EventType.SINK_FAILED.value: "sink.failed",
    EventType.CLOCK_JUMPED.value: "clock.jumped",
    EventType.BODY_SHREDDED.value: "evidence.shredded",
    EventType.RECORDING_SHREDDED.value: "evidence.shredded",
}


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stands out."""

    name: str
    what: str
    count: int
    leaves: tuple[str, ...] = ()
    """`epoch/leaf` of those that say so, the first ones"""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """One day, UTC."""

    day: str
    until: str
    """up to when it goes: the end of the day, when that is over"""
    decisions: int
    by_outcome: dict[str, int]
    by_agent: dict[str, int]
    """the busiest"""
    refused_by_code: dict[str, int]
    sessions: int
    failed_logins: dict[str, int]
    """by code"""
    detections: tuple[Detection, ...]


def sha256_of(digest: Digest) -> str:
    """What a sign-off names: the digest as JSON."""
    return f"sha256:{hashlib.sha256(as_json(digest)).hexdigest()}"


class Ground(NamedTuple):
    """What a digest rests on beside the day itself."""

    answers: Mapping[str, Said]
    refusing: frozenset[str]
    """codes of rules that refuse; empty when no bundle is at hand"""
    until_ns: int
    """up to when leaves were read"""


def digest_of(name: str, day: Day, ground: Ground, known: frozenset[str]) -> Digest:
    """Of one day. `known` are agents that were seen before."""
    answers = ground.answers
    outcomes: Counter[str] = Counter()
    agents: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for group, count in day.groups.items():
        outcomes[group.outcome] += count
        agents[group.subject] += count
        if group.outcome == "deny":
            codes = set(answers.get(group.answer, Said()).codes)
            for code in {*(codes & ground.refusing or codes), group.refused} - {""}:
                refused[code] += count
    logins: Counter[str] = Counter()
    for (code, _), count in day.failed_logins.items():
        logins[code] += count
    return Digest(
        day=name,
        until=moment(min(end_of(name), ground.until_ns)),
        decisions=outcomes.total(),
        by_outcome=dict(sorted(outcomes.items())),
        by_agent=_most(agents),
        refused_by_code=_most(refused),
        sessions=day.sessions,
        failed_logins=dict(sorted(logins.items())),
        detections=tuple(sorted(_detected(day, answers, known), key=lambda each: (each.name, each.what))),
    )


def end_of(day: str) -> int:
    """Nanoseconds since the epoch."""
    return (dt.date.fromisoformat(day) - dt.date(1970, 1, 1) + dt.timedelta(days=1)) // dt.timedelta(days=1) * DAY_NS


def _most(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN])


def _detected(day: Day, answers: Mapping[str, Said], known: frozenset[str]) -> Iterator[Detection]:
    usual = statistics.median(day.denied_by_hour[hour] for hour in day.decided_by_hour) if day.decided_by_hour else 0
    for hour, count in sorted(day.denied_by_hour.items()):
        if count >= SPIKE_AT_LEAST and count >= SPIKE_TIMES * usual and len(day.decided_by_hour) > 1:
            yield Detection(name="denials.spike", what=f"{hour:02d}:00 UTC, {usual:g} in a usual hour", count=count)
    for agent in sorted(day.agents - known - {""}):
        yield Detection(name="agent.new", what=agent, count=1)
    addresses: Counter[str] = Counter()
    for (_, address), count in day.failed_logins.items():
        addresses[address] += count
    for address, count in addresses.items():
        if count >= LOGINS_AT_LEAST:
            yield Detection(name="logins.failed", what=address or "an unknown address", count=count)
    for connection, count in day.blanked.items():
        yield Detection(name="cards.blanked", what=connection, count=count)
    yield from _shown(day.groups, answers)
    yield from _listed(day.rare)


def _shown(groups: Mapping[Group, int], answers: Mapping[str, Said]) -> Iterator[Detection]:
    """By agent and what was shown or done."""
    found: Counter[tuple[str, str]] = Counter()
    for group, count in groups.items():
        said = answers.get(group.answer, Said())
        let = group.outcome in {"allow", "mask"}
        if said.shown and let:
            name = "glass.broken" if GLASS in said.codes else "card_data.cleared"
            found[name, f"{group.subject}: {', '.join(said.shown)}"] += count
        if let and group.off_hours and (said.shown or group.action in CHANGING):
            found["off_hours", f"{group.subject}: {group.action} on {group.connection}"] += count
    for (name, what), count in found.items():
        yield Detection(name=name, what=what, count=count)


def _listed(rare: list[Kept]) -> Iterator[Detection]:
    by_name: dict[tuple[str, str], list[Kept]] = {}
    for each in rare:
        name = _LISTED.get(each.kind, "")
        if each.kind == EventType.CLOCK_MEASURED and not each.ok:
            name = "clock.off"
        if name:
            by_name.setdefault((name, _cause(each)), []).append(each)
    for (name, what), leaves in by_name.items():
        places = tuple(f"{each.epoch}/{each.leaf}" for each in leaves[:SHOWN])
        yield Detection(name=name, what=what, count=len(leaves), leaves=places)


def _cause(each: Kept) -> str:
    """What a leaf says of why, as far as it is short."""
    facts = [
        str(each.facts[name]) for name in ("cause", "code", "kind", "name", "sink", "witness") if name in each.facts
    ]
    return ", ".join(facts) or each.kind
