"""Protocol 3.2 towards clients: the version they ask for as far as it is spoken, and a key as long as it may be."""

import struct
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from gateway.core.events import EventType
from tests.frontends.world import World
from tests.support.rawpg import Message, RawClient, error, message, query, startup, text

LONG = "SELECT count(*) FROM generate_series(1, 2000000000)"


def enter(client: RawClient, world: World, minor: int, **more: str) -> list[Message]:
    """Log in with a minor version; everything up to ReadyForQuery."""
    client.start_tls(world.tls.ca)
    client.send(startup({"user": "agent", "database": "payments", **more}, 3 << 16 | minor))
    seen = client.read_to("R")
    client.send(message("p", text(world.token())))
    seen += client.read_to("Z")
    client.key = next(found.body for found in seen if found.kind == "K")
    return seen


@pytest.mark.parametrize(("minor", "length"), [(0, 4), (1, 4), (2, 32), (3, 32), (9999, 32)])
def test_the_cancel_key_is_as_long_as_the_version_allows(world: World, minor: int, length: int) -> None:
    with RawClient(world.port) as client:
        seen = enter(client, world, minor)
        assert len(client.key) == 4 + length
        negotiated = [found.body for found in seen if found.kind == "v"]
        assert negotiated == ([struct.pack(">II", 3 << 16 | 2, 0)] if minor > 2 else [])


def test_options_of_the_protocol_that_are_not_known_are_named_before_anything_else(world: World) -> None:
    with RawClient(world.port) as client:
        first, *_ = enter(client, world, 2, **{"_pq_.one": "1", "_pq_.two": ""})
        assert first == Message("v", struct.pack(">II", 3 << 16 | 2, 2) + text("_pq_.one") + text("_pq_.two"))


@pytest.mark.parametrize(
    ("change", "hits"),
    [
        (lambda key: key, True),
        (lambda key: key[:8], False),
        (lambda key: key + b"\0", False),
        (lambda key: key[:-1], False),
    ],
)
def test_a_statement_is_cancelled_by_the_whole_key_only(world: World, change: object, hits: bool) -> None:  # noqa: FBT001 -- a case
    assert callable(change)
    with RawClient(world.port) as client, RawClient(world.port) as other:
        enter(client, world, 2)
        client.send(query(LONG if hits else "SELECT pg_sleep(0.7)"))
        world.until(lambda: world.log.of(EventType.STATEMENT_DECIDED))
        time.sleep(0.2)  # the statement has to be at the server
        other.start_tls(world.tls.ca)
        shown = struct.pack(">I", 80877102) + change(client.key)
        other.send(struct.pack(">I", len(shown) + 4) + shown)
        assert other.read_to_end() == []
        assert error(client.read_to("Z")).get("C") == ("57014" if hits else None)


def test_libpq_speaks_3_2_and_cancels_with_it(world: World) -> None:
    assert psycopg.pq.version() >= 180000, "the tests need a libpq that speaks 3.2"
    conninfo = world.conninfo(min_protocol_version="3.2", max_protocol_version="3.2")
    with psycopg.connect(conninfo, autocommit=True) as connection, ThreadPoolExecutor(1) as beside:
        running = beside.submit(connection.execute, LONG)
        world.until(lambda: world.log.of(EventType.STATEMENT_DECIDED))
        time.sleep(0.2)  # the statement has to be at the server
        connection.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            running.result()
        assert connection.execute("SELECT pan FROM cards WHERE id = 1").fetchone() == ("************1111",)
