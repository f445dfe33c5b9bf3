"""Sinks run in a thread of their own; what they record is written on the gateway's loop; the end waits for nobody."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.core.events import Event, EventType
from gateway.evidence.sinks import courier as courier_module
from gateway.evidence.sinks import dispatch as module
from gateway.evidence.sinks.answers import Answer, Later, Taken
from gateway.evidence.sinks.courier import Courier, Note
from gateway.evidence.sinks.dispatch import Dispatch, lag_seconds
from gateway.evidence.sinks.outgoing import Outgoing
from tests.evidence.sinks.fakes import FakeReceiver, courier
from tests.evidence.world import whole_log


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.001)


async def until(holds: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await holds.wait()


class Watching(FakeReceiver):
    """Tells the loop of the test when something was taken, and in which thread."""

    def __init__(self, answers: list[Answer | Exception]) -> None:
        super().__init__()
        self._answers = answers
        self.loop, self.done = asyncio.get_running_loop(), asyncio.Event()
        self.threads: set[str] = set()

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        self.threads.add(threading.current_thread().name)
        answer = self._answers.pop(0) if self._answers else Taken()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Taken):
            self.taken += [event.id for event in events]
            self.loop.call_soon_threadsafe(self.done.set)
        return answer


async def test_receivers_are_served_in_a_thread_and_leaves_are_written_on_the_loop(tmp_path: Path) -> None:
    await asyncio.to_thread(whole_log, tmp_path, sessions=1)
    receiver = Watching([Later("http.503")] * 4)
    noted: list[tuple[Event, str]] = []

    async def note(event: Event) -> None:
        noted.append((event, threading.current_thread().name))

    def make(record: Note) -> list[Courier]:
        return [courier(tmp_path, receiver, record)]

    dispatch = Dispatch(make, note)
    dispatch.start()
    await until(receiver.done)
    while len(noted) < 2:  # noqa: ASYNC110 -- a fact, not an event
        await asyncio.sleep(0.001)
    await dispatch.close()
    assert receiver.threads == {"sinks"}
    assert [(event.type, thread) for event, thread in noted] == [
        (EventType.SINK_FAILED, threading.current_thread().name),
        (EventType.SINK_RECOVERED, threading.current_thread().name),
    ]
    assert receiver.closed
    assert dispatch.numbers(lambda each: each.failures) == {"test": 4}


async def test_an_error_of_ours_is_told_and_the_sink_goes_on(tmp_path: Path) -> None:
    await asyncio.to_thread(whole_log, tmp_path, sessions=1)
    receiver = Watching([TypeError("ours")])
    noted: list[Event] = []

    async def note(event: Event) -> None:
        noted.append(event)

    dispatch = Dispatch(lambda record: [courier(tmp_path, receiver, record)], note)
    dispatch.start()
    await until(receiver.done)
    await dispatch.close()
    assert noted[0].type is EventType.SINK_FAILED
    assert noted[0].data["reason"] == "gateway.TypeError"


async def test_a_receiver_that_hangs_keeps_neither_the_others_nor_the_end(tmp_path: Path) -> None:
    await asyncio.to_thread(whole_log, tmp_path, sessions=1)

    class Hanging(FakeReceiver):
        async def send(self, events: Sequence[Outgoing]) -> Answer:
            await asyncio.sleep(3600 + len(events))
            return Taken()

    receiver = Watching([])
    dispatch = Dispatch(
        lambda record: [courier(tmp_path, Hanging(), record), courier(tmp_path, receiver, record)], _nothing
    )
    dispatch.start()
    await until(receiver.done)
    async with asyncio.timeout(10):
        await dispatch.close()


async def test_lag_is_told_while_a_receiver_keeps_a_batch_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEASURE_SECONDS", 0.001)
    await asyncio.to_thread(whole_log, tmp_path, sessions=1)
    receiver = Watching([Later("http.503")] * 10**6)
    dispatch = Dispatch(lambda record: [courier(tmp_path, receiver, record)], _nothing)
    dispatch.start()
    pending = dispatch.couriers[0]
    async with asyncio.timeout(20):
        while not pending.pending:  # noqa: ASYNC110 -- another thread counts
            await asyncio.sleep(0.001)
        before = pending.pending
        await asyncio.to_thread(whole_log, tmp_path, sessions=1)
        while pending.pending <= before:  # noqa: ASYNC110 -- another thread counts
            await asyncio.sleep(0.001)
    await dispatch.close()


async def _nothing(_: Event) -> None:
    return


async def test_lag_is_the_age_of_the_oldest_leaf_that_was_not_taken(tmp_path: Path) -> None:
    one = courier(tmp_path, FakeReceiver())
    assert lag_seconds(one, 50 * 10**9) == 0
    one.pending, one.oldest_ns = 3, 20 * 10**9
    assert lag_seconds(one, 50 * 10**9) == 30
    one.pending = 0
    assert lag_seconds(one, 50 * 10**9) == 0
