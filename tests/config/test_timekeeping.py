"""Clocks are compared when the gateway starts and each hour: recorded, and said when they are a second apart."""

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.config import timekeeping
from gateway.config.timekeeping import compare, keep_time
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.evidence.clocks import Apart


@dataclass
class Database:
    """A database whose clock is `ahead` microseconds ahead, asked over a line with a delay."""

    clock: "Clock"
    ahead: int = 0
    away: bool = False

    async def clock_us(self) -> int:
        if self.away:
            raise Unavailable("upstream.unreachable")
        self.clock.now += 400_000
        here = self.clock.now // 1000
        self.clock.now += 400_000
        return here + self.ahead


@dataclass
class Clock:
    now: int = 1_764_064_800_000_000_000

    def now_ns(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return self.now


@dataclass
class Told:
    said: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __call__(self, event: str, **facts: object) -> None:
        self.said.append((event, facts))


async def test_a_database_is_asked_how_late_it_is() -> None:
    clock = Clock()
    assert await compare(Database(clock, 5_000_000), clock) == Apart(offset_us=5_000_000, error_us=400)  # type: ignore[arg-type]  # a keeper by what it does
    assert await compare(Database(clock, away=True), clock) == "upstream.unreachable"  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize(("ahead", "told"), [(0, []), (999_000, []), (-1_500_000, ["clocks.differ"])])
async def test_it_is_recorded_each_hour_and_said_above_a_second(
    monkeypatch: pytest.MonkeyPatch, ahead: int, told: list[str]
) -> None:
    monkeypatch.setattr(timekeeping, "EVERY_SECONDS", 0.001)
    clock, tell, events = Clock(), Told(), list[Event]()
    twice = asyncio.Event()

    async def record(event: Event) -> None:
        events.append(event)
        if len(events) == 2:
            twice.set()
        raise Unavailable("evidence.unavailable")

    keepers = {"payments": Database(clock, ahead), "away": Database(clock, away=True)}
    task = asyncio.ensure_future(keep_time(keepers, record, clock, tell))  # type: ignore[arg-type]  # keepers by what they do
    await asyncio.wait_for(twice.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert {event.type for event in events} == {EventType.CLOCK_MEASURED}
    assert events[0].data["databases"] == {
        "payments": {"offset_us": ahead, "error_us": 400},
        "away": {"unavailable": "upstream.unreachable"},
    }
    assert [event for event, _ in tell.said[:1]] == told
