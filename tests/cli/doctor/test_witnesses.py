"""A witness that answers is told from one that does not, and from what is no witness."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from gateway.cli.doctor import witnesses
from gateway.cli.doctor.result import Result, Status
from gateway.core.clock import SystemClock
from gateway.evidence.cosign import with_lines
from gateway.evidence.cosigned import keep_cosigned
from gateway.evidence.note import split_note
from tests.config.world import changed, furnish, read
from tests.evidence.witnesses import CosigningKey
from tests.evidence.world import whole_log

WITNESS = CosigningKey()
NOW = SystemClock().now_ns() // 10**9


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        assert await request.read() == b""
        return web.Response(status=status)

    application = web.Application()
    application.router.add_post("/add-checkpoint", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def look(folder: Path, *urls: str) -> list[Result]:
    configured = [
        {"url": url, "key": CosigningKey(f"w{number}").key.encode() if number else WITNESS.key.encode()}
        for number, url in enumerate(urls)
    ]
    settings = read(furnish(folder), changed("evidence.witnesses", configured)).settings
    assert settings is not None
    return await witnesses.look(settings, SystemClock())


async def test_without_one_there_is_a_note(tmp_path: Path) -> None:
    (result,) = await look(tmp_path)
    assert (result.status, result.text.startswith("none configured")) == (Status.NOTE, True)


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_one_that_answers_and_has_cosigned_nothing_is_a_note(tmp_path: Path, status: int) -> None:
    async with answering(status) as url:
        (result,) = await look(tmp_path, url)
    assert (result.status, "cosigned nothing yet" in result.text) == (Status.NOTE, True)


@pytest.mark.parametrize(("age", "status"), [(5, Status.FINE), (7200, Status.NOTE)])
async def test_its_last_cosignature_is_told_with_its_age(tmp_path: Path, age: int, status: Status) -> None:
    write_log(tmp_path / "var", age)
    async with answering(400) as url:
        (result,) = await look(tmp_path, url)
    assert result.status is status
    assert "it cosigned" in result.text


def write_log(data_dir: Path, age: int) -> None:
    writing = threading.Thread(target=whole_log, args=(data_dir,))  # it has a loop of its own
    writing.start()
    writing.join()
    note = (data_dir / "log/1/checkpoint").read_bytes()
    line = WITNESS.line(split_note(note)[0], NOW - age)
    keep_cosigned(data_dir / "log/1", WITNESS.key, with_lines(note, [line]))


@pytest.mark.parametrize("status", [200, 301, 401, 405, 500])
async def test_what_answers_as_no_witness_would_is_a_no(tmp_path: Path, status: int) -> None:
    async with answering(status) as url:
        (result,) = await look(tmp_path, url)
    assert (result.status, str(status) in result.text) == (Status.NO, True)


async def test_one_that_is_not_there_is_unreachable_and_the_others_are_looked_at(tmp_path: Path) -> None:
    async with answering(400) as url:
        results = await look(tmp_path, "http://127.0.0.1:1", url)
    assert [result.status for result in results] == [Status.UNREACHABLE, Status.NOTE]
