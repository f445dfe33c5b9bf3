"""Where bundles come from: looked at cheaply, fetched whole, bounded, and never believed for who carried them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from gateway.core.errors import BundleRejected, Unavailable
from gateway.policy import source
from gateway.policy.source import Address, FileSource, UrlSource
from tests.policy.world import FixedClock

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def test_a_file_is_read_when_it_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.gz"
    file = FileSource(path)
    assert not file.moved()
    with pytest.raises(BundleRejected, match="missing"):
        await file.fetch()
    path.write_bytes(b"one")
    assert file.moved()
    assert await file.fetch() == b"one"
    assert not file.moved()
    assert await file.fetch() is None
    assert await file.fetch(anew=True) == b"one"
    assert file.place == str(path)


@asynccontextmanager
async def served(answer: Answer, **more: object) -> AsyncIterator[UrlSource]:
    """A source whose server answers so."""
    application = web.Application()
    application.router.add_get("/b", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0][:2]
    try:
        yield UrlSource(Address(url=f"http://127.0.0.1:{port}/b", **more), CLOCK)  # type: ignore[arg-type]
    finally:
        await runner.cleanup()


CLOCK = FixedClock()


def saying(body: bytes, status: int = 200, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    return answer


@pytest.mark.enable_socket
async def test_an_address_is_asked_with_the_tag_of_the_last_time_and_says_when_nothing_is_new() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers.get("If-None-Match", ""))
        if asked[-1] == '"1"':
            return web.Response(status=304)
        return web.Response(body=b"bundle", headers={"ETag": '"1"'})

    async with served(answer) as found:
        assert await found.fetch() == b"bundle"
        assert await found.fetch() is None
        assert await found.fetch(anew=True) == b"bundle"
    assert asked == ["", '"1"', ""]


@pytest.mark.enable_socket
async def test_a_token_goes_along() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(body=b"x")

    async with served(answer, token=lambda: "secret") as found:
        await found.fetch()
    assert seen == ["Bearer secret"]


async def slow(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("http://127.0.0.1:1/")


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half")
    if request.transport is not None:
        request.transport.close()
    return response


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (saying(b"", 404), "bundle.unreachable"),
        (saying(b"", 500), "bundle.unreachable"),
        (saying(b"", 304), "bundle.unreachable"),
        (saying(b"x" * 200), "bundle.too_large"),
        (elsewhere, "bundle.unreachable"),
        (cut, "bundle.unreachable"),
        (slow, "bundle.unreachable"),
    ],
)
async def test_a_server_that_does_anything_else_gives_no_bundle(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, code: str
) -> None:
    monkeypatch.setattr(source, "BUNDLE_MAX", 100)
    async with served(answer, timeout=0.3 if answer is slow else 5.0) as found:
        with pytest.raises(BundleRejected) as raised:
            await found.fetch()
        assert raised.value.code == code


async def test_a_server_that_is_away_or_a_secret_that_cannot_be_read_gives_no_bundle() -> None:
    def token() -> str:
        raise Unavailable("config.secret")

    for address in (
        Address(url="http://127.0.0.1:1/b", token=token),
        Address(url="https://127.0.0.1:1/b", ca=Path("/nowhere/ca.pem")),
    ):
        with pytest.raises(BundleRejected, match="unreachable"):
            await UrlSource(address, CLOCK).fetch()


async def test_it_is_time_to_look_again_when_the_time_between_looks_is_over() -> None:
    clock = FixedClock()
    found = UrlSource(Address(url="https://127.0.0.1:1/b", poll=30.0, ca=Path("/nowhere")), clock)
    assert found.moved()
    with pytest.raises(BundleRejected):
        await found.fetch()
    assert not found.moved()
    clock.now += 30_000_000_000
    assert found.moved()
    assert found.place == "https://127.0.0.1:1/b"
