"""Nothing is lost, nothing is passed by in silence, order holds, and what is sent twice has the same id."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.core.events import Event
from gateway.evidence.files import put_file
from gateway.evidence.leaf import LeafError
from gateway.evidence.sinks import courier as module
from gateway.evidence.sinks import cursor
from gateway.evidence.sinks.answers import Answer, Later, Refused, Taken
from gateway.evidence.sinks.cursor import Cabinet, Cursor
from gateway.evidence.sinks.formats import Writer
from gateway.evidence.sinks.outgoing import Outgoing, Position
from gateway.evidence.tiles import bundle_path
from gateway.evidence.view import open_views
from tests.evidence.sinks.fakes import FakeReceiver, Notes, carried, courier
from tests.evidence.world import whole_log


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(module, "RECORD_AGAIN_SECONDS", 0.001)
    monkeypatch.setattr(cursor, "put_file", lambda path, data, *, sync: put_file(path, data, sync=not sync))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    whole_log(folder, sessions=20, statements=6)
    return folder


@pytest.fixture
def log(written: Path, tmp_path: Path) -> tuple[Path, int]:
    """A folder and how many signed leaves it has."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return tmp_path, next(iter(open_views(tmp_path))).signed


async def test_every_signed_leaf_is_sent_once_and_in_order(log: tuple[Path, int]) -> None:
    folder, size = log
    receiver = FakeReceiver()
    one = courier(folder, receiver)
    await carried(one, lambda: one.sent >= size)
    assert receiver.numbers == list(range(size))
    assert (one.sent, one.pending, one.failing, one.parked) == (size, 0, "", 0)
    assert max(receiver.batches) == 50


async def test_after_a_restart_it_goes_on_where_it_was(log: tuple[Path, int]) -> None:
    folder, size = log
    first, second = FakeReceiver(), FakeReceiver()
    await carried(courier(folder, first), lambda: len(first.taken) >= 100)
    await carried(courier(folder, second), lambda: size - 1 in second.numbers)
    assert sorted({*first.numbers, *second.numbers}) == list(range(size))
    assert second.numbers[0] <= first.numbers[-1] + 1


async def test_what_was_cut_short_is_sent_again_with_the_same_ids_and_the_same_bytes(log: tuple[Path, int]) -> None:
    folder, _ = log
    seen: list[list[Outgoing]] = []

    def crash(events: Sequence[Outgoing]) -> Answer:
        seen.append(list(events))
        raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            await carried(courier(folder, FakeReceiver(crash)), lambda: False)
    assert seen[0] == seen[1]


async def test_a_sink_that_is_down_gets_everything_when_it_is_back_and_the_log_tells_of_both(
    log: tuple[Path, int],
) -> None:
    folder, size = log
    notes, left = Notes(), [Later("http.ConnectionError")] * 7
    receiver = FakeReceiver(lambda _: left.pop() if left else Taken())
    one = courier(folder, receiver, notes)
    await carried(one, lambda: len(receiver.taken) >= size)
    assert receiver.numbers == list(range(size))
    assert notes.types == ["sink.failed", "sink.recovered"]
    assert notes.events[0].data["reason"] == "http.ConnectionError"
    assert one.failures == 7


async def test_a_short_failure_is_not_worth_a_leaf(log: tuple[Path, int]) -> None:
    folder, size = log
    notes, left = Notes(), [Later("http.503")] * 2
    receiver = FakeReceiver(lambda _: left.pop() if left else Taken())
    await carried(courier(folder, receiver, notes), lambda: len(receiver.taken) >= size)
    assert notes.events == []


