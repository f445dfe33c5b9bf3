"""The recorder: events become numbered leaves before anything is acted on, or the caller hears that they did not."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from gateway.core.cards import find_card_numbers
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType, Who
from gateway.evidence import log as log_module
from gateway.evidence import recorder as module
from gateway.evidence.leaf import MAX_LEAF, Leaf, decode_leaf
from gateway.evidence.merkle import leaf_hash
from gateway.evidence.reader import open_epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.view import View
from tests.evidence.world import CARD, Disk, TickClock, check, closed, decided, finished, grave, one_session, opened

Open = Callable[..., Awaitable[Recorder]]


@pytest.fixture
async def start(tmp_path: Path, clock: TickClock) -> AsyncIterator[Open]:
    """Open the test's data folder; whatever is still open at the end is closed."""
    recorders: list[Recorder] = []

    async def open_it(durability: str = "group") -> Recorder:
        recorder = await Recorder.open(tmp_path, clock, durability=durability, checkpoint_interval=3600)
        recorders.append(recorder)
        return recorder

    yield open_it
    for recorder in recorders:
        await recorder.close()


def leaves(folder: Path) -> list[Leaf]:
    view = View(open_epochs(folder)[-1])
    return [decode_leaf(data) for _, data in view.upwards(0)]


def stored(folder: Path) -> bytes:
    """Every byte under the data folder, keys left out."""
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.parent.name != "keys")


async def kill(recorder: Recorder) -> None:
    """Let go without a closing leaf."""
    heart, recorder._heart = recorder._heart, None  # noqa: SLF001 -- nobody else may end it so
    assert heart is not None
    heart.cancel()
    await recorder._release()  # noqa: SLF001 -- as above


async def until_well(recorder: Recorder) -> None:
    while recorder.degraded is not None:  # noqa: ASYNC110 -- nobody announces it
        await asyncio.sleep(0.02)


async def test_a_receipt_says_where_the_event_stands(start: Open, tmp_path: Path) -> None:
    recorder = await start()
    receipt = await recorder.append(opened("s"))
    assert (receipt.leaf, receipt.seq) == (2, 1)
    await recorder.close()
    _, data = next(View(open_epochs(tmp_path)[0]).upwards(2))
    assert leaf_hash(data) == receipt.leaf_hash


async def test_sixty_four_agents_at_once_leave_no_gap(start: Open, tmp_path: Path, clock: TickClock) -> None:
    recorder = await start()
    done = await asyncio.gather(*(one_session(recorder, clock, 5) for _ in range(64)))
    await recorder.close()
    report = check(tmp_path)
    assert grave(report) == []
    assert (report.epochs[0].decisions, report.epochs[0].sessions) == (64 * 5, 64)
    assert {leaf.did for leaf in leaves(tmp_path) if leaf.did} == {did for ids in done for did in ids}


@pytest.mark.parametrize(
    ("durability", "durable", "waits"), [("group", True, True), ("group", False, False), ("each", False, True)]
)
async def test_what_asks_for_the_disk_waits_for_it(
    start: Open, disk: Disk, durability: str, durable: bool, waits: bool  # noqa: FBT001 -- a table
) -> None:  # fmt: skip
    recorder = await start(durability)
    disk.gate.clear()
    appending = asyncio.ensure_future(recorder.append(decided("d", durable=durable)))
    await asyncio.sleep(0.01)
    assert appending.done() is not waits
    disk.gate.set()
    await appending


async def test_each_waits_for_decisions_only(start: Open, disk: Disk) -> None:
    recorder = await start("each")
    disk.gate.clear()
    await asyncio.wait_for(recorder.append(finished("d")), 1)
    disk.gate.set()


