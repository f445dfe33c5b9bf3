"""What sessions share: tasks that are held on to, and events that nothing waits for."""

import asyncio

from gateway.core.clock import SystemClock
from gateway.core.events import Event, EventType
from gateway.frontends.driver import Driver
from gateway.frontends.house import House
from gateway.identity.verifier import Verifier
from tests.frontends.world import MemoryLog, Policy


def make() -> tuple[House, MemoryLog]:
    log, clock = MemoryLog(), SystemClock()
    return House(Driver(Policy(), log, clock), Verifier([], clock), {}, clock), log


async def test_a_task_is_held_until_it_ends() -> None:
    house, _ = make()
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()

    task = house.spawn(work())
    assert house.tasks == {task}
    gate.set()
    await task
    await asyncio.sleep(0)
    assert not house.tasks


async def test_a_log_that_cannot_take_an_event_is_told_by_the_answer_alone() -> None:
    house, log = make()
    assert await house.note(Event(type=EventType.HEARTBEAT))
    log.fail = lambda _: True
    assert not await house.note(Event(type=EventType.HEARTBEAT))
