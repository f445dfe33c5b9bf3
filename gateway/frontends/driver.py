"""Performs what a journey asks for. The only place where policy and the log are awaited."""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from gateway.core.clock import Clock
from gateway.core.events import Event
from gateway.core.verdict import Verdict
from gateway.policy.document import Circumstances, Request, Resource
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
                    mac = self.log.mac(command.exact)
                    await self.log.append(msgspec.structs.replace(command.event, mac=mac))
                    answer = None

    def _request(self, command: Decide, traveller: Traveller) -> Request:
        return Request(
            principal=traveller.principal,
            resource=Resource(
                connection=traveller.connection,
                engine=traveller.engine,
                version=traveller.version,
                database=traveller.database,
                labels=traveller.labels,
            ),
            statement=command.understood.statement,
            context=Circumstances(
                time_ns=self.clock.now_ns(),
                channel=traveller.channel,
                transaction=traveller.transaction,
                session_id=traveller.sid,
                session_started_ns=traveller.started_ns,
                application=traveller.application,
                client_ip=traveller.client_ip,
                tls=traveller.tls,
                purpose=traveller.said.get("purpose", ""),
                ticket=traveller.said.get("ticket", ""),
                reason=traveller.said.get("reason", ""),
            ),
        )
