"""The log over http: what lies there is served to who may read it, and no other file can be named."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from gateway.core.errors import Unavailable
from gateway.evidence.cosign import with_lines
from gateway.evidence.cosigned import keep_cosigned
from gateway.evidence.keys import load_verifier
from gateway.evidence.note import open_checkpoint, split_note
from gateway.frontends.http.log import FOR_A_DAY, FOR_EVER, LogDesk
from tests.evidence.witnesses import CosigningKey
from tests.evidence.world import whole_log
from tests.frontends.http.world import Listener, got

TOKEN = {"Authorization": "Bearer right"}


class Place:
    """A log, a listener, and who was recorded as reading it."""

    def __init__(self, folder: Path) -> None:
        self.prefix = folder / "log/1"
        self.read_by: list[str] = []
        self.full = False
        self.listener = Listener()
        self.desk = LogDesk(folder, lambda: 1, loopback=True, accessed=self._accessed, token=lambda: "right")

    async def _accessed(self, address: str) -> None:
        if self.full:
            raise Unavailable("evidence.unavailable")
        self.read_by.append(address)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[aiohttp.ClientSession]:
        object.__setattr__(self.listener.desk, "log", self.desk)
        async with self.listener.running() as session:
            yield session


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("log")
    whole_log(made, sessions=40, statements=5)
    return made


@pytest.fixture
def place(folder: Path) -> Place:
    return Place(folder)


def test_the_log_is_large_enough_to_have_full_and_partial_tiles(folder: Path) -> None:
    assert (folder / "log/1/tile/0/000").exists()
    assert list((folder / "log/1/tile/1").glob("000.p/*"))


async def test_the_checkpoint_is_served_as_it_lies_and_not_kept(place: Place) -> None:
    async with place.running() as session:
        status, headers, body = await got(session, "/v1/log/checkpoint", TOKEN)
    assert (status, body) == (200, (place.prefix / "checkpoint").read_bytes())
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"


async def test_every_file_of_the_tree_is_served_under_its_own_name(place: Place) -> None:
    files = [path for path in (place.prefix / "tile").rglob("*") if path.is_file()]
    assert len(files) == 5
    async with place.running() as session:
        for base in ("/v1/log", "/v1/log/epoch/1"):
            for path in files:
                name = path.relative_to(place.prefix)
                headers = {**TOKEN, "Accept-Encoding": "identity"}
                status, found, body = await got(session, f"{base}/{name}", headers)
                assert (status, body) == (200, path.read_bytes())
                assert found["Content-Type"] == "application/octet-stream"
                assert found["Cache-Control"] == (FOR_A_DAY if ".p/" in str(name) else FOR_EVER)


async def test_entries_are_packed_for_who_can_unpack_them_and_hashes_are_not(place: Place) -> None:
    plain = (place.prefix / "tile/entries/000").read_bytes()
    async with place.running() as session:
        async with session.get("/v1/log/tile/entries/000", headers={**TOKEN, "Accept-Encoding": "gzip"}) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert int(response.headers["Content-Length"]) < len(plain) / 2
            assert await response.read() == plain
        _, headers, _ = await got(session, "/v1/log/tile/0/000", {**TOKEN, "Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in headers
    assert gzip.decompress(gzip.compress(plain, 1, mtime=0)) == plain


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=1.0, identity", True),
        ("*", True),
        ("identity, gzip;q=0.05", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("identity", False),
        ("x-gzipped", False),
        ("", False),
    ],
)
async def test_what_a_reader_takes_is_read_as_http_says(place: Place, accepts: str, *, packed: bool) -> None:
    async with place.running() as session:
        headers = {**TOKEN, "Accept-Encoding": accepts}
        async with session.get("/v1/log/tile/entries/000", headers=headers) as response:
            assert ("Content-Encoding" in response.headers) is packed


async def test_a_partial_tile_that_became_full_is_still_served(place: Place) -> None:
    tile, entries = (place.prefix / "tile/0/000").read_bytes(), (place.prefix / "tile/entries/000").read_bytes()
    async with place.running() as session:
        assert (await got(session, "/v1/log/tile/0/000.p/7", TOKEN))[2] == tile[: 7 * 32]
        body = (await got(session, "/v1/log/tile/entries/000.p/1", TOKEN))[2]
    assert entries.startswith(body)
    assert len(body) == 2 + int.from_bytes(body[:2], "big")


async def test_the_key_and_the_best_cosigned_checkpoint_are_there(place: Place, folder: Path) -> None:
    verifier, witness = load_verifier(folder / "keys/log-1.pub"), CosigningKey()
    note = (place.prefix / "checkpoint").read_bytes()
    async with place.running() as session:
        assert (await got(session, "/v1/log/cosigned", TOKEN))[0] == 404
        keep_cosigned(place.prefix, witness.key, with_lines(note, [witness.line(split_note(note)[0], 1)]))
        status, _, body = await got(session, "/v1/log/cosigned", TOKEN)
        assert (await got(session, "/v1/log/key", TOKEN))[2] == verifier.encode().encode() + b"\n"
    assert status == 200
    assert witness.key.name.encode() in body
    assert open_checkpoint(body, verifier) == open_checkpoint(note, verifier)


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/entries/000", "key", "cosigned"])
@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic right"])
async def test_without_the_token_nothing_is_read(place: Place, path: str, header: str) -> None:
    async with place.running() as session:
        status, headers, body = await got(session, f"/v1/log/{path}", {"Authorization": header})
    assert (status, body, headers["WWW-Authenticate"]) == (401, b"401\n", "Bearer")
    assert place.read_by == []


@pytest.mark.parametrize(
    ("loopback", "path", "status"),
    [
        (True, "checkpoint", 200),
        (True, "tile/0/000", 200),
        (True, "tile/entries/000", 403),
        (False, "checkpoint", 403),
        (False, "tile/0/000", 403),
        (False, "tile/entries/000", 403),
    ],
)
async def test_where_no_token_is_configured_only_hashes_are_read_and_only_on_this_machine(
    place: Place,
    loopback: bool,  # noqa: FBT001 -- a parameter of the table
    path: str,
    status: int,
) -> None:
    place.desk.token, place.desk.loopback = None, loopback
    async with place.running() as session:
        assert (await got(session, f"/v1/log/{path}"))[0] == status


async def test_reading_entries_is_recorded_and_reading_hashes_is_not(place: Place) -> None:
    async with place.running() as session:
        await got(session, "/v1/log/tile/0/000", TOKEN)
        assert place.read_by == []
        await got(session, "/v1/log/tile/entries/000", TOKEN)
        assert place.read_by == ["127.0.0.1"]
        place.full = True
        status, _, body = await got(session, "/v1/log/tile/entries/000", TOKEN)
    assert (status, body) == (503, b"evidence.unavailable\n")


TARGETS = [
    "/v1/log",
    "/v1/log/",
    "/v1/log/tile",
    "/v1/log/tile/",
    "/v1/log/tile/0",
    "/v1/log/tile/0/0",
    "/v1/log/tile/0/0000",
    "/v1/log/tile/0/000/",
    "/v1/log/tile/0/000?x=1",
    "/v1/log/tile/0/000%20",
    "/v1/log/tile/0/%30%30%30",
    "/v1/log/tile/00/000",
    "/v1/log/tile/64/000",
    "/v1/log/tile/-1/000",
    "/v1/log/tile/0/x000",
    "/v1/log/tile/0/x000/000",
    "/v1/log/tile/0/999",
    "/v1/log/tile/0/000.p/0",
    "/v1/log/tile/0/000.p/256",
    "/v1/log/tile/0/000.p/07",
    "/v1/log/tile/0/000.p",
    "/v1/log/tile/entries/../../checkpoint",
    "/v1/log/tile/../../../keys/log-1.key",
    "/v1/log/..%2f..%2fkeys/log-1.key",
    "/v1/log/tile/%2e%2e/%2e%2e/%2e%2e/keys/log-1.key",
    "/v1/log/tile/0/..%5c..%5ckeys",
    "/v1/log//checkpoint",
    "/v1/log/./checkpoint",
    "/v1/log/Checkpoint",
    "/v1/log/checkpoint/",
    "/v1/log/checkpoint%00",
    "/v1/log/wal/000",
    "/v1/log/cosigned/x",
    "/v1/log/epoch/0/checkpoint",
    "/v1/log/epoch/01/checkpoint",
    "/v1/log/epoch/2/checkpoint",
    "/v1/log/epoch/1",
    "/v1/log/epoch/٣/checkpoint",
    "/v1/log/epoch/../epoch/1/checkpoint",
    "/v1/log/tile/0/٠٠٠",
]


@pytest.mark.parametrize("target", TARGETS)
async def test_no_other_path_names_anything(place: Place, target: str) -> None:
    async with place.running():
        assert await literally(place.listener.url, target) in {b"400", b"404"}
    assert place.read_by == []


async def literally(url: str, target: str) -> bytes:
    """The status of a request whose target is sent as it is written."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, family=socket.AF_INET)
    writer.write(
        f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\nConnection: close\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.split(b" ", 2)[1]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_written(place: Place, method: str) -> None:
    async with place.running() as session:
        assert (await got(session, "/v1/log/checkpoint", TOKEN, method))[0] == 405