async def test_a_card_number_never_reaches_the_disk_wherever_it_was_put(start: Open, tmp_path: Path) -> None:
    recorder = await start()
    spoiled = Event(
        type=EventType.STATEMENT_DECIDED, sid="s", did="d", who=Who(id=CARD, on_behalf_of=f"x {CARD}"),
        res=f"db {CARD}", act=CARD, outcome=CARD, data={CARD: {"deep": [CARD, int(CARD)]}, "long": f"{CARD} " * 400},
        bodies={"in": f'{{"a":"{CARD}"}}'.encode(), "out": CARD.encode(), "body": f"4111-{CARD[4:]} {CARD}".encode()},
    )  # fmt: skip
    await recorder.append(spoiled)
    await recorder.close()
    everything = stored(tmp_path)
    assert not find_card_numbers(everything)
    assert CARD.encode() not in everything
    (leaf,) = (leaf for leaf in leaves(tmp_path) if leaf.did == "d")
    assert leaf.scrubbed == ("act", "body", "data", "in", "out", "outcome", "res", "who")
    report = check(tmp_path)
    assert "leaf.scrubbed" in {finding.name for finding in report.findings}
    assert "body.missing" not in grave(report)


async def test_a_leaf_stays_within_4_kib_and_what_is_longer_lies_beside_it(start: Open, tmp_path: Path) -> None:
    recorder = await start()
    await recorder.append(msgspec.structs.replace(opened("s"), data={"application": "x" * 20_000}))
    await recorder.append(closed("s"))
    await recorder.close()
    view = View(open_epochs(tmp_path)[0])
    assert all(len(data) <= MAX_LEAF for _, data in view.upwards(0))
    moved = decode_leaf(view.leaf(2)).moved_data().removeprefix("sha256:")
    assert view.reader.body(moved) == b'{"application":"' + b"x" * 20_000 + b'"}'


async def test_equal_bodies_are_written_once(start: Open, tmp_path: Path) -> None:
    recorder = await start()
    for number in range(3):
        await recorder.append(decided(f"d{number}", ok=False))
    await recorder.close()
    assert stored(tmp_path / "log").count(b'"text_redacted"') == 1
    assert len([path for path in (tmp_path / "objects").rglob("*") if path.is_file()]) == 2


async def test_an_event_that_cannot_be_written_is_refused_and_stands_in_nobodys_way(
    start: Open, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "RETRY_EVERY", 0.02)
    recorder = await start()
    poisoned = msgspec.structs.replace(closed("s"), data={"n": float("nan")})
    with pytest.raises(Unavailable, match="not plain data"):
        await recorder.append(poisoned)
    with pytest.raises(Unavailable, match="too large"):
        await recorder.append(Event(type=EventType.CONFIG_LOADED, bodies={"body": bytes(module.MAX_BODY + 1)}))
    assert recorder.degraded is None
    disk.room = 0
    with pytest.raises(Unavailable):
        await recorder.append(closed("late"))
    disk.room = None
    await until_well(recorder)
    await recorder.append(closed("s"))
    await recorder.close()
    assert [leaf.sid for leaf in leaves(tmp_path) if leaf.type == "session.closed"] == ["late", "s"]
    assert grave(check(tmp_path)) == []


async def test_a_session_that_closes_leaves_no_decision_without_an_outcome(start: Open, tmp_path: Path) -> None:
    recorder = await start()
    await recorder.append(opened("s"))
    await recorder.append(decided("d", "s"))
    await recorder.append(closed("s"))
    await recorder.close()
    told = [(leaf.type, leaf.outcome) for leaf in leaves(tmp_path) if leaf.sid]
    assert told[2] == ("statement.finished", "outcome_unknown")
    assert grave(check(tmp_path)) == []


async def test_heartbeats_name_the_open_sessions(start: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.01)
    recorder = await start()
    await recorder.append(opened("s"))
    await asyncio.sleep(0.1)
    await recorder.append(closed("s"))
    await recorder.close()
    beats = [leaf.facts()["open"] for leaf in leaves(tmp_path) if leaf.type == "heartbeat"]
    assert 1 in beats
    assert grave(check(tmp_path)) == []


