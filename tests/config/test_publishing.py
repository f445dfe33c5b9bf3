"""Who reads entries over http is recorded, once an hour each; who cannot be recorded reads nothing."""

from pathlib import Path

import pytest

from gateway.config.publishing import Readers, log_desk
from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.evidence.recorder import Recorder
from tests.config.world import GOOD, changed, read
from tests.evidence.world import TickClock


class Told:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.full = False

    async def __call__(self, event: Event) -> None:
        if self.full:
            raise Unavailable("evidence.unavailable")
        self.events.append(event)


async def test_a_reader_is_recorded_once_an_hour() -> None:
    told, clock = Told(), TickClock()
    readers = Readers(told, clock)
    for _ in range(3):
        await readers.accessed("10.0.0.1")
    await readers.accessed("10.0.0.2")
    assert [event.data["client"] for event in told.events] == ["10.0.0.1", "10.0.0.2"]
    assert {event.type for event in told.events} == {EventType.EVIDENCE_ACCESSED}
    assert all(event.who and event.who.id and event.durable for event in told.events)
    clock.forward(3601)
    await readers.accessed("10.0.0.1")
    assert len(told.events) == 3


async def test_a_reader_who_cannot_be_recorded_is_refused_each_time() -> None:
    told = Told()
    readers = Readers(told, TickClock())
    told.full = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            await readers.accessed("10.0.0.1")
    told.full = False
    await readers.accessed("10.0.0.1")
    assert len(told.events) == 1


async def test_not_every_reader_of_old_is_remembered() -> None:
    told = Told()
    readers = Readers(told, TickClock())
    for number in range(1001):
        await readers.accessed(str(number))
    await readers.accessed("0")
    assert len(told.events) == 1002


async def test_the_desk_knows_whether_others_can_reach_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READER", "let me in")
    text = changed("listeners.http", {"address": "127.0.0.1:1", "insecure_loopback": True}, GOOD)
    settings = read(folder, changed("evidence.publish", {"token": {"env": "READER"}}, text)).settings
    assert settings is not None
    assert settings.listeners.http is not None
    recorder = await Recorder.open(tmp_path / "var", SystemClock())
    desk = log_desk(settings, settings.listeners.http, recorder, SystemClock())
    assert (desk.loopback, desk.epoch(), desk.token and desk.token()) == (True, 1, "let me in")
    await recorder.close()
