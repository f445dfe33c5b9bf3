"""A follower reads what is signed and nothing else, across epochs, while the log is written."""

import asyncio
import shutil
from pathlib import Path

import pytest

from gateway.evidence.pruned import Mark, write_mark
from gateway.evidence.recorder import Recorder
from gateway.evidence.sinks.follow import Follower
from gateway.evidence.sinks.outgoing import Position
from gateway.evidence.tiles import bundle_path
from gateway.evidence.view import open_views
from tests.evidence.conftest import MakeLog
from tests.evidence.world import TickClock, decided, whole_log

START = Position(0, 0)


def everything(follower: Follower, position: Position = START, most: int = 100) -> list[tuple[int, int]]:
    """(epoch, number) of every leaf from a place on."""
    follower.look()
    found: list[tuple[int, int]] = []
    while (run := follower.read(position, most, 1 << 30)) is not None:
        found += [(run.epoch, run.first + number) for number in range(len(run.leaves))]
        position = Position(run.epoch, run.first + len(run.leaves))
    return found


def test_every_signed_leaf_is_read_once_in_order(a_log: MakeLog) -> None:
    folder = a_log()
    view = next(iter(open_views(folder)))
    follower = Follower(folder)
    assert everything(follower) == [(1, number) for number in range(view.signed)]
    run = follower.read(Position(1, 300), 5, 1 << 30)
    assert run is not None
    assert run.leaves == [view.leaf(number) for number in range(300, 305)]
    assert (run.full, run.missing) == (True, 0)


@pytest.mark.parametrize("most", [1, 255, 256, 257, 10_000])
def test_batches_of_any_size_leave_nothing_out(a_log: MakeLog, most: int) -> None:
    folder = a_log()
    follower = Follower(folder)
    follower.look()
    size = follower.end().number
    assert everything(follower, Position(1, size - 300), most) == [(1, number) for number in range(size - 300, size)]


def test_a_batch_ends_at_so_many_bytes(a_log: MakeLog) -> None:
    follower = Follower(a_log())
    follower.look()
    run = follower.read(START, 1000, 2000)
    assert run is not None
    assert sum(map(len, run.leaves[:-1])) < 2000 <= sum(map(len, run.leaves))


async def test_what_is_not_signed_is_not_read(tmp_path: Path) -> None:
    clock = TickClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
    follower = Follower(tmp_path)
    follower.look()
    signed = follower.end()
    await recorder.append(decided("d"))
    assert everything(follower, signed) == []
    assert follower.pending(signed) == 0
    await recorder.checkpoint()
    assert everything(follower, signed) == [(1, signed.number)]
    await recorder.close()


def test_an_epoch_is_followed_by_the_next_one(tmp_path: Path) -> None:
    whole_log(tmp_path, sessions=1)
    (tmp_path / "keys/log-1.key").write_text("gone")
    whole_log(tmp_path, sessions=1)
    follower = Follower(tmp_path)
    found = everything(follower)
    sizes = {view.reader.epoch: view.signed for view in open_views(tmp_path)}
    assert found == [(epoch, number) for epoch in (1, 2) for number in range(sizes[epoch])]
    assert follower.pending(START) == sum(sizes.values())
    assert follower.pending(Position(1, sizes[1])) == sizes[2]
    assert follower.settle(Position(1, sizes[1])) == Position(2, 0)


@pytest.mark.parametrize("marked", [False, True])
def test_leaves_that_retention_took_away_are_counted(a_log: MakeLog, *, marked: bool) -> None:
    folder = a_log()
    (folder / "log/1" / bundle_path(0)).unlink()
    if marked:
        write_mark(folder / "log/1", Mark(size=256, leaf=300, epoch=1))
    follower = Follower(folder)
    follower.look()
    run = follower.read(Position(1, 10), 50, 1 << 30)
    assert run is not None
    assert (run.first, run.missing) == (256, 246)


def test_a_changed_checkpoint_is_an_error(a_log: MakeLog) -> None:
    folder = a_log()
    follower = Follower(folder)
    follower.look()
    path = folder / "log/1/checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n", b"x\n", 1))
    with pytest.raises(ValueError, match=r"."):
        follower.look()


def test_no_log_is_no_leaves(tmp_path: Path) -> None:
    follower = Follower(tmp_path)
    assert everything(follower) == []
    whole_log(tmp_path, sessions=1)
    shutil.rmtree(tmp_path / "log")
    follower.look()
    assert follower.read(START, 1, 1) is None


async def test_a_log_that_grows_is_followed_without_a_gap(tmp_path: Path) -> None:
    clock = TickClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=0.002)
    follower, position, found = Follower(tmp_path), START, list[int]()
    for number in range(600):
        await recorder.append(decided(f"d{number}"))
        if not number % 7:
            await asyncio.sleep(0.001)
            new = everything(follower, position, 40)
            found += [each for _, each in new]
            position = Position(1, found[-1] + 1) if found else position
    await recorder.close()
    found += [each for _, each in everything(follower, position)]
    assert found == list(range(len(found)))
    assert len(found) == recorder.size