async def test_a_full_disk_denies_and_the_gap_is_recorded(
    start: Open, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "RETRY_EVERY", 0.02)
    recorder = await start()
    await recorder.append(opened("s"))
    await recorder.append(decided("d1", "s"))
    disk.room = 10
    with pytest.raises(Unavailable) as caught:
        await recorder.append(decided("d2", "s"))
    assert caught.value.code == "evidence.unavailable"
    assert recorder.degraded is not None
    for event in (finished("d1", "s"), closed("s")):
        with pytest.raises(Unavailable):
            await recorder.append(event)
    await asyncio.sleep(0.1)
    disk.room = None
    await until_well(recorder)
    await recorder.append(opened("s2"))
    await recorder.append(closed("s2"))
    await recorder.close()
    found = leaves(tmp_path)
    (gap,) = (leaf for leaf in found if leaf.type == "log.degraded")
    facts = gap.facts()
    assert (facts["cause"], facts["refused"], facts["lost"]) == ("ENOSPC", 3, 0)
    assert int(str(facts["start"])) < int(str(facts["end"]))
    late = [leaf for leaf in found if "late" in leaf.facts()]
    assert [(leaf.type, leaf.did) for leaf in late] == [("statement.finished", "d1"), ("session.closed", "")]
    assert "d2" not in {leaf.did for leaf in found}
    assert grave(check(tmp_path)) == []


async def test_a_gap_is_told_from_its_beginning_though_the_disk_fails_again(
    start: Open, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "RETRY_EVERY", 0.02)
    recorder = await start()
    disk.room = 0
    with pytest.raises(Unavailable):
        await recorder.append(opened("s"))
    assert recorder.degraded is not None
    began = recorder.degraded.since_ns
    await asyncio.sleep(0.1)  # nothing is waiting to be written again, so it is well at once, and full at once
    disk.room = None
    await until_well(recorder)
    await recorder.close()
    gaps = [leaf.facts() for leaf in leaves(tmp_path) if leaf.type == "log.degraded"]
    assert [int(str(gap["start"])) for gap in gaps] == [began]


async def test_a_decision_that_could_not_be_made_durable_is_said_not_to_have_been_forwarded(
    start: Open, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "RETRY_EVERY", 0.02)
    recorder = await start()
    await recorder.append(opened("s"))
    disk.sync_error = errno.EIO
    with pytest.raises(Unavailable):
        await recorder.append(decided("d", "s", durable=True))
    disk.sync_error = 0
    await until_well(recorder)
    await recorder.append(closed("s"))
    await recorder.close()
    (outcome,) = (leaf.outcome for leaf in leaves(tmp_path) if leaf.type == "statement.finished")
    assert outcome == "not_forwarded"
    assert grave(check(tmp_path)) == []


async def test_it_closes_what_a_crash_left_open_and_says_so(start: Open, tmp_path: Path) -> None:
    """A crash, to the next start, is a log that was not closed."""
    recorder = await start()
    await recorder.append(opened("s"))
    await recorder.append(decided("d", "s"))
    await kill(recorder)
    again = await start()
    await again.close()
    told = [leaf.type for leaf in leaves(tmp_path)]
    assert told == [
        "log.opened", "key.created", "session.opened", "statement.decided",
        "log.opened", "statement.finished", "session.closed", "log.recovered", "log.closed",
    ]  # fmt: skip
    assert grave(check(tmp_path)) == []


async def test_the_keys_of_an_epoch_are_told_and_nothing_secret_of_them(start: Open, tmp_path: Path) -> None:
    for _ in range(2):
        recorder = await start()
        await recorder.close()
    (told,) = [leaf for leaf in leaves(tmp_path) if leaf.type == "key.created"]
    assert told.facts() == {
        "epoch": 1,
        "keys": [
            {"kind": "log", "public": recorder.verifier.encode(), "use": "checkpoints"},
            {"kind": "mac", "use": "exact texts and values"},
        ],
    }
    secret = (tmp_path / "keys/mac-1.key").read_bytes()
    assert secret not in stored(tmp_path / "log")


class SetClock(TickClock):
    """Its wall clock can be set."""

    by = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.by

    def monotonic_ns(self) -> int:
        return super().now_ns()


