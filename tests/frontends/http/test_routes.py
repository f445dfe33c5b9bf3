"""The http listener gives the active bundle to those who may have it, says how it is, and answers nothing else."""

import asyncio
import hashlib
import json

import aiohttp
import pytest

from gateway.frontends.http.routes import BUNDLE
from gateway.frontends.http.server import serving
from gateway.frontends.listener import bind
from tests.frontends.http.world import Listener, got

PATH = "/v1/bundles/pci.tar.gz"
ONE, TWO = b"one", b"two"


def tag(raw: bytes) -> str:
    return f'"{hashlib.sha256(raw).hexdigest()}"'


async def test_the_bundle_comes_with_its_hash_as_tag_and_not_again_to_those_who_have_it() -> None:
    listener = Listener()
    async with listener.running() as session:
        assert (await got(session, PATH))[0] == 404
        listener.shelf.put(ONE)
        status, headers, body = await got(session, PATH)
        assert (status, headers["ETag"], headers["Content-Type"], body) == (200, tag(ONE), BUNDLE, ONE)
        status, headers, body = await got(session, PATH, {"If-None-Match": tag(ONE)})
        assert (status, headers["ETag"], body) == (304, tag(ONE), b"")
        assert (await got(session, PATH, {"If-None-Match": tag(TWO)}))[0] == 200
        assert (await got(session, PATH, {"If-None-Match": "nonsense"}))[0] == 200


async def test_who_has_it_can_wait_for_the_next_one() -> None:
    listener = Listener()
    listener.shelf.put(ONE)
    async with listener.running() as session:
        prefer = {"If-None-Match": tag(ONE), "Prefer": "modes=snapshot,delta;wait=30"}
        waiting = asyncio.ensure_future(got(session, PATH, prefer))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        listener.shelf.put(TWO)
        assert (await waiting)[2] == TWO
        assert (await got(session, PATH, {"If-None-Match": tag(TWO), "Prefer": "wait=0"}))[0] == 304


async def test_who_waits_is_let_go_when_the_listener_ends() -> None:
    listener = Listener()
    listener.shelf.put(ONE)
    sock = bind("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{sock.getsockname()[1]}") as session:
        async with serving(sock, listener.desk, None):
            prefer = {"If-None-Match": tag(ONE), "Prefer": "wait=30"}
            waiting = asyncio.ensure_future(got(session, PATH, prefer))
            await asyncio.sleep(0.05)
        with pytest.raises(aiohttp.ClientError):
            await waiting


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("", 401),
        ("Bearer ", 401),
        ("Bearer wrong", 401),
        ("Basic right", 401),
        ("Bearer right", 200),
        ("bearer right", 200),
    ],
)
async def test_where_a_token_is_asked_for_nothing_is_given_without_it(given: str, status: int) -> None:
    listener = Listener(lambda: "right")
    listener.shelf.put(ONE)
    async with listener.running() as session:
        found, headers, body = await got(session, PATH, {"Authorization": given} if given else None)
        assert found == status
        assert (body == ONE) is (status == 200)
        assert ("WWW-Authenticate" in headers) is (status == 401)
        assert (await got(session, "/healthz"))[0] == 200


async def test_health_and_readiness_are_two_things() -> None:
    listener = Listener()
    async with listener.running() as session:
        assert (await got(session, "/healthz"))[0] == 200
        status, _, body = await got(session, "/readyz")
        assert (status, json.loads(body)) == (200, {"ready": True, "missing": []})
        listener.missing = ["policy.opa_down"]
        status, _, body = await got(session, "/readyz")
        assert (status, json.loads(body)["missing"]) == (503, ["policy.opa_down"])
        assert (await got(session, "/healthz"))[0] == 200


async def test_numbers_are_there_for_prometheus() -> None:
    listener = Listener()
    async with listener.running() as session:
        status, headers, body = await got(session, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert b'querywarden_decisions_total{outcome="deny"} 3.0' in body
    assert b"querywarden_stops 2.0" in body


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/bundles/", "/v1/bundles/other.tar.gz", f"{PATH}/x", "/v1/query", "/web"]
)
async def test_there_is_nothing_else(path: str) -> None:
    listener = Listener()
    listener.shelf.put(ONE)
    async with listener.running() as session:
        status, headers, body = await got(session, path)
        assert (status, body) == (404, b"404\n")
        assert headers["Content-Security-Policy"] == "default-src 'none'"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_sent(method: str) -> None:
    listener = Listener()
    async with listener.running() as session:
        assert (await got(session, PATH, method=method))[0] == 405
