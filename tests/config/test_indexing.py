"""The index is built by another process, now and then, when there is something new; and nothing depends on it."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.config import indexing
from gateway.config.indexing import Indexing
from gateway.evidence.index import FILE
from gateway.evidence.recorder import Recorder
from tests.evidence.world import whole_log


def one(folder: Path, said: list[tuple[str, str]], *command: str, size: int = 1) -> Indexing:
    recorder = cast("Recorder", SimpleNamespace(size=size))
    return Indexing(recorder, folder, lambda what, cause: said.append((what, cause)), command)


async def until(so: Callable[[], bool]) -> None:
    while not so():  # noqa: ASYNC110 -- another process does it
        await asyncio.sleep(0.01)


async def test_the_index_is_there_afterwards(tmp_path: Path) -> None:
    await asyncio.to_thread(whole_log, tmp_path)
    said: list[tuple[str, str]] = []
    await one(tmp_path, said).build()
    assert said == []
    assert (tmp_path / "index" / FILE).exists()


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('a full disk')"), "a full disk"),
        (("/no/such/program",), "No such file or directory"),
    ],
)
async def test_what_goes_wrong_is_told_and_ends_nothing(tmp_path: Path, command: tuple[str, ...], cause: str) -> None:
    said: list[tuple[str, str]] = []
    await one(tmp_path, said, *command).build()
    assert said == [("index.not_built", cause)]


async def test_a_gateway_that_stops_does_not_wait_for_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = f"open({str(started)!r}, 'w').close(); import time; time.sleep(600)"
    running = asyncio.ensure_future(one(tmp_path, [], sys.executable, "-c", code).build())
    await until(started.exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_it_is_built_again_only_when_something_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "LOOK_EVERY_SECONDS", 0.01)
    count = tmp_path / "count"
    code = f"open({str(count)!r}, 'a').write('x')"
    watching = asyncio.ensure_future(one(tmp_path, [], sys.executable, "-c", code).watch())
    await until(lambda: count.exists() and bool(count.read_text()))
    await asyncio.sleep(0.3)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert count.read_text() == "x"
