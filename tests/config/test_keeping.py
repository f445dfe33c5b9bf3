"""What is older than it must be kept is pruned by the gateway itself, or by order."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from gateway.config.keeping import Keeping, in_a_line
from gateway.config.quantities import Duration
from gateway.config.settings import Retention
from gateway.core.errors import Refused
from gateway.core.events import EventType
from gateway.core.ids import new_id
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.recorder import Recorder
from gateway.evidence.recording.places import recording_path
from gateway.evidence.sinks.cursor import Cabinet, Cursor
from gateway.evidence.view import open_views
from gateway.policy.orders import Order, Prune
from tests.evidence.world import TickClock, check, grave, whole_log

DAY = 86_400 * 10**9
BORN = 1_900_000_000 * 10**9
KEPT = Retention(hot=Duration.parse("10d"), total=Duration.parse("100d"))
WISH = Order(
    id="01a2113f-ef77-7fef-bf71-000000000001", by="maria", reason="case 4711", at="t", command=Prune(before_ns=1)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Segments of the write-ahead log that a longer log would have dropped are gone."""
    clock = TickClock(BORN)
    whole_log(tmp_path, sessions=30, statements=12, clock=clock)
    clock.forward(60 * 86_400)
    whole_log(tmp_path, sessions=30, statements=12, clock=clock)
    wal = next((tmp_path / "log/1/wal").iterdir())
    shutil.copy(wal, tmp_path / "all.wal")
    return tmp_path


@pytest.fixture(autouse=True)
def _no_segment_holds_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.evidence.retention.segments", lambda _: [])
    monkeypatch.setattr("gateway.config.keeping.ProcessPoolExecutor", Here)


class Here:
    """Another process cannot be told that segments hold nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> None:
        """The loop's own threads."""

    def __exit__(self, *_: object) -> None:
        pass


async def kept(
    folder: Path,
    now: int,
    work: Callable[[Keeping], object],
    said: list[str] | None = None,
    *,
    sinks: Sequence[str] = (),
) -> object:
    clock = TickClock(now)
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)

    def say(name: str, **_: object) -> None:
        (said if said is not None else []).append(name)

    try:
        result = work(Keeping(recorder, folder, KEPT, clock, say, sinks=sinks))
        return await result  # type: ignore[misc]  # each test gives a coroutine
    finally:
        await recorder.close()


def prunings(folder: Path) -> list[dict[str, object]]:
    leaves = [decode_leaf(raw) for view in open_views(folder) for _, raw in view.upwards(0)]
    return [leaf.facts() for leaf in leaves if leaf.type == EventType.LOG_PRUNED]


async def test_what_is_due_goes_by_itself_and_the_operator_is_told(folder: Path) -> None:
    said: list[str] = []
    await kept(folder, BORN + 120 * DAY, Keeping.look, said)
    (facts,) = prunings(folder)
    assert facts["reason"] == "older than evidence.retention.total, 100 days"
    assert "legal" not in facts
    assert said == ["log.pruned"]


