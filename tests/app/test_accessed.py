"""Reading evidence beside a gateway that runs is recorded by it, and never keeps it from starting."""

import asyncio
import fcntl
import os
from pathlib import Path

import pytest

from gateway import app, cli
from gateway.cli.person import whoami
from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.evidence.verify import verify
from tests.app.place import Place


async def audit(place: Place, *arguments: str) -> int:
    return await asyncio.to_thread(cli.main, ["audit", *arguments, "-c", str(place.config)])


async def test_the_gateway_records_who_searches_and_explains(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    async with place.running():
        await place.ask("SELECT count(*) FROM customers WHERE id = -1")
        assert await audit(place, "search", "--json") == cli.DONE
        did = capsys.readouterr().out.split('"did":"')[1].partition('"')[0]
        assert await audit(place, "explain", did, "--as", "eve") == cli.DONE
        assert await audit(place, "explain", "select count(*) from customers where id = -7") == cli.DONE
        assert await audit(place, "replay-decisions", "--processes", "1") == cli.DONE
    found = place.leaves("evidence.accessed")
    assert [leaf["act"] for leaf in found] == ["search", "explain", "explain", "replay-decisions"]
    assert found[1]["who"] == {"id": whoami(), "on_behalf_of": "eve"}
    assert len(place.leaves("log.opened")) == 1
    assert verify(place.folder / "var", SystemClock()).ok


@pytest.fixture
def held(place: Place) -> Path:
    path = place.folder / "var/log/lock"
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch()
    return path


async def test_a_command_that_holds_the_log_for_a_moment_does_not_keep_a_gateway_from_starting(
    place: Place, held: Path
) -> None:
    descriptor = os.open(held, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    asyncio.get_running_loop().call_later(0.3, os.close, descriptor)
    async with place.running():
        assert await place.ask("SELECT 1") == [(1,)]


async def test_another_gateway_does(place: Place, held: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "LOG_WAIT_NS", 10**8)
    descriptor = os.open(held, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(Unavailable, match="another process writes this log"):
        async with place.running():
            raise AssertionError
    os.close(descriptor)
