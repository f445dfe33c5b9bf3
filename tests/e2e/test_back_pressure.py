"""Slow, huge and tiny: a client that does not read, rows of a hundred megabytes, networks that carry a byte at a time.

QUERYWARDEN_FLOOD says how many megabytes the client that does not read has asked for.
"""

import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from bench.processes import forget_peak, peak_bytes, resident_bytes
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster
from tests.support.rawpg import RawClient, extended, kinds, message, query, rows
from tests.support.relay import Relay, running_relay

MEGABYTE = 1024 * 1024
FLOOD = int(os.environ.get("QUERYWARDEN_FLOOD", "300"))
GROWTH_MAX = 50 * MEGABYTE
_FLOOD = "SELECT generate_series(1, {}), repeat('q', 1000), pan FROM cards WHERE id = 1"
_SCHEMA = """
CREATE TABLE cards (id int PRIMARY KEY, pan text, cvv text);
INSERT INTO cards SELECT n, '411111111111' || lpad(n::text, 4, '0'), '123' FROM generate_series(1, 50) n;
CREATE TABLE notes (n int, body text);
GRANT ALL ON cards, notes TO agent_rw;
"""


@dataclass
class Stage:
    """A gateway before the shared server, and one whose both sides dribble."""

    gateway: Gateway
    dribbling: Gateway
    near: Relay
    """between clients and the gateway that dribbles"""
    far: Relay
    """between it and the server"""


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Stage]:
    with ExitStack() as stack:
        database = cluster.create_database()
        cluster.run(_SCHEMA, database)
        connections = {
            "payments": Upstream(database, "agent_rw"),
            "large": Upstream(database, "agent_rw", limits={"message_max": "256MiB"}),
        }
        site = everything_but_clear(*connections)
        far = stack.enter_context(running_relay(cluster.port, dribbles=True))
        gateway = stack.enter_context(running_gateway(cluster, connections, site))
        dribbling = stack.enter_context(running_gateway(replace(cluster, port=far.port), connections, site))
        near = stack.enter_context(running_relay(dribbling.port, dribbles=True))
        yield Stage(gateway, dribbling, near, far)
    cluster.drop_database(database)


def client_of(gateway: Gateway, connection: str = "payments", port: int = 0) -> RawClient:
    """A session; `port` when something stands before the gateway."""
    client = RawClient(port or gateway.port)
    client.start_tls(gateway.tls.ca)
    assert client.log_in(gateway.token(), connection, "agent")[-1].kind == "Z"
    return client


@pytest.mark.parametrize("how", ["simple", "extended", "COPY"])
def test_a_client_that_asks_for_much_and_reads_nothing_costs_little_and_holds_up_nobody(
    shared: Stage, say: Callable[[str], None], how: str
) -> None:
    pid = shared.gateway.process.pid
    asked = _FLOOD.format(FLOOD * 1024)
    flood = {"simple": query(asked), "extended": extended(asked), "COPY": query(f"COPY ({asked}) TO STDOUT")}[how]
    with client_of(shared.gateway) as stubborn, client_of(shared.gateway) as other:
        for client in (stubborn, other):
            assert kinds(client.ask(query("SELECT pan FROM cards WHERE id = 2"))) == "TDCZ"
        forget_peak(pid)
        before = resident_bytes(pid)
        stubborn.send(flood)
        until_then = time.monotonic() + 1.5
        answers = 0
        while time.monotonic() < until_then:
            assert rows(other.ask(query("SELECT pan FROM cards WHERE id = 7"))) == [[b"************0007"]]
            answers += 1
        grown = peak_bytes(pid) - before
        assert stubborn.read_to("D", "d", "E")[-1].kind != "E", "it was answered, had it only read"
    say(f"{FLOOD} MB asked for and not read, {how}: {grown / 1e6:.1f} MB more, {answers} answers to another meanwhile")
    assert grown < GROWTH_MAX


@pytest.mark.parametrize("ask", [query, extended], ids=["simple", "extended"])
def test_a_row_of_a_hundred_megabytes_passes_where_messages_may_be_that_long(
    shared: Stage, ask: Callable[[str], bytes]
) -> None:
    size = 100 * MEGABYTE
    with client_of(shared.gateway, "large") as client:
        seen = client.ask(ask(f"SELECT repeat('q', {size})"))
        ((value,),) = rows(seen)
        assert value is not None
        assert (len(value), value.strip(b"q")) == (size, b"")
        assert kinds(client.ask(query("SELECT 1"))) == "TDCZ"


@pytest.mark.parametrize("ask", [query, extended], ids=["simple", "extended"])
def test_a_row_longer_than_a_message_may_be_ends_the_session_and_says_which_setting(
    shared: Stage, ask: Callable[[str], bytes]
) -> None:
    with client_of(shared.gateway) as client:
        client.send(ask(f"SELECT repeat('q', {17 * MEGABYTE})"))
        last = client.read_to_end()[-1].fields
    assert (last["S"], last["C"]) == ("FATAL", "08006")
    assert "message_max" in last["H"]


def test_a_statement_longer_than_a_message_may_be_is_refused_before_it_is_held(shared: Stage) -> None:
    pid = shared.gateway.process.pid
    with client_of(shared.gateway) as client:
        forget_peak(pid)
        before = resident_bytes(pid)
        client.send(b"Q" + struct.pack(">I", 1024 * MEGABYTE))
        last = client.read_to_end()[-1].fields
        assert peak_bytes(pid) - before < GROWTH_MAX
    assert last["S"] == "FATAL"


def test_a_network_that_carries_a_byte_at_a_time_changes_nothing(shared: Stage) -> None:
    with client_of(shared.dribbling, port=shared.near.port) as client:
        assert rows(client.ask(query("SELECT pan, cvv FROM cards WHERE id = 7"))) == [[b"************0007", None]]
        bound = client.ask(extended("SELECT id, pan FROM cards WHERE id = $1", [b"9"]))
        assert kinds(bound) == "12TDCZ"
        assert rows(bound) == [[b"9", b"************0009"]]
        client.send(query("COPY notes FROM STDIN"))
        client.read_to("G")
        copied = client.ask(message("d", b"1\tone\n2\tt") + message("d", b"wo\n") + message("c"))
        assert kinds(copied) == "CZ"
        out = client.ask(query("COPY (SELECT n, body FROM notes ORDER BY n) TO STDOUT"))
        assert b"".join(m.body for m in out if m.kind == "d") == b"1\tone\n2\ttwo\n"
        failed = client.ask(query("SELECT 1/0"))
        assert kinds(failed).endswith("EZ")
    assert shared.near.passed > 1000
    assert shared.far.passed > 1000