@pytest.mark.parametrize("named", [False, True])
async def test_events_that_are_refused_alone_are_parked_named_and_passed_by(
    log: tuple[Path, int], *, named: bool
) -> None:
    folder, size = log
    poison = {0, 17, 18, 49, 50, size - 2}
    notes = Notes()

    def rule(events: Sequence[Outgoing]) -> Answer:
        bad = [place for place, event in enumerate(events) if event.position.number in poison]
        return Refused("http.400", bad[0] if named else None) if bad else Taken()

    receiver = FakeReceiver(rule)
    one = courier(folder, receiver, notes)
    await carried(one, lambda: one.parked == len(poison) and len(receiver.taken) >= size - len(poison))
    assert receiver.numbers == [number for number in range(size) if number not in poison]
    parked = Cabinet(folder, "test").list_parked()
    assert {int(each.id.rpartition("#")[2]) for each in parked} == poison
    assert {each.reason for each in parked} == {"http.400"}
    told = [event.data["events"] for event in notes.events if event.type.value == "sink.rejected"]
    assert sorted(str(each) for ids in told if isinstance(ids, list) for each in ids) == sorted(p.id for p in parked)


async def test_events_named_in_an_answer_that_takes_the_rest_are_parked(log: tuple[Path, int]) -> None:
    folder, size = log
    receiver = FakeReceiver(
        lambda events: Taken((1,), "webhook.refused") if events[0].position.number == 0 else Taken()
    )
    one = courier(folder, receiver)
    await carried(one, lambda: len(receiver.taken) >= size - 1)
    assert receiver.numbers == [number for number in range(size) if number != 1]
    assert [each.id.rpartition("#")[2] for each in Cabinet(folder, "test").list_parked()] == ["1"]


async def test_a_sink_that_refuses_everything_has_failed_and_nothing_is_parked(log: tuple[Path, int]) -> None:
    folder, size = log
    notes, refusing = Notes(), [True]
    receiver = FakeReceiver(lambda _: Refused("http.400") if refusing else Taken())
    one = courier(folder, receiver, notes)
    await carried(one, lambda: "sink.failed" in notes.types)
    assert (one.parked, one.sent, one.pending) == (0, 0, size)
    assert str(notes.events[0].data["reason"]).startswith("refuses everything")
    refusing.clear()
    await carried(one, lambda: len(receiver.taken) >= size)
    assert receiver.numbers == list(range(size))
    assert one.parked == 0


