"""Carries the log to one receiver: reads behind the writer, sends, and moves the cursor when the receiver has it.

An event is never left out in silence. A batch the receiver does not take is sent again, later and later. A batch it
*refuses* is halved until the event it will not have stands alone; that one is put aside. Only when the receiver takes
another event is the one put aside known to be at fault: it is parked, recorded (`sink.rejected`), and passed by. When
sixteen stand aside and nothing was taken, it is the receiver that refuses everything: it has failed, and the cursor
stays where it was.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

from gateway.core.clock import Clock
from gateway.core.errors import GatewayError
from gateway.core.events import Event, EventType
from gateway.evidence.leaf import Leaf, LeafError, decode_leaf
from gateway.evidence.sinks.allowance import SLICE, Allowance
from gateway.evidence.sinks.answers import Later, Receiver, Refused, Taken
from gateway.evidence.sinks.aside import aside
from gateway.evidence.sinks.backoff import Backoff
from gateway.evidence.sinks.cursor import Cabinet, Cursor, Parked
from gateway.evidence.sinks.follow import Follower, Run
from gateway.evidence.sinks.formats import Style, Writer
from gateway.evidence.sinks.outgoing import Outgoing, Position, event_id
from gateway.evidence.sinks.sessions import Sessions

POLL_SECONDS: Final = 0.5
TRIES_BEFORE_FAILED: Final = 3
MOST_SUSPECTS: Final = 16
RECORD_AGAIN_SECONDS: Final = 1.0
_NS: Final = 1_000_000_000

Note = Callable[[Event], Awaitable[None]]


class Plan(NamedTuple):
    """How one sink is served."""

    name: str
    kind: str
    style: Style
    most_events: int
    most_bytes: int
    """of leaves, in one batch"""
    hold: float
    """seconds that a batch which is not full may wait for more"""
    from_now: bool
    """a sink without a cursor begins behind the last leaf, not at the first"""
    retry_most: float
    """seconds between tries, at most"""


class Suspect(NamedTuple):
    """An event that was refused while nothing behind it was taken yet."""

    id: str
    leaf: Leaf | None
    reason: str

    @property
    def type(self) -> str:
        """Of its leaf; empty when that cannot be read."""
        return self.leaf.type if self.leaf else ""


class Courier:
    """One sink at work. `run` goes on until it is cancelled; everything else may be read from another thread."""

    def __init__(  # noqa: PLR0913 -- what it works with
        self,
        plan: Plan,
        follower: Follower,
        cabinet: Cabinet,
        receiver: Receiver,
        *,
        clock: Clock,
        note: Note,
        first_wait: float = 1.0,
    ) -> None:
        self.plan = plan
        self.sent = 0
        """events taken by the receiver since the start; repeated ones count again"""
        self.failing = ""
        """why nothing gets through now; empty when all is well"""
        self.pending = 0
        """signed leaves the receiver has not taken"""
        self.oldest_ns = 0
        """time of the first of them; 0 when there is none"""
        self.failures = 0
        self._follower, self._cabinet, self._receiver = follower, cabinet, receiver
        self._clock, self._note = clock, note
        self._backoff = Backoff(first_wait, plan.retry_most)
        self._told = False
        self._since_ns = 0
        self._saved: Cursor | None = None
        self._ahead = Position(1, 0)
        """the next leaf to read: beyond the cursor while suspects stand aside"""
        self._writer = Writer(plan.style, follower.body, Sessions())
        self._at_cursor = Sessions()
        """the sessions open at the cursor; the writer's are those open at `_ahead`"""
        self._suspects: list[Suspect] = []

    @property
    def parked(self) -> int:
        """Events refused for good since the sink exists."""
        return self._cabinet.parked

    async def run(self, allowance: Allowance) -> None:
        """Serve the sink."""
        self._start_over()  # whoever ran it before may have been cancelled anywhere
        while True:
            try:
                if self._saved is None:
                    await self._begin()
                await self._round(allowance)
            except (OSError, ValueError, LookupError) as error:
                # Not the receiver: the log or our own files cannot be read or written. Nothing is passed by.
                await self._fail(Later(f"evidence.{type(error).__name__}"))
                self._start_over()

    async def fell(self, error: BaseException) -> None:
        """An error of ours ended `run`: said like a failure of the receiver, and begun again by the caller."""
        self._told = True
        self.failing = f"gateway.{type(error).__name__}"
        data: dict[str, object] = {"reason": self.failing, "pending": self.pending}
        await self._record(EventType.SINK_FAILED, data, ok=False, once=True)
        self._start_over()

    async def close(self) -> None:
        """Let go of the receiver."""
        await self._receiver.close()

    async def _begin(self) -> None:
        """Take up the cursor, or make one."""
        self._follower.look()
        cursor = await aside(self._cabinet.load)
        if cursor is None:
            epoch, index = self._follower.end() if self.plan.from_now else Position(0, 0)
            cursor = Cursor(epoch=epoch, index=index)
            await aside(self._cabinet.save, cursor)
        elif cursor.position > self._follower.end():  # an older copy of the log was put back: its numbers come again
            cursor = Cursor(epoch=self._follower.end().epoch, index=0)
        self._saved = cursor
        self._start_over()

    def _start_over(self) -> None:
        """Read again from the cursor, as if nothing behind it had been tried."""
        self._suspects.clear()
        if self._saved is not None:
            self._ahead = self._saved.position
            self._at_cursor = Sessions(dict(self._saved.sessions))
            self._writer = Writer(self.plan.style, self._follower.body, Sessions(dict(self._saved.sessions)))

    async def _round(self, allowance: Allowance) -> None:
        """Read a batch and see it through; or wait for one."""
        self._follower.look()
        run = self._follower.read(self._ahead, self.plan.most_events, self.plan.most_bytes)
        self._count()
        if run is None:
            if not self._suspects:
                self.oldest_ns = 0
            await asyncio.sleep(POLL_SECONDS)
            return
        first_ns = _time_of(run.leaves[0]) if run.leaves else 0
        if not self._suspects:
            self.oldest_ns = first_ns
        waits = 0.0 if run.full else self.plan.hold - (self._clock.now_ns() - first_ns) / _NS
        if waits > 0:
            await asyncio.sleep(min(waits, max(POLL_SECONDS, self.plan.hold / 10)))
            return
        if run.missing:
            await self._tell_missing(run)
        events = await self._written(run, allowance)
        self._ahead = Position(run.epoch, run.first + len(run.leaves))
        await self._deliver(events)
        await allowance.rest()

    def measure(self) -> None:
        """See how far the log is now, also while a receiver keeps a batch waiting."""
        with suppress(OSError, ValueError):  # `run` meets it too, and says so
            self._follower.look()
            self._count()

    def _count(self) -> None:
        if self._saved is not None:
            self.pending = self._follower.pending(self._saved.position)

    async def _written(self, run: Run, allowance: Allowance) -> list[Outgoing]:
        """The leaves as events. One that cannot be read is no event: it stands aside like a refused one."""
        events: list[Outgoing] = []
        for number, data in enumerate(run.leaves):
            position = Position(run.epoch, run.first + number)
            try:
                events.append(self._writer.write(run.origin, position, data))
            except LeafError:
                self._suspects.append(Suspect(event_id(run.origin, position.number), None, "leaf.unreadable"))
            if number % SLICE == SLICE - 1:
                await allowance.rest()
        return events

    async def _deliver(self, events: list[Outgoing]) -> None:
        """See a batch through: taken, put aside, or begun again from the cursor."""
        parts = deque([events] if events else [])
        while parts:
            part = parts.popleft()
            answer = await self._receiver.send(part)
            match answer:
                case Taken():
                    await self._take(part, answer)
                case Later():
                    parts.appendleft(part)
                    await self._fail(answer)
                case Refused():
                    parts.extendleft(reversed(self._split(part, answer)))
                    if sum(suspect.leaf is not None for suspect in self._suspects) >= MOST_SUSPECTS:
                        await self._fail(Later(f"refuses everything: {answer.reason}"))
                        self._start_over()
                        return

    def _split(self, part: list[Outgoing], answer: Refused) -> list[list[Outgoing]]:
        """What of a refused part is to be tried again; an event that stands alone is put aside."""
        if answer.which is not None and 0 <= answer.which < len(part):
            self._suspects.append(_suspect(part[answer.which], answer.reason))
            halves = [part[: answer.which], part[answer.which + 1 :]]
        elif len(part) == 1:
            self._suspects.append(_suspect(part[0], answer.reason))
            halves = []
        else:
            halves = [part[: len(part) // 2], part[len(part) // 2 :]]
        return [half for half in halves if half]

    async def _take(self, part: list[Outgoing], taken: Taken) -> None:
        """The receiver has this part: what stood aside before it was at fault, and the cursor moves."""
        refused = [_suspect(part[index], taken.reason) for index in taken.refused if 0 <= index < len(part)]
        for leaf in (*(each.leaf for each in self._suspects), *(event.leaf for event in part)):
            if leaf is not None:
                self._at_cursor.see(leaf)
        if suspects := [*self._suspects, *refused]:
            await self._park(suspects)
            self._suspects.clear()
        position = part[-1].after
        self._saved = Cursor(epoch=position.epoch, index=position.number, sessions=self._at_cursor.snapshot())
        await aside(self._cabinet.save, self._saved)
        self.sent += len(part) - len(refused)
        self._count()
        await self._recover()

    async def _park(self, suspects: list[Suspect]) -> None:
        """List what was refused, and say so in the log, before the cursor passes it.

        Of a refused `sink.…` leaf no leaf is written: it would be refused too, and so on without end.
        """
        at = str(self._clock.now_ns())
        parked = [Parked(id=s.id, type=s.type, t=s.leaf.t if s.leaf else "", reason=s.reason, at=at) for s in suspects]
        await aside(self._cabinet.park, parked)
        told = [suspect for suspect in suspects if not suspect.type.startswith("sink.")]
        if told:
            ids: list[object] = [suspect.id for suspect in told[:MOST_SUSPECTS]]
            data: dict[str, object] = {"events": ids, "count": len(told), "last": told[-1].id}
            data |= {"reason": told[0].reason, "parked": self._cabinet.parked}
            await self._record(EventType.SINK_REJECTED, data, ok=False)

    async def _tell_missing(self, run: Run) -> None:
        """Leaves were deleted before the sink had them: say which."""
        first = run.first - run.missing
        data: dict[str, object] = {"reason": "deleted", "from": event_id(run.origin, first), "count": run.missing}
        await self._record(EventType.SINK_REJECTED, data, ok=False)

    async def _fail(self, later: Later) -> None:
        """Say once that it does not get through, and wait."""
        self.failures += 1
        self.failing = later.reason
        self._since_ns = self._since_ns or self._clock.now_ns()
        wait = self._backoff.fail(later.after)
        if self._backoff.tries >= TRIES_BEFORE_FAILED and not self._told:
            self._told = True
            data: dict[str, object] = {"reason": later.reason, "since": str(self._since_ns), "pending": self.pending}
            await self._record(EventType.SINK_FAILED, data, ok=False, once=True)
        await asyncio.sleep(wait)

    async def _recover(self) -> None:
        self._backoff.reset()
        self.failing = ""
        since, self._since_ns = self._since_ns, 0
        if self._told:
            self._told = False
            data: dict[str, object] = {"since": str(since), "pending": self.pending}
            await self._record(EventType.SINK_RECOVERED, data, once=True)

    async def _record(self, kind: EventType, data: dict[str, object], *, ok: bool = True, once: bool = False) -> None:
        """Write a leaf. While nothing can be recorded it waits, unless it is news that will be old by then (`once`)."""
        event = Event(type=kind, ok=ok, data={"sink": self.plan.name, "kind": self.plan.kind, **data})
        while True:
            try:
                await self._note(event)
            except GatewayError:
                if once:
                    return
                await asyncio.sleep(RECORD_AGAIN_SECONDS)
            else:
                return


def _suspect(event: Outgoing, reason: str) -> Suspect:
    return Suspect(event.id, event.leaf, reason)


def _time_of(leaf: bytes) -> int:
    """When a leaf was written; long ago when it cannot be read, so that nothing waits for it."""
    try:
        return int(decode_leaf(leaf).t)
    except ValueError:
        return 0
