"""A receiver that does what it is told, and a courier that carries a small log to it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.core.events import Event
from gateway.evidence.sinks.allowance import Allowance
from gateway.evidence.sinks.answers import Answer, Taken
from gateway.evidence.sinks.courier import Courier, Note, Plan
from gateway.evidence.sinks.cursor import Cabinet
from gateway.evidence.sinks.follow import Follower
from gateway.evidence.sinks.formats import Style
from gateway.evidence.sinks.outgoing import Outgoing
from tests.evidence.world import TickClock

Rule = Callable[[Sequence[Outgoing]], Answer]


class FakeReceiver:
    """Answers by its rule; remembers what it took."""

    def __init__(self, rule: Rule = lambda _: Taken()) -> None:
        self.rule = rule
        self.taken: list[str] = []
        self.batches: list[int] = []
        self.closed = False

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        self.batches.append(len(events))
        answer = self.rule(events)
        if isinstance(answer, Taken):
            self.taken += [event.id for place, event in enumerate(events) if place not in answer.refused]
        await asyncio.sleep(0)
        return answer

    async def probe(self) -> Answer:
        return Taken()

    async def close(self) -> None:
        self.closed = True

    @property
    def numbers(self) -> list[int]:
        """Of the leaves it took."""
        return [int(each.rpartition("#")[2]) for each in self.taken]


class Notes:
    """What the courier has recorded."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def types(self) -> list[str]:
        return [event.type.value for event in self.events]


def plan(**more: object) -> Plan:
    usual = Plan(
        name="test", kind="fake", style=Style("raw", bodies=False, limit=1 << 20), most_events=50, most_bytes=1 << 20,
        hold=0.0, from_now=False, retry_most=0.001,
    )  # fmt: skip
    return usual._replace(**more)  # type: ignore[arg-type]  # the tests say what is right


def courier(data_dir: Path, receiver: FakeReceiver, note: Note | None = None, **more: object) -> Courier:
    return Courier(
        plan(**more), Follower(data_dir), Cabinet(data_dir, "test"), receiver, clock=TickClock(),
        note=note or Notes(), first_wait=0.0005,
    )  # fmt: skip


async def carried(one: Courier, until: Callable[[], bool], seconds: float = 20) -> None:
    """Let it work until something holds, then cancel it as the gateway does."""
    allowance = Allowance(1.0)
    allowance.begin()
    work = asyncio.ensure_future(one.run(allowance))
    try:
        async with asyncio.timeout(seconds):
            while not until() and not work.done():  # noqa: ASYNC110 -- it waits for a fact, not for an event
                await asyncio.sleep(0.002)
    finally:
        work.cancel()
        await asyncio.wait([work])
    if not work.cancelled():
        work.result()