async def test_what_a_sink_was_not_sent_stays_until_it_was(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []

    await kept(folder, BORN + 120 * DAY, Keeping.look, said, sinks=["siem"])
    assert prunings(folder) == []
    assert said == ["log.kept_for_sinks"]
    Cabinet(tmp_path, "siem").save(Cursor(epoch=1, index=300))
    await kept(folder, BORN + 120 * DAY, Keeping.look, said, sinks=["siem"])
    (facts,) = prunings(folder)
    assert facts["size"] == 256


async def test_a_day_goes_at_a_time_so_that_a_wrong_clock_costs_not_everything(folder: Path) -> None:
    now = BORN + 1000 * DAY
    await kept(folder, now, Keeping.look)
    (first,) = prunings(folder)
    assert int(str(first["until"])) < BORN + DAY
    await kept(folder, now, Keeping.look)
    assert [int(str(facts["until"])) > BORN + 59 * DAY for facts in prunings(folder)] == [False, True]


async def test_leaves_that_are_days_apart_go_too(tmp_path: Path) -> None:
    clock = TickClock(BORN)
    for _ in range(40):
        await asyncio.to_thread(whole_log, tmp_path, 1, 3, clock)
        clock.forward(5 * 86_400)
    await kept(tmp_path, BORN + 1000 * DAY, Keeping.look)
    assert len(prunings(tmp_path)) == 1


async def test_while_the_clock_was_set_ahead_nothing_goes_by_itself(folder: Path) -> None:
    class SetAhead(TickClock):
        ahead = 0

        def now_ns(self) -> int:
            return super().now_ns() + self.ahead

        def monotonic_ns(self) -> int:
            return super().now_ns()

    clock, said = SetAhead(BORN + 61 * DAY), list[str]()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    keeping = Keeping(recorder, folder, KEPT, clock, lambda name, **_: said.append(name))
    clock.ahead = 1000 * DAY
    recorder.beat()
    await keeping.look()
    clock.ahead = 0
    recorder.beat()
    await keeping.look()
    await recorder.close()
    assert (said, prunings(folder)) == (["log.not_pruned"], [])


async def test_nothing_goes_before_its_time(folder: Path) -> None:
    await kept(folder, BORN + 90 * DAY, Keeping.look)
    assert prunings(folder) == []


async def test_inside_the_time_only_a_legal_reason_counts(folder: Path) -> None:
    wish = Prune(before_ns=BORN + DAY)
    with pytest.raises(Refused, match="give a legal reason"):
        await kept(folder, BORN + 90 * DAY, lambda keeping: keeping.order(wish, WISH))
    legal = Prune(before_ns=BORN + DAY, legal=True)
    text = await kept(folder, BORN + 90 * DAY, lambda keeping: keeping.order(legal, WISH))
    assert str(text).endswith("documents pruned")
    (facts,) = prunings(folder)
    assert (facts["reason"], facts["legal"]) == ("case 4711", True)


async def test_an_order_for_what_is_over_needs_no_reason_of_law(folder: Path) -> None:
    await kept(folder, BORN + 120 * DAY, lambda keeping: keeping.order(Prune(before_ns=BORN + DAY), WISH))
    assert len(prunings(folder)) == 1


async def test_it_looks_again_when_it_could_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.config.keeping.FIRST_LOOK_SECONDS", 0)
    monkeypatch.setattr("gateway.config.keeping.LOOK_EVERY_SECONDS", 0)
    said: list[str] = []

    def broken(*_: object, **__: object) -> None:
        raise OSError if len(said) < 3 else ZeroDivisionError

    monkeypatch.setattr("gateway.config.keeping.retention_report", broken)
    with pytest.raises(ZeroDivisionError):
        await kept(folder, BORN, Keeping.watch, said)
    assert said == ["log.not_pruned"] * 3


def test_nothing_is_a_line_too() -> None:
    assert in_a_line([]) == "nothing to prune"


async def test_the_log_verifies_after_it(folder: Path) -> None:
    await kept(folder, BORN + 120 * DAY, Keeping.look)
    (folder / "log/1/wal").rename(folder / "away")
    (folder / "log/1/wal").mkdir()
    report = check(folder)
    assert grave(report) == []
    assert report.epochs[0].pruned > 0


async def test_recordings_go_with_their_leaves(folder: Path) -> None:
    sid = new_id(TickClock(BORN))
    path = recording_path(folder, sid)
    path.parent.mkdir(parents=True)
    path.touch()
    os.utime(path, ns=(BORN - DAY, BORN - DAY))
    await kept(folder, BORN + 90 * DAY, lambda keeping: keeping.look())
    assert path.exists()
    await kept(folder, BORN + 120 * DAY, lambda keeping: keeping.look())
    assert not path.exists()


async def test_what_is_no_longer_hot_is_moved_once_a_day_when_there_is_a_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "cold"
    monkeypatch.setattr("tests.config.test_keeping.KEPT", msgspec.structs.replace(KEPT, archive=place))
    said: list[str] = []

    async def twice(keeping: Keeping) -> None:
        await keeping.look()
        await keeping.look()

    await kept(folder, BORN + 30 * DAY, twice, said)
    assert said == ["log.archived"]
    assert len(list(place.rglob("*"))) > 2
    assert grave(check(folder)) == []
