"""Everything reports of a period are made of, gathered once: the tally, what decisions say, bundles, days."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gateway.cli.audit.exporting.answers import Said, by_code, read_answers
from gateway.cli.audit.exporting.bundles import Bundles
from gateway.cli.audit.exporting.days import DAY_NS, Digest, Ground, digest_of, end_of
from gateway.cli.audit.exporting.known import Known
from gateway.cli.audit.exporting.matrix import Fact
from gateway.cli.audit.exporting.operation import KeyEntry, Operation, operation_of
from gateway.cli.audit.exporting.review import Review, review_of
from gateway.cli.audit.exporting.signoffs import SignOff
from gateway.cli.audit.exporting.tally import Group, Tally
from gateway.evidence.package.building import Taken
from gateway.evidence.sinks.cursor import cabinets
from gateway.policy.site import Site


@dataclass(frozen=True)
class Material:
    """Of one period. Properties raise OSError and ValueError."""

    taken: Taken
    tally: Tally
    bundles: Bundles
    extras: Mapping[str, Fact]
    """what other commands found: scan, reconcile, retention"""
    seen: Mapping[str, int] = field(default_factory=dict)
    """agent → when its last session before the period began"""
    reviews: tuple[SignOff, ...] = ()
    keys: tuple[KeyEntry, ...] = ()
    """that the configuration names"""

    @cached_property
    def groups(self) -> Counter[Group]:
        """Decisions."""
        return self.tally.groups

    @cached_property
    def answers(self) -> dict[str, Said]:
        """What they say."""
        body = self.taken.newest.reader.body
        return read_answers({group.answer for group in self.groups}, body)

    @cached_property
    def codes(self) -> dict[str, int]:
        """Code → decisions."""
        return by_code(self.answers, self.groups)

    @cached_property
    def outcomes(self) -> dict[str, int]:
        """Outcome → decisions."""
        found: Counter[str] = Counter()
        for group, count in self.groups.items():
            found[group.outcome] += count
        return dict(sorted(found.items()))

    @cached_property
    def site(self) -> Site | None:
        """Of the bundle that came into force last."""
        return self.bundles.last.site if self.bundles.last else None

    @property
    def columns(self) -> int:
        """How many are classified."""
        tables = [] if self.site is None else [t for each in self.site.classification.values() for t in each.values()]
        return sum(map(len, tables))

    @cached_property
    def review(self) -> Review | None:
        """Who may do what."""
        last = self.bundles.last
        if last is None or self.site is None:
            return None
        named = last.sha256, last.revision
        return review_of(named, self.site, self.tally.agents, self.groups, self.answers)

    @cached_property
    def operation(self) -> Operation:
        """How the gateway fared."""
        return operation_of(self.tally, self.taken, self.keys)

    @cached_property
    def days(self) -> tuple[Digest, ...]:
        """A digest for each."""
        known, found = Known(self.seen), []
        for name, day in sorted(self.tally.days.items()):
            ground = Ground(self.answers, self.bundles.refusing(day), self.taken.period.until_ns)
            found.append(digest_of(name, day, ground, known.at(end_of(name) - DAY_NS)))
            known.see(day.opened)
        return tuple(found)

    @cached_property
    def signed_off(self) -> dict[str, SignOff]:
        """Day → its last review."""
        return {review.day: review for review in self.reviews}

    @cached_property
    def sinks(self) -> int:
        """Receivers that copies of the log were delivered to."""
        return len(cabinets(self.taken.data_dir))
