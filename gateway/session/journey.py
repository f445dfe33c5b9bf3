"""The one journey of a statement: judge, rewrite, record, then act. In that order, always.

The journey is a generator. It yields what it needs done and is sent the answer; `frontends/driver.py` does it. It has
no clock, no await and no socket, so the order of things can be proved by a test that plays the driver.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from gateway.core.events import Event
from gateway.core.verdict import Verdict
from gateway.session.ground import Ground
from gateway.session.records import decided
from gateway.session.ruling import Leg, Ruling, own_finding, rule
from gateway.session.task import Phase
from gateway.session.traveller import Traveller
from gateway.sql.model import ChangeSchema, Understood


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask policy about one statement. Answered with a Verdict."""

    understood: Understood
    did: str


@dataclass(frozen=True, slots=True)
class Record:
    """Write the event to the log; `exact` is what the mac binds. Answered with None once it is durable as asked."""

    event: Event
    exact: bytes

    def __repr__(self) -> str:
        """Without the exact bytes."""
        return f"Record({self.event.type})"


Command: TypeAlias = Decide | Record
Journey: TypeAlias = Generator[Command, Verdict | None, tuple[Ruling, ...]]


def travel(legs: Iterable[Leg], phase: Phase, traveller: Traveller, ground: Ground) -> Journey:
    """Take the statements of one message through judge and record. What may be sent on is in the rulings it returns.

    One refused statement holds back its whole message: the others are recorded as withheld, and none is forwarded.
    """
    legs = tuple(legs)
    rulings = []
    for leg in legs:
        verdict = yield Decide(leg.understood, leg.did)
        if verdict is None:
            raise TypeError("a Decide is answered with a Verdict")
        rulings.append(rule(leg, verdict, ground))
        if isinstance(leg.understood.effect, ChangeSchema):
            ground = replace(ground, void=ground.posture.guarded)
    if any(ruling.refusal for ruling in rulings):
        rulings = [ruling if ruling.refusal else _withheld(ruling) for ruling in rulings]
    for leg, ruling in zip(legs, rulings, strict=True):
        yield Record(decided(ruling, phase, traveller, leg.mark or legs[0].did), leg.exact)
    return tuple(rulings)


def _withheld(ruling: Ruling) -> Ruling:
    finding = own_finding("statement.withheld")
    return Ruling(ruling.did, ruling.understood, ruling.verdict, ruling.ground, refusal=finding)
