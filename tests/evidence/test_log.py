"""The log's writer: who waits is released after the sync that covers them, and a disk that fails is said and mended."""

import asyncio
import errno
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.evidence import log as module
from gateway.evidence.log import Degraded, Log
from gateway.evidence.merkle import leaf_hash
from gateway.evidence.opening import open_log
from tests.evidence.world import Disk, TickClock

LATER = 0.02


def a_leaf(number: int) -> bytes:
    return f'{{"ok":true,"seq":{number + 1},"type":"heartbeat"}}'.encode()


@pytest.fixture
def log(tmp_path: Path, clock: TickClock, disk: Disk) -> Log:
    assert disk.syncs == 0
    return open_log(tmp_path, clock, "log.test").log


def write(log: Log, count: int = 1) -> None:
    for _ in range(count):
        leaf = a_leaf(log.size)
        assert log.write(leaf, []) == leaf_hash(leaf)


async def until_well(log: Log) -> None:
    while log.degraded is not None:  # noqa: ASYNC110 -- nobody announces it
        await asyncio.sleep(LATER)


async def test_a_write_waits_for_nothing_and_is_synced_soon_all_the_same(log: Log, disk: Disk) -> None:
    write(log)
    assert disk.syncs == 0
    await asyncio.sleep(3 * module.SYNC_WITHIN)
    assert disk.syncs == 1
    await log.close()


async def test_nobody_is_released_before_the_disk_has_answered(log: Log, disk: Disk) -> None:
    disk.gate.clear()
    write(log)
    waiting = asyncio.ensure_future(log.durable(1))
    await asyncio.sleep(LATER)
    assert not waiting.done()
    disk.gate.set()
    await waiting
    assert disk.syncs == 1
    await log.close()


async def test_who_writes_in_one_turn_shares_one_sync(log: Log, disk: Disk) -> None:
    async def one() -> None:
        write(log)
        await log.durable(log.size)

    await asyncio.gather(*(one() for _ in range(64)))
    assert disk.syncs == 1
    await log.close()


async def test_who_comes_during_a_sync_waits_for_the_next_one(log: Log, disk: Disk) -> None:
    """The wake-up that is easily lost: written after the running sync began, waiting before it ends."""
    disk.gate.clear()
    write(log)
    first = asyncio.ensure_future(log.durable(1))
    await asyncio.sleep(LATER)
    write(log)
    second = asyncio.ensure_future(log.durable(2))
    await asyncio.sleep(LATER)
    disk.gate.set()
    await first
    assert not second.done()
    await asyncio.wait_for(second, 1)
    assert disk.syncs == 2
    await log.close()


async def test_what_was_written_during_a_sync_is_not_durable_by_it(log: Log, disk: Disk) -> None:
    disk.gate.clear()
    write(log)
    first = asyncio.ensure_future(log.durable(1))
    await asyncio.sleep(LATER)
    write(log)
    disk.gate.set()
    await first
    disk.gate.clear()
    second = asyncio.ensure_future(log.durable(2))
    await asyncio.sleep(LATER)
    assert not second.done()
    disk.gate.set()
    await second
    assert disk.syncs == 2
    await log.close()


async def test_waiters_in_any_order_are_all_released(log: Log) -> None:
    async def one(number: int) -> None:
        for _ in range(number % 4):
            await asyncio.sleep(0)
        write(log)
        size = log.size
        await asyncio.sleep(0.001 * (number % 3))
        await log.durable(size)

    await asyncio.wait_for(asyncio.gather(*(one(number) for number in range(300))), 20)
    assert log.size == 300
    await log.close()


async def test_what_is_durable_already_needs_no_sync(log: Log, disk: Disk) -> None:
    write(log)
    await log.durable(1)
    syncs = disk.syncs
    await log.durable(1)
    assert disk.syncs == syncs
    await log.close()


async def test_a_waiter_that_goes_away_leaves_the_others_alone(log: Log, disk: Disk) -> None:
    disk.gate.clear()
    write(log)
    gone, stays = asyncio.ensure_future(log.durable(1)), asyncio.ensure_future(log.durable(1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    disk.gate.set()
    await asyncio.wait_for(stays, 1)
    await log.close()


async def test_a_full_disk_takes_nothing_and_what_was_written_stays(log: Log, disk: Disk) -> None:
    write(log, 3)
    await log.durable(3)
    disk.room = 5
    with pytest.raises(Unavailable) as caught:
        write(log)
    assert caught.value.code == "evidence.unavailable"
    assert log.size == 3
    assert log.degraded is not None
    assert log.degraded.cause == "ENOSPC"
    with pytest.raises(Unavailable):
        write(log)
    disk.room = None
    await until_well(log)
    write(log)
    await log.durable(4)
    await log.close()


async def test_a_failed_sync_denies_everyone_who_waits_and_is_tried_again(
    log: Log, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_EVERY", LATER)
    repaired: list[Degraded] = []
    log.on_repaired = repaired.append
    disk.sync_error = errno.EIO
    write(log, 2)
    results = await asyncio.gather(log.durable(1), log.durable(2), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    await asyncio.sleep(5 * LATER)
    assert log.degraded is not None
    assert log.published == 0
    disk.sync_error = 0
    await until_well(log)
    await asyncio.sleep(0)
    assert [degraded.cause for degraded in repaired] == ["EIO"]
    assert log.published == 2
    await log.durable(2)
    await log.close()


async def test_a_disk_that_hangs_counts_as_failed_until_it_answers(
    log: Log, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE", LATER)
    monkeypatch.setattr(module, "RETRY_EVERY", LATER)
    disk.gate.clear()
    write(log)
    with pytest.raises(Unavailable):
        await log.durable(1)
    assert log.degraded is not None
    assert log.degraded.cause == "timeout"
    with pytest.raises(Unavailable):
        write(log)
    with pytest.raises(Unavailable):
        await log.durable(1)
    await asyncio.sleep(3 * LATER)
    assert log.degraded is not None
    disk.gate.set()
    await until_well(log)
    write(log)
    await log.durable(2)
    await log.close()


async def test_a_checkpoint_is_signed_at_its_interval_and_only_when_something_was_written(log: Log, disk: Disk) -> None:
    log.start(LATER)
    await asyncio.sleep(3 * LATER)
    assert (log.published, disk.syncs) == (0, 0)
    write(log, 2)
    while log.published < 2:  # noqa: ASYNC110 -- nobody announces it
        await asyncio.sleep(LATER)
    syncs = disk.syncs
    await asyncio.sleep(4 * LATER)
    assert disk.syncs == syncs
    await log.close()


async def test_files_that_cannot_be_laid_out_make_it_degraded(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_EVERY", LATER)
    obstacle = tmp_path / "log/1/tile"
    obstacle.write_bytes(b"")
    write(log)
    with pytest.raises(Unavailable):
        await log.publish()
    assert log.degraded is not None
    obstacle.unlink()
    await until_well(log)
    assert log.published == 1
    await log.close()


async def test_closing_a_log_whose_disk_hangs_ends(log: Log, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE", LATER)
    disk.gate.clear()
    write(log)
    await asyncio.wait_for(log.close(), 5)
    assert log.degraded is not None
