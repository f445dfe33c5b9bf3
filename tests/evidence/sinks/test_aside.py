"""What blocks runs in a thread: its result and its error come back, and nobody waits for it when cancelled."""

import asyncio
import threading

import pytest

from gateway.evidence.sinks.aside import aside, settled


async def test_results_and_errors_come_back() -> None:
    assert await aside(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await aside(divmod, 7, 0)


async def test_whoever_is_cancelled_does_not_wait() -> None:
    gate = threading.Event()
    work = asyncio.ensure_future(aside(gate.wait, 30))
    await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    gate.set()


async def test_what_is_still_at_work_is_waited_for_and_not_without_end() -> None:
    gate, done = threading.Event(), list[int]()

    def work() -> None:
        gate.wait(30)
        done.append(1)

    task = asyncio.ensure_future(aside(work))
    await asyncio.sleep(0.01)
    task.cancel()
    await settled(0.05)
    assert done == []
    gate.set()
    await settled(20)
    assert done == [1]


def test_a_loop_that_is_closed_is_not_told() -> None:
    gate, done = threading.Event(), threading.Event()

    def work() -> None:
        gate.wait(10)
        done.set()

    async def begin() -> None:
        task = asyncio.ensure_future(aside(work))
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(begin())
    gate.set()
    assert done.wait(10)
