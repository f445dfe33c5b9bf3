"""A view of one epoch at one moment: every leaf in either direction, the tail included, while somebody writes."""

import asyncio
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.evidence.leaf import decode_leaf
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.view import View, open_views
from tests.evidence.world import TickClock, one_session, whole_log


@pytest.fixture
def view(finished_log: Path) -> View:
    return next(open_views(finished_log))


def test_it_has_every_leaf_upwards_and_downwards(view: View) -> None:
    upwards = list(view.upwards(0))
    assert [number for number, _ in upwards] == list(range(view.size))
    assert list(view.downwards(view.size)) == upwards[::-1]
    assert list(view.upwards(300)) == upwards[300:]
    assert list(view.downwards(300)) == upwards[:300][::-1]
    assert list(view.downwards(0)) == []
    assert [view.leaf(number) for number in (0, 255, 256, view.size - 1)] == [
        upwards[number][1] for number in (0, 255, 256, view.size - 1)
    ]
    with pytest.raises(IndexError):
        view.leaf(view.size)


def test_a_time_leads_to_its_block(view: View) -> None:
    times = [int(decode_leaf(leaf).t) for _, leaf in view.upwards(0)]
    assert view.block_at(0) == 0
    assert view.block_at(times[-1] + 1) == view.blocks - 1
    for number in (0, 1, 255, 256, 257, 511, 512, view.size - 1):
        assert view.block_at(times[number]) == number // 256


def test_where_the_clock_never_went_back_there_is_one_block_of_a_time(view: View) -> None:
    for number in range(view.blocks):
        time_ns = int(decode_leaf(view.leaf(number * 256)).t)
        for each in (time_ns - 1, time_ns, time_ns + 1):
            assert view.block_before(each) == view.block_at(each)


@pytest.mark.parametrize("back", range(1, 6))
async def test_a_clock_that_was_set_back_leads_past_nothing(tmp_path: Path, back: int) -> None:
    clock = TickClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
    begun = clock.now
    for number in range(6 * 256):
        clock.now += (number == back * 256 - 40) * -(10**16) + (number == back * 256 + 40) * 10**16
        recorder.beat()
    await recorder.close()
    (view,) = open_views(tmp_path)
    assert view.block_before(begun - 10**9) == 0


async def test_leaves_behind_the_checkpoint_belong_to_it(tmp_path: Path) -> None:
    clock = TickClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
    await one_session(recorder, clock, 130)
    view = next(open_views(tmp_path))
    assert (view.signed, view.size) == (2, recorder.size)
    assert [number for number, _ in view.upwards(0)] == list(range(view.size))
    await recorder.checkpoint()
    await one_session(recorder, clock, 90)
    view = next(open_views(tmp_path))
    assert 200 < view.signed < view.size
    assert [number for number, _ in view.downwards(view.size)] == list(range(view.size))[::-1]
    await recorder.close()


def test_a_segment_that_is_dropped_while_somebody_looks_hides_nothing(finished_log: Path, tmp_path: Path) -> None:
    """At the worst moment: the log moves on, and its segments go, as the write-ahead log is about to be read."""
    later, folder = finished_log, tmp_path / "var"
    whole_log(folder, sessions=1)

    class Racing(LogReader):
        def wal_leaves(self) -> dict[int, bytes]:
            shutil.rmtree(folder)
            shutil.copytree(later, folder)
            shutil.rmtree(folder / "log/1/wal")
            return super().wal_leaves()

    view = View(Racing(folder, 1))
    assert view.size == open_epochs(later)[0].checkpoint.size
    assert len(list(view.upwards(0))) == view.size


async def test_whoever_looks_while_it_is_written_sees_every_leaf_once(tmp_path: Path) -> None:
    """Each look has all leaves of the one before: none falls between write-ahead log and tiles."""
    clock = TickClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=0.005)
    writing = asyncio.ensure_future(one_session(recorder, clock, 400, 0.001))
    looks: list[list[bytes]] = []
    while not writing.done():
        view = await asyncio.to_thread(View, open_epochs(tmp_path)[0])
        looks.append([leaf for _, leaf in view.upwards(0)])
    await writing
    await recorder.close()
    assert len(looks) > 3
    assert all(after[: len(before)] == before for before, after in pairwise(looks))
    assert len(looks[-1]) > 256


def test_the_newest_epoch_comes_first(finished_log: Path, tmp_path: Path) -> None:
    assert [view.reader.epoch for view in open_views(finished_log)] == [1]
    with pytest.raises(FileNotFoundError):
        next(open_views(tmp_path))
