"""The disk fails under a gateway at work, or the clock jumps: nothing goes through undecided, and it recovers."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from gateway import app
from gateway.config.load import load
from gateway.core.clock import SystemClock
from gateway.evidence import log
from gateway.evidence.verify import verify
from tests.app.place import Place
from tests.chaos.disk import FAULTS, FaultyDisk
from tests.support.postgres import Cluster

_MARK = re.compile(rb"querywarden:([0-9a-f-]{36})")
HOUR = 3600.0


@dataclass
class JumpingClock(SystemClock):
    """The machine's, plus a jump."""

    ahead: float = 0.0
    """seconds"""

    def now_ns(self) -> int:
        return super().now_ns() + int(self.ahead * 1e9)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDisk]:
    made = FaultyDisk(tmp_path / "var")
    made.install(monkeypatch)
    monkeypatch.setattr(log, "DEADLINE", 0.5)
    yield made
    made.mend()


@pytest.fixture(autouse=True)
def _nothing_undecided(place: Place, cluster: Cluster) -> Iterator[None]:
    """Whatever happened: what the server was sent has its decision, and the log verifies."""
    before = cluster.log.stat().st_size
    yield
    with cluster.log.open("rb") as said:
        said.seek(before)
        seen = {mark.decode() for mark in _MARK.findall(said.read())}
    assert seen, "nothing was forwarded at all"
    assert seen <= {str(leaf["did"]) for leaf in place.leaves("statement.decided") if leaf["ok"]}
    report = verify(place.folder / "var", SystemClock())
    assert report.ok, [finding for finding in report.findings if finding.grave]


async def answered(connection: psycopg.AsyncConnection, sql: bytes = b"SELECT pan FROM cards WHERE id = 1") -> bool:
    """Whether a statement was answered, and rightly; else it was refused for want of evidence."""
    try:
        found = await (await connection.execute(sql)).fetchall()
    except psycopg.Error as refused:
        assert "could not be recorded" in str(refused)  # noqa: PT017 -- one of two ways it may go
        return False
    assert found == [("************1111",)]
    return True


async def becomes(connection: psycopg.AsyncConnection, *, answering: bool) -> None:
    """Ask until it is so."""
    for _ in range(400):
        if await answered(connection) == answering:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"after many statements, answering is not {answering}")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_disk_that_fails_denies_statements_and_logins_until_it_is_well(
    place: Place, disk: FaultyDisk, fault: str
) -> None:
    async with app.running(load(place.config), SystemClock()):
        connection = await place.connect()
        assert await answered(connection)
        FAULTS[fault](disk)
        await becomes(connection, answering=False)
        for _ in range(5):
            assert not await answered(connection)
        with pytest.raises(psycopg.OperationalError):
            await place.connect()
        assert disk.refused
        disk.mend()
        await becomes(connection, answering=True)
        await connection.close()
        async with await place.connect() as another:
            assert await answered(another)
    assert place.leaves("log.degraded")


async def test_a_slow_disk_makes_statements_slow_and_nothing_else(place: Place, disk: FaultyDisk) -> None:
    async with app.running(load(place.config), SystemClock()):
        connections = [await place.connect() for _ in range(4)]
        disk.sync_seconds = 0.15
        for _ in range(3):
            assert all(await asyncio.gather(*(answered(each) for each in connections)))
        disk.mend()
        for each in connections:
            await each.close()
    assert not place.leaves("log.degraded")


@pytest.mark.parametrize("jump", [-HOUR, -30.0, 30.0])
async def test_a_clock_that_jumps_leaves_sessions_at_work_and_the_log_whole(place: Place, jump: float) -> None:
    clock = JumpingClock()
    async with app.running(load(place.config), clock), await place.connect() as connection:
        for ahead in (0.0, jump, jump, 0.0):
            clock.ahead = ahead
            assert await answered(connection)


async def test_a_clock_that_jumps_past_the_end_of_a_token_ends_what_it_opened(place: Place) -> None:
    clock = JumpingClock()
    async with app.running(load(place.config), clock):
        connection = await place.connect()
        assert await answered(connection)
        clock.ahead = 24 * HOUR
        with pytest.raises(psycopg.OperationalError, match="expired"):
            await connection.execute(b"SELECT pan FROM cards WHERE id = 1")
        await connection.close()
        with pytest.raises(psycopg.OperationalError):
            await place.connect()
        clock.ahead = 0.0
        async with await place.connect() as another:
            assert await answered(another)
    assert "session.token_expired" in str(place.leaves("session.closed"))
