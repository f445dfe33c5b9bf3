"""A million rows and two hundred sessions: memory stays flat, every answer is right, the evidence is complete.

QUERYWARDEN_ROWS and QUERYWARDEN_SESSIONS say how many.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing

import msgspec
import psycopg
import pytest

from bench.processes import forget_peak, peak_bytes, resident_bytes
from gateway.evidence.leaf import Leaf
from gateway.evidence.view import open_views
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster, running_cluster

ROWS = int(os.environ.get("QUERYWARDEN_ROWS", "1000000"))
SESSIONS = int(os.environ.get("QUERYWARDEN_SESSIONS", "200"))
TURNS = 3
GROWTH_MAX = 50 * 1024 * 1024
_WIDE = "SELECT id, 'seven red lamps of row ' || id AS body, pan FROM cards, generate_series(1, {}) AS s WHERE id = 1"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """A server with room for everybody, and a gateway in front of it."""
    with running_cluster({"max_connections": str(SESSIONS + 50), "log_statement": "none"}) as cluster:
        yield from _before(cluster)


def _before(cluster: Cluster) -> Iterator[Gateway]:
    name = cluster.create_database()
    cluster.run(_SCHEMA, name)
    connections = {"payments": Upstream(name, limits={"pool_max": SESSIONS + 20})}
    with running_gateway(cluster, connections, everything_but_clear("payments")) as running:
        yield running


_SCHEMA = """
CREATE TABLE cards (id int PRIMARY KEY, pan text, cvv text);
INSERT INTO cards SELECT n, '411111111111' || lpad(n::text, 4, '0'), '123' FROM generate_series(1, 50) n;
CREATE TABLE notes (body text);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO agent_ro;
"""


def simple(connection: psycopg.Connection) -> int:
    cursor = psycopg.ClientCursor(connection)
    return sum(1 for _ in cursor.stream(_WIDE.format(ROWS).encode(), size=1))


def fetched(connection: psycopg.Connection) -> int:
    with connection.transaction(), connection.cursor("c") as cursor:
        cursor.itersize = 5000
        cursor.execute(_WIDE.format(ROWS).encode())
        return sum(1 for _ in cursor)


def binary(connection: psycopg.Connection) -> int:
    return sum(1 for _ in connection.cursor(binary=True).stream(_WIDE.format(ROWS).encode()))


def copied(connection: psycopg.Connection) -> int:
    with connection.cursor().copy(f"COPY ({_WIDE.format(ROWS)}) TO STDOUT".encode()) as copy:
        return sum(bytes(data).count(b"\n") for data in copy)


WAYS: Mapping[str, Callable[[psycopg.Connection], int]] = {
    "streamed": simple,
    "fetch size": fetched,
    "binary": binary,
    "COPY out": copied,
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
def test_a_million_rows_do_not_make_the_gateway_grow(gateway: Gateway, say: Callable[[str], None], way: str) -> None:
    pid = gateway.process.pid
    with closing(gateway.connect("payments")) as connection:
        connection.execute("SELECT 1")
        forget_peak(pid)
        before = resident_bytes(pid)
        assert WAYS[way](connection) == ROWS
        grown = peak_bytes(pid) - before
    say(f"{ROWS:,} rows, {way}: {grown / 1e6:.1f} MB more at the peak")
    assert grown < GROWTH_MAX


def mix(connection: psycopg.Connection, number: int, wrong: list[str]) -> None:
    """A few statements of each kind; whatever is not answered as it should be is noted."""
    card = number % 50 + 1
    for turn in range(TURNS):
        row = connection.execute("SELECT id, pan, cvv FROM cards WHERE id = %s", (card,)).fetchone()
        if row != (card, "*" * 12 + f"{card:04}", None):
            wrong.append(f"{number}: {row}")
        try:
            connection.execute("SELECT pg_read_file('/etc/passwd')")
            wrong.append(f"{number}: a refused statement was answered")
        except psycopg.errors.InsufficientPrivilege:
            pass
        with connection.pipeline():
            cursors = [connection.execute("SELECT %s::int", (number * 10 + turn,)) for _ in range(2)]
        values = [cursor.fetchone() for cursor in cursors]
        if values != [(number * 10 + turn,)] * 2:
            wrong.append(f"{number}: {values}")


def session(gateway: Gateway, number: int, together: threading.Barrier, wrong: list[str]) -> None:
    try:
        with closing(gateway.connect("payments")) as connection:
            connection.execute("SELECT 1")
            together.wait(60)
            mix(connection, number, wrong)
    except (psycopg.Error, threading.BrokenBarrierError) as error:
        wrong.append(f"{number}: {error!r}")
        together.abort()


def leaves(gateway: Gateway) -> Sequence[Leaf]:
    return [msgspec.json.decode(leaf, type=Leaf) for view in open_views(gateway.data) for _, leaf in view.upwards(0)]


@pytest.mark.timeout(180)
def test_two_hundred_sessions_at_once_are_answered_right_and_recorded_whole(
    gateway: Gateway, say: Callable[[str], None]
) -> None:
    wrong: list[str] = []
    together = threading.Barrier(SESSIONS)
    agents = [threading.Thread(target=session, args=(gateway, n, together, wrong)) for n in range(SESSIONS)]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join()
    assert wrong[:5] == []
    gateway.stop()
    found = leaves(gateway)
    kinds = Counter(leaf.type for leaf in found)
    refused = sum(leaf.type == "statement.decided" and not leaf.ok for leaf in found)
    assert kinds["session.opened"] == kinds["session.closed"] == SESSIONS + len(WAYS)
    assert refused == SESSIONS * TURNS
    assert kinds["statement.finished"] == kinds["statement.decided"] - refused
    say(f"{SESSIONS} sessions at once: {kinds['statement.decided']:,} decisions, {refused} refused, all recorded whole")
