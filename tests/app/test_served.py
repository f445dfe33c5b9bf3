"""Bundles over HTTP: fetched from a server that does everything wrong, and served to those who decide by them."""

import asyncio
import hashlib
from pathlib import Path

import psycopg
import pytest

from gateway.cli.demo.cluster import free_port
from tests.app.place import Place
from tests.support.bundle import everything_but_clear, write_signed_bundle
from tests.support.waiting import http_get

STRICT = everything_but_clear("payments", deny=[{"actions": ["select"], "connections": ["payments"]}])


class Server:
    """What a bundle server gives: bytes with their hash as tag, or a status."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.status = b"200 OK"
        self.answers: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        tag = f'"{hashlib.sha256(self.raw).hexdigest()}"'.encode()
        status, body = (b"304 Not Modified", b"") if tag in head else (self.status, self.raw)
        self.answers.append(status)
        length = str(len(body)).encode()
        head = b"HTTP/1.1 %b\r\nETag: %b\r\nContent-Length: %b\r\nConnection: close\r\n\r\n" % (status, tag, length)
        writer.write(head + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def until_rejected(place: Place, number: int) -> list[object]:
    """The codes of so many rejected bundles."""
    for _ in range(200):
        found = [leaf["data"]["code"] for leaf in place.leaves("bundle.rejected") if isinstance(leaf["data"], dict)]
        if len(found) >= number:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{number} rejections did not come")


async def test_a_polled_bundle_follows_its_server_and_outlives_everything_the_server_does_wrong(
    place: Place, tmp_path: Path
) -> None:
    server = Server((tmp_path / "bundle.tar.gz").read_bytes())
    serving = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = serving.sockets[0].getsockname()[1]
    place.configure({"bundle": f"http://127.0.0.1:{port}/b.tar.gz", "bundle_server": {"poll": "1s", "timeout": "5s"}})
    async with place.running() as gateway:
        first = gateway.activator.active_sha256
        assert await place.ask("SELECT 1 AS a") == [(1,)]
        good = server.raw
        server.raw = good[:-10]
        assert await until_rejected(place, 1) == ["bundle.malformed"]
        server.status = b"503 Service Unavailable"
        server.raw = good + b"x"
        assert (await until_rejected(place, 2))[1] == "bundle.unreachable"
        assert gateway.activator.active_sha256 == first
        assert await place.ask("SELECT 1 AS a") == [(1,)]
        server.status, server.raw = b"200 OK", place.bundle(STRICT, sequence=2).read_bytes()
        for _ in range(200):
            if gateway.activator.active_sha256 != first:
                break
            await asyncio.sleep(0.05)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await place.ask("SELECT 1 AS a")
        for _ in range(200):
            if b"304 Not Modified" in server.answers:
                break
            await asyncio.sleep(0.05)
        assert b"304 Not Modified" in server.answers
    serving.close()
    await serving.wait_closed()


async def test_the_active_bundle_is_served_as_it_is_and_the_next_one_after_it(place: Place) -> None:
    port = free_port()
    place.configure({}, http=port)
    url = f"http://127.0.0.1:{port}"
    async with place.running() as gateway:
        for _ in range(2):
            status, headers, raw = await asyncio.to_thread(http_get, f"{url}/v1/bundles/querywarden.tar.gz")
            assert (status, hashlib.sha256(raw).hexdigest()) == (200, gateway.activator.active_sha256)
            assert headers["ETag"] == f'"{gateway.activator.active_sha256}"'
            write_signed_bundle(place.folder, STRICT)
            await gateway.reload()
        assert (await asyncio.to_thread(http_get, f"{url}/readyz"))[0] == 200
        await place.order("stop", "--everything", "--reason", "r")
        _, _, numbers = await asyncio.to_thread(http_get, f"{url}/metrics")
        assert b"querywarden_stops 1.0" in numbers
        assert f'querywarden_bundle{{sha256="{gateway.activator.active_sha256}"}} 1.0'.encode() in numbers


async def test_without_a_bundle_nothing_is_served_and_readiness_is_red(place: Place) -> None:
    (place.folder / "bundle.tar.gz").unlink()
    port = free_port()
    place.configure({}, http=port)
    async with place.running():
        url = f"http://127.0.0.1:{port}"
        assert (await asyncio.to_thread(http_get, f"{url}/v1/bundles/querywarden.tar.gz"))[0] == 404
        status, _, body = await asyncio.to_thread(http_get, f"{url}/readyz")
        assert (status, b"policy.unavailable" in body) == (503, True)
        assert (await asyncio.to_thread(http_get, f"{url}/healthz"))[0] == 200