@pytest.mark.parametrize(("seconds", "words"), [(-3600, "3600.0 s back"), (86_400, "86400.0 s ahead")])
async def test_a_clock_that_is_set_is_recorded_told_and_found(tmp_path: Path, seconds: int, words: str) -> None:
    clock, told = SetClock(), list[tuple[str, dict[str, object]]]()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600, tell=lambda *what: told.append(what))
    await recorder.append(opened("s"))
    clock.by = seconds * 10**9
    await recorder.append(closed("s"))
    await recorder.close()
    assert [leaf.type for leaf in leaves(tmp_path)][3:5] == ["clock.jumped", "session.closed"]
    assert told == [("clock.jumped", {"seconds": float(seconds)})]
    report = check(tmp_path)
    assert grave(report) == []
    (found,) = [finding for finding in report.findings if finding.name == "clock.jumped"]
    assert words in found.text
    assert "time.backwards" not in {finding.name for finding in report.findings}


async def test_a_recovery_and_a_new_epoch_are_told_to_the_operator(start: Open, tmp_path: Path) -> None:
    await kill(await start())
    told: list[str] = []
    await kill(await Recorder.open(tmp_path, TickClock(), tell=lambda what, _: told.append(what)))
    assert told == ["log.recovered"]
    (tmp_path / "keys/log-1.key").write_bytes(b"?")
    recorder = await Recorder.open(tmp_path, TickClock(), tell=lambda what, _: told.append(what))
    await recorder.close()
    assert told == ["log.recovered", "log.new_epoch"]
    report = check(tmp_path)
    (found,) = [finding for finding in report.findings if finding.name == "epoch.begun"]
    assert (found.where, found.grave) == ("epoch 2, leaf 0", False)
    assert "its keys cannot be read" in found.text


async def test_a_second_writer_is_turned_away(start: Open) -> None:
    await start()
    with pytest.raises(Unavailable, match="another process"):
        await start()


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path, clock: TickClock) -> None:
    (tmp_path / "var").write_bytes(b"a file")
    with pytest.raises(Unavailable, match="on opening the log"):
        await Recorder.open(tmp_path / "var", clock)


async def test_the_mac_binds_exact_bytes_under_the_epochs_key(start: Open) -> None:
    recorder = await start()
    assert recorder.mac(b"a") == recorder.mac(b"a")
    assert recorder.mac(b"a") != recorder.mac(b"b")
    assert len(recorder.mac(b"a")) == len("hmac:") + 64


async def test_a_checkpoint_can_be_asked_for(start: Open) -> None:
    recorder = await start()
    await recorder.append(opened("s"))
    assert recorder.published < recorder.size
    await recorder.checkpoint()
    assert recorder.published == recorder.size == 3
    assert recorder.verifier.name.startswith("querywarden.local/")


async def test_while_recordings_cannot_be_written_nothing_new_is_let_through_and_everything_else_is_recorded(
    start: Open, tmp_path: Path
) -> None:
    recorder = await start()
    for event in (opened("s"), decided("before", "s")):
        await recorder.append(event)
    recorder.suspend("recording ENOSPC")
    recorder.suspend("recording EIO")
    assert recorder.degraded is not None
    assert recorder.degraded.cause == "recording ENOSPC"
    with pytest.raises(Unavailable):
        await recorder.append(decided("meanwhile", "s"))
    for event in (decided("refused", "s", ok=False), finished("before", "s")):
        await recorder.append(event)
    recorder.resume()
    recorder.resume()
    assert recorder.degraded is None
    await recorder.append(decided("after", "s"))
    await recorder.append(finished("after", "s"))
    await recorder.append(closed("s"))
    await recorder.close()
    (reader,) = open_epochs(tmp_path)
    leaves = [decode_leaf(data) for _, data in View(reader).upwards(0)]
    assert [leaf.did for leaf in leaves if leaf.did] == ["before", "refused", "before", "after", "after"]
    (degraded,) = [leaf.facts() for leaf in leaves if leaf.type == EventType.LOG_DEGRADED]
    assert (degraded["cause"], degraded["refused"], degraded["lost"]) == ("recording ENOSPC", 1, 0)
    assert grave(check(tmp_path)) == []
