"""The line to a witness is bounded: no redirect, no long answer, no long wait, and trouble on the way is named."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.evidence.witness import MAX_ANSWER, Answer, Trouble, Why
from gateway.evidence.witness_http import Address, Line

pytestmark = pytest.mark.enable_socket

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def witness(handler: Handler, patience: float = 5.0) -> AsyncIterator[Line]:
    application = web.Application()
    application.router.add_post("/w/add-checkpoint", handler)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    line = Line(Address(f"http://127.0.0.1:{runner.addresses[0][1]}/w/", patience))
    try:
        yield line
    finally:
        await line.close()
        await runner.cleanup()


async def test_the_body_goes_to_the_prefix_and_the_answer_comes_back() -> None:
    seen: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(await request.read())
        return web.Response(status=409, text="12\n")

    async with witness(answer) as line:
        assert [await line.post(b"old 1\n"), await line.post(b"old 2\n")] == [Answer(409, b"12\n")] * 2
    assert seen == [b"old 1\n", b"old 2\n"]


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "http://169.254.169.254/"})

    async with witness(answer) as line:
        assert await line.post(b"") == Answer(307, b"")


async def test_a_long_answer_is_cut_off() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=bytes(MAX_ANSWER + 1))

    async with witness(answer) as line:
        assert await line.post(b"") == Trouble(Why.ANSWER, "too long")


async def test_who_says_nothing_is_not_waited_for() -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with witness(answer, patience=0.05) as line:
        assert await line.post(b"") == Trouble(Why.TIMEOUT)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid", "https://127.0.0.1:1"])
async def test_who_is_not_there_is_unreachable(url: str) -> None:
    line = Line(Address(url))
    found = await line.post(b"")
    await line.close()
    assert isinstance(found, Trouble)
    assert found.why is Why.UNREACHABLE
    assert url.removeprefix("http://") not in found.detail
