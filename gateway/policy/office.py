"""Carries out what people order: activate, roll back, stop, lift, note an access; each is recorded with who and why."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from gateway.core.errors import BundleRejected, GatewayError, Refused
from gateway.core.events import Event, EventType, Who
from gateway.policy.activation import Activator, Cause, Note
from gateway.policy.decider import Decider
from gateway.policy.memory import Memory
from gateway.policy.orders import Accessed, Activate, Answer, Halt, Lift, Order, Prune, Reviewed, Rollback, Shred, Tray
from gateway.policy.readings import reading_event
from gateway.policy.stops import Stop

LOOK_EVERY_SECONDS: Final = 0.1


class Office:
    """One gateway's."""

    def __init__(self, tray: Tray, activator: Activator, decider: Decider, memory: Memory, note: Note) -> None:
        self._tray = tray
        self._activator = activator
        self._decider = decider
        self._memory = memory
        self._note = note
        self.pruner: Callable[[Prune, Order], Awaitable[str]] | None = None
        self._bringing: asyncio.Task[None] | None = None
        self._carried: set[str] = set()
        """orders that were carried out, and whose files could not be taken away"""

    async def stand(self) -> None:
        """Before anything is decided: what was stopped is stopped again, and recorded so. Raises Unavailable."""
        self._tray.sweep()
        self._decider.stops.standing = self._memory.now.stops
        for stop in self._memory.now.stops:
            await self._note(_event(EventType.POLICY_STOPPED, stop, why="stood when the gateway started"))

    async def watch(self) -> None:
        """Look for orders, for as long as the gateway runs."""
        attending = self._tray.attend()
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                await self.work(waits=False)
        finally:
            os.close(attending)
            if self._bringing is not None:
                self._bringing.cancel()

    async def work(self, *, waits: bool = True) -> None:
        """Carry out what lies there. A bundle may take its time; unless this `waits`, a stop does not wait for it."""
        try:
            orders = list(self._tray.pending())
        except OSError:
            return
        self._carried.intersection_update(order_id for order_id, _ in orders)
        for order_id, order in orders:
            if order_id in self._carried:
                continue
            if order is None:
                self._settle(order_id, Answer(ok=False, code="order.invalid", text="this is no order"))
            elif waits or isinstance(order.command, Halt | Lift | Accessed | Shred | Reviewed):
                await self._settled(order)
            elif self._bringing is None or self._bringing.done():
                self._bringing = asyncio.ensure_future(self._settled(order))

    async def _settled(self, order: Order) -> None:
        answer = await self._carried_out(order)
        self._settle(order.id, answer)

    def _settle(self, order_id: str, answer: Answer) -> None:
        """Answer it. What was done and cannot be taken away is not done twice, nor does it hold up the others."""
        try:
            self._tray.settle(order_id, answer)
        except OSError:
            if answer.ok or answer.code == "order.invalid":
                self._carried.add(order_id)

    async def _carried_out(self, order: Order) -> Answer:
        try:
            return Answer(ok=True, text=await self._do(order))
        except GatewayError as error:
            return Answer(ok=False, code=error.code, text=error.detail or error.entry.message)

    async def _do(self, order: Order) -> str:
        match order.command:
            case Activate():
                try:
                    raw = await asyncio.to_thread(self._tray.bundle, order.id)
                except OSError:
                    raise BundleRejected("bundle.missing", "there is none beside the order") from None
                bundle = await self._activator.activate(raw, _cause(order, "policy activate"))
                return f"{bundle.sha256} {bundle.revision}"
            case Rollback(to=digest):
                cause = _cause(order, "policy rollback", back=True)
                bundle = await self._activator.rollback(digest, cause)
                return f"{bundle.sha256} {bundle.revision}"
            case Halt():
                return await self._stop(order, order.command)
            case Lift(stop=stop_id):
                return await self._lift(order, stop_id)
            case Accessed() | Shred() | Reviewed():
                await self._note(reading_event(order, order.command))
                return "recorded"
            case Prune():
                if self.pruner is None:
                    raise Refused("order.invalid", "this gateway prunes nothing")
                return await self.pruner(order.command, order)

    async def _stop(self, order: Order, halt: Halt) -> str:
        """In force first, then recorded: nothing that goes wrong with a record may keep a stop from holding."""
        if (halt.kind == "everything") == bool(halt.name):
            raise Refused("order.invalid", "a stop names one subject, group or connection, or everything")
        stop = Stop(id=order.id, kind=halt.kind, name=halt.name, reason=order.reason, by=order.by, at=order.at)
        others = [each for each in self._decider.stops.standing if each.id != stop.id]  # it may be tried again
        self._decider.stops.standing = (*others, stop)
        await asyncio.to_thread(self._memory.keep, stops=self._decider.stops.standing)
        await self._note(_event(EventType.POLICY_STOPPED, stop, why="policy stop"))
        return stop.id

    async def _lift(self, order: Order, stop_id: str) -> str:
        """Recorded first, then lifted."""
        standing = self._decider.stops.standing
        stop = next((each for each in standing if each.id == stop_id), None)
        if stop is None:
            raise Refused("order.invalid", f"no stop {stop_id} stands")
        rest = tuple(each for each in standing if each is not stop)
        lifted = msgspec.structs.replace(stop, by=order.by, reason=order.reason)
        await self._note(_event(EventType.POLICY_STOP_LIFTED, lifted, why="policy lift"))
        await asyncio.to_thread(self._memory.keep, stops=rest)
        self._decider.stops.standing = rest
        return stop.id


def _cause(order: Order, why: str, *, back: bool = False) -> Cause:
    return Cause(why, who=order.by, reason=order.reason, back=back)


def _event(kind: EventType, stop: Stop, why: str) -> Event:
    data: dict[str, object] = {"why": why, "stop": stop.id, "kind": stop.kind, "name": stop.name, "reason": stop.reason}
    return Event(
        type=kind,
        who=Who(id=stop.by),
        res=stop.name if stop.kind == "connection" else "",
        data={name: value for name, value in data.items() if value},
        durable=True,
    )
