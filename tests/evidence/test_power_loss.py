"""The machine loses power: of files only what was synced is left, and still nothing that was acknowledged is lost."""

import asyncio
import os
import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.core.ids import new_id
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.recorder import Recorder
from gateway.evidence.view import open_views
from tests.evidence.world import Disk, TickClock, check, decided, finished, grave, opened

SETTLES = 0.05
"""seconds in which a sync that had begun ends"""


class Power:
    """Remembers how much of each segment was synced, and makes of a data folder what would be left of it."""

    def __init__(self, disk: Disk, chance: random.Random) -> None:
        self.synced: dict[int, int] = {}
        """inode → bytes"""
        self.disk = disk
        self.chance = chance
        self._fdatasync = disk.fdatasync

    def fdatasync(self, descriptor: int) -> None:
        before = os.fstat(descriptor)
        self._fdatasync(descriptor)
        self.synced[before.st_ino] = before.st_size

    async def lose(self, folder: Path, target: Path) -> None:
        """A copy of what may be left. While the gate is shut no sync ends, so nothing moves."""
        self.disk.gate.clear()
        await asyncio.sleep(SETTLES)
        shutil.copytree(folder, target)
        for path in (folder / "log/1/wal").iterdir():
            kept = (target / path.relative_to(folder)).read_bytes()[: self.synced.get(path.stat().st_ino, 0)]
            (target / path.relative_to(folder)).write_bytes(kept + self._rubbish())
        for part in ("log/1/tile", "log/1/checkpoint", "objects"):
            found = [target / part, *(target / part).rglob("*")]
            for path in [path for path in found if path.is_file() and self.chance.random() < 0.5]:
                path.write_bytes(b"")
        self.disk.gate.set()

    def _rubbish(self) -> bytes:
        """What may stand where a write had not arrived."""
        length = self.chance.choice([0, 1, 30, 400])
        return bytes(length) if self.chance.random() < 0.5 else self.chance.randbytes(length)


async def agent(recorder: Recorder, clock: TickClock, acknowledged: list[str]) -> None:
    sid = new_id(clock)
    await recorder.append(opened(sid))
    while True:
        did = new_id(clock)
        await recorder.append(decided(did, sid, durable=True, text=f"SELECT {did}"))
        acknowledged.append(did)
        await recorder.append(finished(did, sid))


async def use(folder: Path, clock: TickClock, until: Callable[[list[str]], Awaitable[None]]) -> list[str]:
    """Agents at work; what was acknowledged when `until` had returned."""
    recorder = await Recorder.open(folder, clock, checkpoint_interval=0.004)
    acknowledged: list[str] = []
    agents = [asyncio.ensure_future(agent(recorder, clock, acknowledged)) for _ in range(5)]
    await until(acknowledged)
    for work in agents:
        work.cancel()
    await asyncio.gather(*agents, return_exceptions=True)
    await recorder.close()
    return acknowledged


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_was_acknowledged_before_a_loss_of_power_is_there_and_the_log_goes_on(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    clock, power = TickClock(), Power(disk, random.Random(seed))  # noqa: S311 -- to be repeated
    monkeypatch.setattr(os, "fdatasync", power.fdatasync)
    before: list[str] = []

    async def lose_power(acknowledged: list[str]) -> None:
        wanted = power.chance.randrange(5, 400)
        while len(acknowledged) < wanted:  # noqa: ASYNC110 -- nobody announces it
            await asyncio.sleep(0.001)
        disk.gate.clear()
        await asyncio.sleep(SETTLES)
        before.extend(acknowledged)
        await power.lose(tmp_path / "var", tmp_path / "left")

    await use(tmp_path / "var", clock, lose_power)
    recorder = await Recorder.open(tmp_path / "left", clock, checkpoint_interval=3600)
    await recorder.close()
    report = check(tmp_path / "left")
    assert grave(report) == []
    assert [epoch.epoch for epoch in report.epochs] == [1]
    leaves = [decode_leaf(leaf) for _, leaf in next(open_views(tmp_path / "left")).upwards(0)]
    assert set(before) <= {leaf.did for leaf in leaves if leaf.type == "statement.decided"}
    assert len(before) >= 5
