"""Performs what a journey asks for. The only place where policy and the log are awaited."""

from dataclasses import dataclass
from typing import Protocol

from gateway.core.clock import Clock
from gateway.core.events import Event
from gateway.core.verdict import Verdict
from gateway.policy.pdp import Request
from gateway.session.journey import Decide, Journey, Record
from gateway.session.ruling import Ruling
from gateway.session.traveller import Traveller


class Pdp(Protocol):
    """The policy decision point."""

    async def decide(self, request: Request) -> Verdict:
        """Answer; never raises for a reason of policy."""
        ...


class Log(Protocol):
    """The evidence log."""

    async def append(self, event: Event) -> object:
        """Return once the event is as durable as it asks; raises Unavailable."""
        ...

    def mac(self, exact: bytes) -> str:
        """`hmac:` + hex over exact bytes, under the evidence epoch key."""
        ...


@dataclass(frozen=True, slots=True)
class Driver:
    """Runs journeys against one policy decision point and one log."""

    pdp: Pdp
    log: Log
    clock: Clock

    async def perform(self, journey: Journey, traveller: Traveller) -> tuple[Ruling, ...]:
        """Drive a journey to its end. Raises Unavailable when the log cannot take the decision."""
        answer: Verdict | None = None
        while True:
            try:
                command = journey.send(answer)
            except StopIteration as end:
                rulings: tuple[Ruling, ...] = end.value
                return rulings
            match command:
                case Decide():
                    answer = await self.pdp.decide(self._request(command, traveller))
                case Record():
                    await self.log.append(self._bound(command))
                    answer = None

    def _request(self, command: Decide, traveller: Traveller) -> Request:
        raise NotImplementedError

    def _bound(self, command: Record) -> Event:
        raise NotImplementedError
