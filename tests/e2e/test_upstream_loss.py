"""The database goes away, in each way and at each moment: the client is told, the session ends, the record is whole."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from tests.chaos.load import leaves
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster, running_cluster
from tests.support.rawpg import RawClient, kinds, message, query, rows
from tests.support.relay import Relay, running_relay
from tests.support.waiting import until

_SCHEMA = """
CREATE TABLE notes (body text);
GRANT ALL ON notes TO agent_rw;
"""
_LONG = "SELECT generate_series(1, 100000000), 'a row that goes on and on'"
_SHUTDOWN, _LOST = {"57P01", "57P02", "08006"}, {"08006"}


@dataclass
class Stage:
    """A gateway that reaches its database through a relay."""

    cluster: Cluster
    relay: Relay
    gateway: Gateway

    def client(self) -> RawClient:
        """A session that has asked something already."""
        client = RawClient(self.gateway.port)
        client.start_tls(self.gateway.tls.ca)
        client.log_in(self.gateway.token(), "payments", "agent")
        assert rows(client.ask(query("SELECT 1"))) == [[b"1"]]
        return client


@pytest.fixture(scope="module")
def shared() -> Iterator[Stage]:
    """A server of this file's own, because it is stopped and started."""
    with ExitStack() as stack:
        cluster = stack.enter_context(running_cluster())
        database = cluster.create_database()
        cluster.run(_SCHEMA, database)
        relay = stack.enter_context(running_relay(cluster.port))
        connections = {"payments": Upstream(database, "agent_rw", limits={"pool_max": 3})}
        site = everything_but_clear(*connections)
        gateway = stack.enter_context(running_gateway(replace(cluster, port=relay.port), connections, site))
        yield Stage(cluster, relay, gateway)


def idle(client: RawClient) -> None:
    """Nothing is going on."""
    del client


def in_transaction(client: RawClient) -> None:
    client.ask(query("BEGIN"))
    assert kinds(client.ask(query("INSERT INTO notes VALUES ('never committed')"))) == "CZ"


def mid_result(client: RawClient) -> None:
    client.send(query(_LONG))
    for _ in range(3):
        client.read_to("D")


def in_copy(client: RawClient) -> None:
    client.send(query("COPY notes FROM STDIN"))
    assert client.read_to("G")
    client.send(message("d", b"never committed\n") * 10)


def restart(stage: Stage) -> None:
    stage.cluster.stop()
    stage.cluster.start()


def terminate(stage: Stage) -> None:
    stage.cluster.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'qw/%'")


def cut(stage: Stage) -> None:
    stage.relay.cut()


MOMENTS: Mapping[str, tuple[Callable[[RawClient], None], int]] = {
    "idle": (idle, 0),
    "in a transaction": (in_transaction, 0),
    "in the middle of a result": (mid_result, 1),
    "during COPY": (in_copy, 1),
}
"""How to get there, and how many statements have no end then."""
LOSSES: Mapping[str, tuple[Callable[[Stage], None], set[str]]] = {
    "restarted": (restart, _SHUTDOWN),
    "backend terminated": (terminate, _SHUTDOWN),
    "connection cut": (cut, _LOST),
}


def check_record(stage: Stage, before: int, open_statements: int) -> None:
    """The session opened since then has its end, and each statement of it that was let through has one outcome."""
    sid = next(leaf.sid for leaf in leaves(stage.gateway)[before:] if leaf.type == "session.opened")
    until(lambda: any(leaf.sid == sid and leaf.type == "session.closed" for leaf in leaves(stage.gateway)))
    found = [leaf for leaf in leaves(stage.gateway)[before:] if leaf.sid == sid]
    (reason,) = [leaf.facts()["reason"] for leaf in found if leaf.type == "session.closed"]
    assert reason in {"upstream.fatal", "upstream.lost"}
    decided = [leaf.did for leaf in found if leaf.type == "statement.decided" and leaf.ok]
    ends = {leaf.did: leaf.outcome for leaf in found if leaf.type == "statement.finished"}
    assert sorted(ends) == sorted(decided)
    assert sum(outcome != "done" for outcome in ends.values()) == open_statements


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_database_that_goes_away_ends_the_session_with_a_word_and_a_record(
    shared: Stage, moment: str, loss: str
) -> None:
    reach, open_statements = MOMENTS[moment]
    lose, states = LOSSES[loss]
    before = len(leaves(shared.gateway))
    with shared.client() as client:
        reach(client)
        lose(shared)
        last = client.read_to_end()[-1]
    assert last.kind == "E"
    assert last.fields["S"] == "FATAL"
    assert last.fields["C"] in states
    check_record(shared, before, open_statements)
    with shared.client() as again:
        assert rows(again.ask(query("SELECT count(*) FROM notes"))) == [[b"0"]]


def test_the_places_of_lost_sessions_are_free_again(shared: Stage) -> None:
    for _ in range(2):
        clients = [shared.client() for _ in range(3)]
        shared.relay.cut()
        for client in clients:
            assert client.read_to_end()[-1].fields["C"] == "08006"
            client.close()


def test_a_network_that_stays_cut_refuses_with_a_code_and_is_used_again_when_it_is_back(shared: Stage) -> None:
    shared.relay.deaf = True
    shared.relay.cut()
    try:
        with RawClient(shared.gateway.port) as client:
            client.start_tls(shared.gateway.tls.ca)
            client.log_in(shared.gateway.token(), "payments", "agent")
            client.send(query("SELECT 1"))
            assert client.read_to_end()[-1].fields["C"] in {"08001", "08006"}
    finally:
        shared.relay.deaf = False
    with shared.client() as client:
        assert kinds(client.ask(query("SELECT 1"))) == "TDCZ"