async def test_leaves_that_cannot_be_read_are_parked_and_are_no_sign_of_a_bad_receiver(
    log: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, size = log
    write, unreadable, poison = Writer.write, set(range(5, 30)), 31

    def damaged(self: Writer, origin: str, position: Position, data: bytes) -> Outgoing:
        if position.number in unreadable:
            raise LeafError("damaged")
        return write(self, origin, position, data)

    monkeypatch.setattr(Writer, "write", damaged)
    receiver = FakeReceiver(
        lambda events: Refused("http.400") if any(e.position.number == poison for e in events) else Taken()
    )
    one = courier(folder, receiver)
    await carried(one, lambda: one.parked == len(unreadable) + 1 and size - 1 in receiver.numbers)
    assert receiver.numbers == [number for number in range(size) if number not in {*unreadable, poison}]
    reasons = {each.reason for each in Cabinet(folder, "test").list_parked()}
    assert reasons == {"leaf.unreadable", "http.400"}


async def test_the_last_event_refused_waits_until_another_is_taken(log: tuple[Path, int]) -> None:
    folder, size = log
    last = size - 1
    receiver = FakeReceiver(
        lambda events: Refused("http.400") if any(e.position.number == last for e in events) else Taken()
    )
    one = courier(folder, receiver)
    await carried(one, lambda: one.pending == 1)
    assert one.parked == 0
    await asyncio.to_thread(whole_log, folder, sessions=1, statements=1)
    again = courier(folder, receiver)
    await carried(again, lambda: again.parked == 1)
    assert receiver.numbers[size - 1] == size


async def test_a_refused_leaf_about_a_sink_makes_no_leaf(
    log: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, size = log
    notes = Notes()
    receiver = FakeReceiver(lambda e: Taken((0,), "x") if e[0].position.number == 0 else Taken())
    monkeypatch.setattr(module.Suspect, "type", property(lambda _: "sink.rejected"))
    one = courier(folder, receiver, notes)
    await carried(one, lambda: len(receiver.taken) >= size - 1)
    assert one.parked == 1
    assert notes.events == []


async def test_a_rejection_is_recorded_before_the_cursor_passes_it(log: tuple[Path, int]) -> None:
    folder, _ = log
    refusals: list[str] = []

    async def degraded(event: Event) -> None:
        refusals.append(event.type.value)
        raise Unavailable("evidence.unavailable")

    receiver = FakeReceiver(lambda _: Taken((0,), "x"))
    await carried(courier(folder, receiver, degraded), lambda: len(refusals) > 3)
    assert set(refusals) == {"sink.rejected"}
    saved = Cabinet(folder, "test").load()
    assert saved is not None
    assert saved.index == 0
    assert len(Cabinet(folder, "test").list_parked()) == 1


async def test_a_batch_waits_until_it_is_worth_sending(log: tuple[Path, int]) -> None:
    folder, size = log
    receiver = FakeReceiver()
    one = courier(folder, receiver, most_events=10_000, hold=60.0)
    await carried(one, lambda: one.pending == size and one.oldest_ns > 0)
    assert receiver.batches == []


async def test_a_sink_that_begins_now_is_sent_only_what_comes(log: tuple[Path, int]) -> None:
    folder, size = log
    receiver = FakeReceiver()
    one = courier(folder, receiver, from_now=True)
    await carried(one, lambda: Cabinet(folder, "test").load() is not None)
    await asyncio.to_thread(whole_log, folder, sessions=1, statements=1)
    again = courier(folder, receiver, from_now=True)
    await carried(again, lambda: bool(receiver.taken) and again.pending == 0)
    assert receiver.numbers[0] == size


async def test_a_log_that_was_put_back_is_sent_again(log: tuple[Path, int]) -> None:
    folder, size = log
    cabinet = Cabinet(folder, "test")
    receiver = FakeReceiver()
    one = courier(folder, receiver)
    await carried(one, lambda: one.sent >= size)
    cabinet.save(Cursor(epoch=1, index=size + 5))
    again = FakeReceiver()
    await carried(courier(folder, again), lambda: len(again.taken) >= size)
    assert again.numbers == list(range(size))


async def test_a_log_that_cannot_be_read_is_a_failure_and_nothing_is_passed_by(log: tuple[Path, int]) -> None:
    folder, size = log
    note = folder / "log/1/checkpoint"
    good = note.read_bytes()
    note.write_bytes(good.replace(b"\n", b"!", 1))
    notes, receiver = Notes(), FakeReceiver()
    one = courier(folder, receiver, notes)
    await carried(one, lambda: "sink.failed" in notes.types)
    assert one.failing.startswith("evidence.")
    note.write_bytes(good)
    await carried(one, lambda: len(receiver.taken) >= size)
    assert receiver.numbers == list(range(size))


async def test_leaves_that_were_deleted_before_they_were_sent_are_told_of(log: tuple[Path, int]) -> None:
    folder, _ = log
    await asyncio.to_thread(whole_log, folder, sessions=20, statements=6)
    (folder / "log/1" / bundle_path(0)).unlink()
    size = next(iter(open_views(folder))).signed
    notes, receiver = Notes(), FakeReceiver()
    await carried(courier(folder, receiver, notes), lambda: size - 1 in receiver.numbers)
    assert receiver.numbers == list(range(256, size))
    (told,) = notes.events
    assert (told.type.value, told.data["reason"], told.data["count"]) == ("sink.rejected", "deleted", 256)


async def test_an_error_of_ours_is_told_and_begun_again(log: tuple[Path, int]) -> None:
    folder, size = log
    notes, receiver = Notes(), FakeReceiver()
    one = courier(folder, receiver, notes)
    await one.fell(TypeError("x"))
    assert one.failing == "gateway.TypeError"
    await carried(one, lambda: len(receiver.taken) >= size)
    assert notes.types == ["sink.failed", "sink.recovered"]
    assert one.failing == ""
