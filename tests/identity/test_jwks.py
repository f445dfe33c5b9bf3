"""Keys are fetched when they must be, kept while they may be, and asked for from nowhere unsafe."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from gateway.core.errors import Unauthenticated
from gateway.identity import jwks
from gateway.identity.jwks import Cached, Document, FetchFailed, FromAddress, FromDiscovery, FromFile, HttpFetch
from gateway.identity.keys import MAX_SET_BYTES
from tests.identity.world import SECOND, StillClock, World

OLD, NEW = World(), World()
URI = "https://idp.test/keys"


class FakeFetch:
    """Answers from a table, counts, and can be slow or broken."""

    def __init__(self, **answers: Document) -> None:
        self.answers: dict[str, Document] = dict(answers)
        self.asked: list[tuple[str, str]] = []
        self.broken = False
        self.gate: asyncio.Event | None = None

    async def __call__(self, url: str, etag: str) -> Document:
        self.asked.append((url, etag))
        if self.gate is not None:
            await self.gate.wait()
        if self.broken or url not in self.answers:
            raise FetchFailed("no answer")
        answer = self.answers[url]
        return Document(body=None, etag=etag, max_age_ns=answer.max_age_ns) if etag and etag == answer.etag else answer


def keys_at(uri: str = URI, world: World = OLD, etag: str = "", seconds: int = 600) -> dict[str, Document]:
    return {uri: Document(body=world.issuer.jwks(), etag=etag, max_age_ns=seconds * SECOND)}


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def fetch() -> FakeFetch:
    return FakeFetch(**keys_at())


@pytest.fixture
def keyring(clock: StillClock, fetch: FakeFetch) -> Cached:
    return Cached(FromAddress(URI, fetch), clock)


async def test_a_set_is_fetched_once_while_it_is_fresh(keyring: Cached, fetch: FakeFetch, clock: StillClock) -> None:
    for _ in range(3):
        assert (await keyring.current()).find(OLD.kid, "ES256") is not None
        clock.forward(199)
    assert len(fetch.asked) == 1


async def test_an_old_set_is_asked_for_with_its_etag_and_kept_when_unchanged(clock: StillClock) -> None:
    fetch = FakeFetch(**keys_at(etag='"v1"'))
    keyring = Cached(FromAddress(URI, fetch), clock)
    before = await keyring.current()
    clock.forward(601)
    assert await keyring.current() == before
    clock.forward(599)
    await keyring.current()
    assert fetch.asked == [(URI, ""), (URI, '"v1"')]


async def test_a_rotated_set_replaces_the_old_one(keyring: Cached, fetch: FakeFetch, clock: StillClock) -> None:
    await keyring.current()
    fetch.answers = keys_at(world=NEW)
    clock.forward(601)
    keys = await keyring.current()
    assert keys.find(NEW.kid, "ES256") is not None
    assert keys.find(OLD.kid, "ES256") is None


async def test_an_unknown_key_makes_us_look_again_but_not_more_often_than_the_floor(
    keyring: Cached, fetch: FakeFetch, clock: StillClock
) -> None:
    await keyring.current()
    for _ in range(50):
        await keyring.refreshed()
    assert len(fetch.asked) == 2
    clock.forward(11)
    await keyring.refreshed()
    assert len(fetch.asked) == 3


async def test_while_the_issuer_is_down_the_old_set_serves_for_an_hour_and_no_longer(
    keyring: Cached, fetch: FakeFetch, clock: StillClock
) -> None:
    await keyring.current()
    fetch.broken = True
    clock.forward(600 + 3599)
    assert (await keyring.current()).find(OLD.kid, "ES256") is not None
    clock.forward(2)
    with pytest.raises(Unauthenticated, match=r"token\.keys_unavailable"):
        await keyring.current()
    with pytest.raises(Unauthenticated, match=r"token\.keys_unavailable"):
        await keyring.refreshed()
    fetch.broken = False
    clock.forward(11)
    assert (await keyring.current()).find(OLD.kid, "ES256") is not None


async def test_a_broken_issuer_is_not_asked_at_every_login(fetch: FakeFetch, clock: StillClock) -> None:
    fetch.broken = True
    notes: list[str] = []
    keyring = Cached(FromAddress(URI, fetch), clock, notes.append)
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            await keyring.current()
    assert len(fetch.asked) == 1
    assert notes == ["keys not read: no answer"]


async def test_a_bad_set_does_not_replace_a_good_one(keyring: Cached, fetch: FakeFetch, clock: StillClock) -> None:
    await keyring.current()
    fetch.answers = {URI: Document(body=b'{"keys": [{"kty": "oct", "k": "AAAA"}]}')}
    clock.forward(601)
    assert (await keyring.current()).find(OLD.kid, "ES256") is not None


async def test_many_callers_wait_for_one_fetch(keyring: Cached, fetch: FakeFetch) -> None:
    fetch.gate = asyncio.Event()
    waiting = [asyncio.create_task(keyring.current()) for _ in range(20)]
    waiting += [asyncio.create_task(keyring.refreshed()) for _ in range(20)]
    await asyncio.sleep(0)
    fetch.gate.set()
    assert len({id(await task) for task in waiting[:20]}) == 1
    await asyncio.gather(*waiting)
    assert len(fetch.asked) <= 2


async def test_a_caller_who_goes_away_leaves_the_fetch_to_the_next(keyring: Cached, fetch: FakeFetch) -> None:
    fetch.gate = asyncio.Event()
    first = asyncio.create_task(keyring.current())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    fetch.gate.set()
    assert (await keyring.current()).find(OLD.kid, "ES256") is not None


async def test_a_file_is_read_again_when_it_changes(tmp_path: Path, clock: StillClock) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(OLD.issuer.jwks())
    keyring = Cached(FromFile(path), clock)
    assert (await keyring.current()).find(OLD.kid, "ES256") is not None
    path.with_suffix(".new").write_bytes(NEW.issuer.jwks())
    path.with_suffix(".new").rename(path)
    assert (await keyring.current()).find(NEW.kid, "ES256") is not None


async def test_a_file_that_vanishes_or_breaks_leaves_the_old_keys_for_a_while(
    tmp_path: Path, clock: StillClock
) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(OLD.issuer.jwks())
    keyring = Cached(FromFile(path), clock)
    await keyring.current()
    path.write_bytes(b"{")
    assert (await keyring.current()).find(OLD.kid, "ES256") is not None
    path.unlink()
    assert (await keyring.current()).find(OLD.kid, "ES256") is not None
    clock.forward(3700)
    with pytest.raises(Unauthenticated, match=r"token\.keys_unavailable"):
        await keyring.current()


async def test_a_file_that_is_not_there_is_no_keys(tmp_path: Path, clock: StillClock) -> None:
    keyring = Cached(FromFile(tmp_path / "none.json"), clock)
    with pytest.raises(Unauthenticated, match=r"token\.keys_unavailable"):
        await keyring.current()


ISSUER = "https://idp.test"
WELL_KNOWN = ISSUER + jwks.WELL_KNOWN


def discovery(**more: object) -> Document:
    return Document(body=json.dumps({"issuer": ISSUER, "jwks_uri": URI, **more}).encode())


async def test_discovery_leads_to_the_keys_and_follows_when_they_move(clock: StillClock) -> None:
    fetch = FakeFetch(**{WELL_KNOWN: discovery()}, **keys_at(etag='"a"'))
    keyring = Cached(FromDiscovery(ISSUER, fetch), clock)
    assert (await keyring.current()).find(OLD.kid, "ES256") is not None
    moved = ISSUER + "/v2"
    fetch.answers = {WELL_KNOWN: discovery(jwks_uri=moved), **keys_at(moved, NEW)}
    clock.forward(601)
    assert (await keyring.current()).find(NEW.kid, "ES256") is not None


@pytest.mark.parametrize(
    "answer",
    [
        discovery(issuer="https://idp.test/"),
        discovery(issuer=None),
        discovery(jwks_uri="http://idp.test/keys"),
        discovery(jwks_uri="file:///etc/passwd"),
        discovery(jwks_uri=None),
        Document(body=b"[]"),
        Document(body=b"{"),
        Document(body=None),
    ],
)
async def test_a_discovery_document_that_is_not_the_issuers_own_is_refused(answer: Document, clock: StillClock) -> None:
    fetch = FakeFetch(**{WELL_KNOWN: answer}, **keys_at())
    with pytest.raises(Unauthenticated, match=r"token\.keys_unavailable"):
        await Cached(FromDiscovery(ISSUER, fetch), clock).current()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("max-age=900", 900),
        ("public, Max-Age = 120", 120),
        ("s-maxage=5, max-age=300", 300),
        ("max-age=0", 60),
        ("max-age=99999999", 86400),
        ("no-store", 600),
        ("", 600),
        ("max-age=x", 600),
    ],
)
def test_the_age_an_issuer_allows_is_kept_between_a_minute_and_a_day(header: str, seconds: int) -> None:
    assert jwks.max_age_ns(header) == seconds * SECOND


@pytest.mark.parametrize(
    "url", ["https://idp.test/a", "http://127.0.0.1:8080/a", "http://[::1]/a", "http://localhost/a"]
)
def test_keys_may_come_over_tls_or_from_this_machine(url: str) -> None:
    assert jwks.is_safe_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.test/a",
        "ftp://idp.test",
        "https://",
        "file:///a",
        "https://u:p@idp.test/",
        "https://[",
        "http://10.0.0.1/",
        "a",
    ],
)
def test_keys_come_from_nowhere_else(url: str) -> None:
    assert not jwks.is_safe_url(url)


@asynccontextmanager
async def served(app: web.Application, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def keys(request: web.Request) -> web.Response:
    if request.headers.get("If-None-Match") == '"v1"':
        return web.Response(status=304, headers={"ETag": '"v1"'})
    return web.Response(body=OLD.issuer.jwks(), headers={"ETag": '"v1"', "Cache-Control": "max-age=120"})


async def large(_: web.Request) -> web.Response:
    return web.Response(body=b" " * (MAX_SET_BYTES + 1))


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("/keys")


async def never(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


def application() -> web.Application:
    app = web.Application()
    app.router.add_get("/keys", keys)
    app.router.add_get("/large", large)
    app.router.add_get("/elsewhere", elsewhere)
    app.router.add_get("/never", never)
    return app


async def test_a_set_is_fetched_over_http_from_this_machine() -> None:
    async with served(application()) as base:
        answer = await HttpFetch()(base + "/keys", "")
        assert answer == Document(body=OLD.issuer.jwks(), etag='"v1"', max_age_ns=120 * SECOND)
        assert (await HttpFetch()(base + "/keys", '"v1"')).body is None


@pytest.mark.parametrize("path", ["/large", "/elsewhere", "/absent", "/never"])
async def test_what_is_too_large_redirected_absent_or_late_is_no_answer(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.3)
    async with served(application()) as base:
        with pytest.raises(FetchFailed):
            await HttpFetch()(base + path, "")


async def test_a_private_authority_is_trusted_only_when_it_is_given() -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    async with served(application(), server) as base:
        assert (await HttpFetch(client)(base + "/keys", "")).body is not None
        with pytest.raises(FetchFailed):
            await HttpFetch()(base + "/keys", "")


async def test_nothing_listening_is_no_answer() -> None:
    with pytest.raises(FetchFailed):
        await HttpFetch()("http://127.0.0.1:1/keys", "")
    with pytest.raises(FetchFailed, match="not https"):
        await HttpFetch()("http://idp.test/keys", "")
