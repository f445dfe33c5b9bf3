"""How the gateway itself fared: intervals without recording, clock offsets, keys and their life, starts and stops."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from gateway.cli.audit.exporting.tally import Kept, Tally
from gateway.cli.audit.words import moment
from gateway.core.events import EventType
from gateway.evidence.package.building import Taken
from gateway.evidence.package.verifier.findings import decimal, number

TOLD: Final = (
    "log.",
    "clock.",
    "witness.",
    "sink.",
    "key.",
    "credential.",
    "config.loaded",
    "body.",
    "recording.",
    "policy.",
)


class Degraded(msgspec.Struct, frozen=True, kw_only=True):
    """An interval in which nothing could be recorded, so that new statements were refused (PCI DSS 10.7)."""

    cause: str
    start: str
    end: str
    seconds: float
    refused: int
    lost: int
    leaf: str


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A time without a heartbeat: the machine was stopped or stuck."""

    leaf: str
    text: str


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A key, as far as the log and the package know it (PCI DSS 3.6, 3.7). Public parts only."""

    use: str
    name: str
    since: str = ""
    until: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A leaf about the gateway itself."""

    time: str
    leaf: str
    type: str
    who: str
    facts: dict[str, object]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """Of a period."""

    degraded: tuple[Degraded, ...]
    gaps: tuple[Gap, ...]
    clock: tuple[Told, ...]
    keys: tuple[KeyEntry, ...]
    events: tuple[Told, ...]
    counts: dict[str, int]
    """of every type of leaf"""
    not_listed: int
    """leaves of rare kinds beyond those that are listed"""


def operation_of(tally: Tally, taken: Taken, configured: tuple[KeyEntry, ...] = ()) -> Operation:
    """Of a period. `configured` are keys that the configuration names."""
    return Operation(
        degraded=tuple(map(_degraded, tally.rare(EventType.LOG_DEGRADED.value))),
        gaps=tuple(Gap(leaf=f.where, text=f.text) for f in tally.walk.findings if f.name == "heartbeat.late"),
        clock=tuple(map(told, tally.rare("clock."))),
        keys=(*_keys(tally, taken), *configured),
        events=tuple(map(told, tally.rare(*TOLD))),
        counts=dict(sorted(tally.kinds.items())),
        not_listed=tally.dropped,
    )


def told(each: Kept) -> Told:
    """A leaf for a report."""
    return Told(
        time=moment(each.time_ns), leaf=f"{each.epoch}/{each.leaf}", type=each.kind, who=each.who, facts=each.facts
    )


def _degraded(each: Kept) -> Degraded:
    start, end = decimal(each.facts.get("start")), decimal(each.facts.get("end"))
    return Degraded(
        cause=str(each.facts.get("cause", "")),
        start=moment(start),
        end=moment(end),
        seconds=round(max(0, end - start) / 1e9, 3),
        refused=max(0, number(each.facts.get("refused"))),
        lost=max(0, number(each.facts.get("lost"))),
        leaf=f"{each.epoch}/{each.leaf}",
    )


def _keys(tally: Tally, taken: Taken) -> Iterator[KeyEntry]:
    for snapshot, _ in taken.epochs:
        newest = snapshot is taken.newest
        yield KeyEntry(
            use="signs checkpoints of the log, proofs and packages",
            name=snapshot.reader.verifier.encode(),
            since=moment(snapshot.begins_ns()),
            until="" if newest else moment(snapshot.last_ns()),
        )
    for fingerprint in sorted(tally.recipients - {""}):
        yield KeyEntry(use="recordings are encrypted to it", name=fingerprint)
    activations = tally.rare(EventType.BUNDLE_ACTIVATED.value, EventType.BUNDLE_ROLLED_BACK.value)
    for keyid, when in sorted(_first(activations).items()):
        yield KeyEntry(use="signs policy bundles", name=keyid, since=moment(when))
    for each in tally.rare("key."):
        yield KeyEntry(
            use=f"{each.kind}: {each.facts.get('use', '')}".rstrip(": "),
            name=str(each.facts.get("name", each.facts.get("key", ""))),
            since=moment(each.time_ns),
        )


def _first(activations: Iterable[Kept]) -> dict[str, int]:
    """Key id → when it was first seen in the period."""
    found: dict[str, int] = {}
    for each in activations:
        found.setdefault(str(each.facts.get("keyid", "")), each.time_ns)
    return {keyid: when for keyid, when in found.items() if keyid}
