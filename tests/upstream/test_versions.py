"""Protocol 3.2 towards the database: long cancel keys where the server has them, 3.0 where it negotiates down."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.cli.demo import binaries
from gateway.cli.demo import cluster as newer
from gateway.core.errors import Unavailable
from gateway.upstream.postgres import cancel, connect
from gateway.upstream.query import fetch
from gateway.upstream.target import Target
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.fields import message, text
from tests.upstream.fake_server import server as fake
from tests.upstream.test_postgres import GREETING, failure, saying

MakeTarget = Callable[..., Target]
LONG_KEY = GREETING.replace(server.backend_key_data(42, b"key!"), server.backend_key_data(42, bytes(32)))


def negotiates(newest: int, *unknown: str) -> bytes:
    return message(b"v", newest.to_bytes(4, "big"), len(unknown).to_bytes(4, "big"), *map(text, unknown))


@pytest.fixture(scope="module")
def newest() -> Iterator[Target]:
    """A database of the newest server there is: the demo's wheel brings one."""
    found = binaries.require_bundled()
    with tempfile.TemporaryDirectory(prefix="qw-newest-") as parent:
        folder = Path(parent)
        folder.chmod(0o711)
        with newer.Cluster(found, folder / "server", newer.free_port(), "secret-of-the-test") as running:
            yield Target(
                name="newest", host=newer.HOST, port=running.port, database="postgres", user=newer.SUPERUSER,
                password=lambda: "secret-of-the-test", tls="disable",
            )  # fmt: skip


async def is_cancelled(target: Target, key: Callable[[bytes], bytes]) -> bool:
    """Whether a cancel request with a key made of the right one stops a statement within a second."""
    link = await connect(target)
    sleeping = asyncio.ensure_future(fetch(link, "SELECT pg_sleep(1)"))
    await asyncio.sleep(0.1)
    await cancel(target, link.pid, key(link.key))
    outcome = (await asyncio.gather(sleeping, return_exceptions=True))[0]
    await link.stream.close()
    return isinstance(outcome, Unavailable) and "57014" in outcome.detail


@pytest.mark.parametrize(("minor", "length"), [(0, 4), (1, 4), (2, 32), (9, 32)])
async def test_a_new_server_gives_long_keys_to_those_who_ask_for_3_2(newest: Target, minor: int, length: int) -> None:
    link = await connect(replace(newest, minor=minor))
    assert (len(link.key), link.minor) == (length, min(minor, 2))
    assert await fetch(link, "SELECT 1") == [("1",)]
    await link.stream.close()


async def test_a_long_key_cancels_as_a_whole_only(newest: Target) -> None:
    target = replace(newest, minor=2)
    assert await is_cancelled(target, lambda key: key)
    assert not await is_cancelled(target, lambda key: key[:4])
    assert not await is_cancelled(target, lambda key: key[:-1] + bytes((key[-1] ^ 1,)))


async def test_an_older_server_negotiates_down(target: MakeTarget) -> None:
    older = replace(target(), minor=2)
    link = await connect(older)
    assert (len(link.key), link.minor) == (4, 0)
    await link.stream.close()
    assert await is_cancelled(older, lambda key: key)


@pytest.mark.parametrize(
    "said",
    [
        negotiates(3 << 16 | 2) + LONG_KEY,
        negotiates(3 << 16 | 3) + LONG_KEY,
        negotiates(4 << 16) + GREETING,
        negotiates(3 << 16, "_pq_.never_asked") + GREETING,
        negotiates(3 << 16) + LONG_KEY,
        negotiates(3 << 16) * 2 + GREETING,
        GREETING[:9] + negotiates(3 << 16) + GREETING[9:],
    ],
)
async def test_a_server_that_negotiates_what_was_not_asked_is_not_believed(target: MakeTarget, said: bytes) -> None:
    async with fake(saying(said)) as port:
        error = await failure(connect(replace(target(tls="disable", port=port), minor=2)))
    assert error.code == "upstream.wrong_server"


async def test_in_protocol_3_0_a_long_key_or_a_negotiation_is_not_believed(target: MakeTarget) -> None:
    for said in (LONG_KEY, negotiates(3 << 16) + GREETING):
        async with fake(saying(said)) as port:
            error = await failure(connect(target(tls="disable", port=port)))
        assert error.code == "upstream.wrong_server"
