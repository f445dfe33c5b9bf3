"""A gateway that runs prunes its own log when it is told to, and the sessions it serves notice nothing."""

import asyncio
from pathlib import Path

import pytest

from gateway import cli
from gateway.core.clock import SystemClock
from gateway.evidence.verify import verify
from gateway.evidence.view import open_views
from tests.app.place import Place
from tests.evidence.world import TickClock, whole_log

BORN = 1_500_000_000 * 10**9


def prune(config: Path, *more: str) -> int:
    return cli.main(["audit", "prune", "-c", str(config), "--remove", *more])


async def test_old_leaves_go_by_order_while_agents_are_served(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    data = place.folder / "var"
    await asyncio.to_thread(whole_log, data, 30, 12, TickClock(BORN))
    (data / "log/1/wal").rename(data / "old segments")  # as if it were put back from a copy: a new epoch begins
    async with place.running(), await place.connect() as agent:
        assert await asyncio.to_thread(prune, place.config) == cli.DONE
        assert "512 leaves and" in capsys.readouterr().out
        assert await (await agent.execute(b"SELECT 1 AS a")).fetchall() == [(1,)]
        assert await asyncio.to_thread(prune, place.config, "--before", "1d") == cli.USAGE
    views = list(open_views(data))
    assert [view.begin for view in views if view.begin]
    (told,) = place.leaves("log.pruned")
    assert told["who"]
    assert verify(data, SystemClock()).epochs[0].pruned == 512
