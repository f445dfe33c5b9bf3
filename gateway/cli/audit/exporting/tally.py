"""What the leaves of a period add up to, in one pass and without keeping them: the ground of every report."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.core.events import EventType
from gateway.evidence.package.population import Period
from gateway.evidence.package.verifier.findings import listed, mapping, number, text
from gateway.evidence.package.verifier.story import Leaf, Walk

MAX_KEPT: Final = 2_000
"""leaves of one rare kind that are kept one by one"""
WORKING_HOURS: Final = (6, 20)
"""hours of the day, UTC, Monday to Friday; other time is off-hours"""
_COUNTED: Final = frozenset(
    {
        EventType.STATEMENT_DECIDED.value,
        EventType.STATEMENT_FINISHED.value,
        EventType.SESSION_OPENED.value,
        EventType.SESSION_CLOSED.value,
        EventType.HEARTBEAT.value,
        EventType.WITNESS_COSIGNED.value,
        EventType.RECORDING_SEALED.value,
        EventType.MESSAGE_REFUSED.value,
        EventType.CHECKPOINT_COLLECTED.value,
    }
)
"""too many to keep; everything else is kept"""
_UNIX: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SATURDAY: Final = 5


class Group(NamedTuple):
    """Decisions that reports need not tell apart."""

    answer: str
    """`sha256:…` of the stored decision; empty when policy gave none"""
    subject: str
    connection: str
    action: str
    outcome: str
    refused: str
    """code of the gateway's own refusal"""
    bundle: str
    off_hours: bool


class Kept(NamedTuple):
    """A leaf of a rare kind."""

    epoch: int
    leaf: int
    time_ns: int
    kind: str
    who: str
    connection: str
    act: str
    bundle: str
    ok: bool
    facts: dict[str, object]


@dataclass
class Day:
    """One day, UTC."""

    groups: Counter[Group] = field(default_factory=Counter)
    denied_by_hour: Counter[int] = field(default_factory=Counter)
    decided_by_hour: Counter[int] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)
    """that decided something"""
    opened: dict[str, int] = field(default_factory=dict)
    """agent → when its last session of the day began"""
    sessions: int = 0
    failed_logins: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(code, address)"""
    blanked: Counter[str] = field(default_factory=Counter)
    """connection → values that the card scan blanked"""
    rare: list[Kept] = field(default_factory=list)


class Tally:
    """Give it every leaf of a period (`see`)."""

    def __init__(self, period: Period) -> None:
        self.days: dict[str, Day] = {}
        self.kinds: Counter[str] = Counter()
        self.agents: dict[str, set[str]] = {}
        """agent → groups its tokens had"""
        self.rows = 0
        self.dropped = 0
        """leaves of rare kinds beyond those that are kept"""
        self.recipients: set[str] = set()
        """fingerprints of keys that recordings were encrypted to"""
        self.walk = Walk()
        self.not_ok: Counter[str] = Counter()
        """type → leaves that say that something was not well"""
        self._kept: Counter[str] = Counter()
        self._period = period

    def see(self, leaf: Leaf) -> None:
        """Take in a leaf; one outside the period is passed over."""
        self.walk.leaf(leaf)
        if not self._period.since_ns <= leaf.time_ns < self._period.until_ns:
            return
        kind = leaf.kind
        self.kinds[kind] += 1
        self.not_ok[kind] += leaf.said.get("ok") is False
        when = _UNIX + dt.timedelta(microseconds=leaf.time_ns // 1000)
        day = self.days.setdefault(f"{when:%Y-%m-%d}", Day())
        if kind == EventType.STATEMENT_DECIDED:
            self._decided(leaf, day, when)
        elif kind == EventType.STATEMENT_FINISHED:
            self._finished(leaf, day)
        elif kind == EventType.SESSION_OPENED:
            self._opened(leaf, day)
        elif kind == EventType.AUTH_FAILED:
            facts = leaf.facts()
            day.failed_logins[text(facts.get("code")), text(facts.get("client_ip"))] += 1
        elif kind == EventType.RECORDING_SEALED:
            self.recipients |= {text(each) for each in listed(leaf.facts().get("recipients"))}
        elif kind not in _COUNTED:
            self._keep(leaf, day)

    def _decided(self, leaf: Leaf, day: Day, when: dt.datetime) -> None:
        if not self._period.holds(leaf):
            return
        said = leaf.said
        subject = text(mapping(said.get("who")).get("id"))
        outcome = text(said.get("outcome"))
        first, last = WORKING_HOURS
        group = Group(
            answer=text(said.get("out")),
            subject=subject,
            connection=text(said.get("res")),
            action=text(said.get("act")),
            outcome=outcome,
            refused=text(mapping(leaf.facts().get("refused")).get("code")),
            bundle=text(said.get("bundle")),
            off_hours=when.weekday() >= _SATURDAY or not first <= when.hour < last,
        )
        day.groups[group] += 1
        day.decided_by_hour[when.hour] += 1
        day.denied_by_hour[when.hour] += outcome == "deny"
        day.agents.add(subject)

    def _finished(self, leaf: Leaf, day: Day) -> None:
        facts = leaf.facts()
        self.rows += max(0, number(facts.get("rows")))
        blanked = number(facts.get("blanked"))
        if blanked > 0:
            day.blanked[text(leaf.said.get("res"))] += blanked

    def _opened(self, leaf: Leaf, day: Day) -> None:
        day.sessions += 1
        subject = text(mapping(leaf.said.get("who")).get("id"))
        day.opened[subject] = max(leaf.time_ns, day.opened.get(subject, 0))
        groups = {text(group) for group in listed(leaf.facts().get("groups"))}
        self.agents.setdefault(subject, set()).update(groups)

    def _keep(self, leaf: Leaf, day: Day) -> None:
        if self._kept[leaf.kind] >= MAX_KEPT:
            self.dropped += 1
            return
        self._kept[leaf.kind] += 1
        day.rare.append(kept_of(leaf))

    @property
    def groups(self) -> Counter[Group]:
        """Of all days."""
        return sum((day.groups for day in self.days.values()), Counter[Group]())

    def rare(self, *kinds: str) -> list[Kept]:
        """Leaves of these kinds, in their order; a kind that ends in `.` stands for all that begin so."""
        prefixes = tuple(kind for kind in kinds if kind.endswith("."))
        return [
            each
            for day in self.days.values()
            for each in day.rare
            if each.kind in kinds or (prefixes and each.kind.startswith(prefixes))
        ]


def kept_of(leaf: Leaf) -> Kept:
    """A leaf as reports list it."""
    said = leaf.said
    return Kept(
        epoch=leaf.epoch,
        leaf=leaf.at,
        time_ns=leaf.time_ns,
        kind=leaf.kind,
        who=text(mapping(said.get("who")).get("id")),
        connection=text(said.get("res")),
        act=text(said.get("act")),
        bundle=text(said.get("bundle")),
        ok=said.get("ok") is True,
        facts=leaf.facts(),
    )
