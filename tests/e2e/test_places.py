"""Places at the database: three hundred clients share a few, each ending gives one back, who waits too long is told."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.chaos.load import leaves
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import HOST, Cluster
from tests.support.rawpg import TERMINATE, RawClient, kinds, query, rows
from tests.support.rawpg import error as first_error
from tests.support.waiting import until

CLIENTS = int(os.environ.get("QUERYWARDEN_CLIENTS", "300"))
PLACES = 2
LONG = "SELECT count(*) FROM generate_series(1, 2000000000)"


@dataclass
class Stage:
    """A gateway with few places before the shared server."""

    cluster: Cluster
    gateway: Gateway
    database: str
    clients: list[RawClient] = field(default_factory=list)

    def client(self, connection: str = "few") -> RawClient:
        """A session that holds no place yet."""
        client = RawClient(self.gateway.port)
        self.clients.append(client)
        client.start_tls(self.gateway.tls.ca)
        assert client.log_in(self.gateway.token(), connection, "agent")[-1].kind == "Z"
        return client

    def pids(self) -> list[int]:
        """The backends of sessions with few places."""
        sql = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'qw/%%' AND datname = %s"
        with self.cluster.connect() as admin:
            return [pid for (pid,) in admin.execute(sql, [self.database])]


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Stage]:
    with ExitStack() as stack:
        few, many = (cluster.create_database() for _ in range(2))
        connections = {
            "few": Upstream(few, limits={"pool_max": PLACES}),
            "many": Upstream(many, limits={"pool_max": 100}),
            "barred": Upstream(few, "agent_files", limits={"pool_max": 1}),
        }
        cluster.run(f'REVOKE CONNECT ON DATABASE "{few}" FROM PUBLIC; GRANT CONNECT ON DATABASE "{few}" TO agent_ro')
        gateway = stack.enter_context(running_gateway(cluster, connections, everything_but_clear(*connections)))
        yield Stage(cluster, gateway, few)
    for name in (few, many):
        cluster.drop_database(name)


@pytest.fixture(autouse=True)
def _nobody_stays(shared: Stage) -> Iterator[None]:
    """Whatever became of a test, its clients leave."""
    yield
    while shared.clients:
        shared.clients.pop().close()


def visit(gateway: Gateway, number: int, together: threading.Barrier, seen: Counter[str]) -> None:
    """Come with all others, ask once, leave."""
    together.wait(60)
    try:
        with closing(gateway.connect("many", connect_timeout="60")) as connection:
            row = connection.execute("SELECT %s::int + 1", (number,)).fetchone()
            seen["right" if row == (number + 1,) else f"wrong: {row}"] += 1
    except psycopg.Error as error:
        seen[f"{error.sqlstate} {type(error).__name__}: {error}"] += 1


@pytest.mark.timeout(120)
def test_hundreds_who_come_at_once_ask_once_and_leave_are_all_answered_right(
    shared: Stage, say: Callable[[str], None]
) -> None:
    seen: Counter[str] = Counter()
    together = threading.Barrier(CLIENTS)
    agents = [threading.Thread(target=visit, args=(shared.gateway, n, together, seen)) for n in range(CLIENTS)]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join()
    say(f"{CLIENTS} clients at once, 100 places: {dict(seen)}")
    assert seen == {"right": CLIENTS}
    until(lambda: not _open_sessions(shared.gateway))


def _open_sessions(gateway: Gateway) -> set[str]:
    found = leaves(gateway)
    closed = {leaf.sid for leaf in found if leaf.type == "session.closed"}
    return {leaf.sid for leaf in found if leaf.type == "session.opened"} - closed


def terminated(stage: Stage, client: RawClient) -> None:
    del stage
    client.send(TERMINATE)


def disconnected(stage: Stage, client: RawClient) -> None:
    del stage
    client.close()


def left_in_a_statement(stage: Stage, client: RawClient) -> None:
    del stage
    client.send(query(LONG))
    client.close()


def killed(stage: Stage, client: RawClient) -> None:
    with stage.cluster.connect() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [stage.pids()])
    assert client.read_to_end()[-1].fields["C"] == "57P01"


def broke_the_protocol(stage: Stage, client: RawClient) -> None:
    del stage
    client.send(b"?\0\0\0\4")
    assert client.read_to_end()[-1].fields["S"] == "FATAL"


ENDINGS: Mapping[str, Callable[[Stage, RawClient], None]] = {
    "terminated": terminated,
    "disconnected": disconnected,
    "left in a statement": left_in_a_statement,
    "killed": killed,
    "broke the protocol": broke_the_protocol,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_each_way_a_session_ends_gives_its_place_back(shared: Stage, ending: str) -> None:
    for _ in range(2):
        clients = [shared.client() for _ in range(PLACES)]
        for client in clients:
            assert rows(client.ask(query("SELECT 1"))) == [[b"1"]]
        assert len(shared.pids()) == PLACES
        for client in clients if ending != "killed" else clients[:1]:
            ENDINGS[ending](shared, client)
        for client in clients:
            client.close()
        until(lambda: not shared.pids())


def test_who_finds_no_place_is_told_after_a_while_and_the_places_stay_what_they_were(shared: Stage) -> None:
    with shared.client() as one, shared.client() as two, shared.client() as late, shared.client() as gone:
        for client in (one, two):
            client.ask(query("SELECT 1"))
        late.send(query("SELECT 'late'"))
        gone.send(query("SELECT 'gone'"))
        gone.close()
        found = late.read_to_end()[-1].fields
        assert (found["S"], found["C"]) == ("FATAL", "53300")
        assert kinds(one.ask(query("SELECT 1"))) == "TDCZ"
        assert len(shared.pids()) == PLACES
    until(lambda: not shared.pids())
    both = [shared.client() for _ in range(PLACES)]
    for client in both:
        assert kinds(client.ask(query("SELECT 1"))) == "TDCZ"
        client.close()
    until(lambda: not shared.pids())


def test_who_waits_for_a_place_gets_the_one_that_is_given_back(shared: Stage) -> None:
    with shared.client() as one, shared.client() as two, shared.client() as next_one:
        for client in (one, two):
            client.ask(query("SELECT 1"))
        next_one.send(query("SELECT 'next'"))
        one.send(TERMINATE)
        assert kinds(next_one.read_to("Z")) == "TDCZ"
    until(lambda: not shared.pids())


def test_a_session_that_asks_for_nothing_and_one_that_is_denied_hold_no_place(shared: Stage) -> None:
    clients = [shared.client() for _ in range(PLACES + 2)]
    for client in clients:
        assert first_error(client.ask(query("SELECT pg_read_file('/etc/passwd')")))["C"] == "42501"
    assert shared.pids() == []
    for client in clients:
        client.close()


def test_a_login_the_database_refuses_takes_no_place(shared: Stage) -> None:
    for _ in range(3):
        with RawClient(shared.gateway.port, host=HOST) as client:
            client.start_tls(shared.gateway.tls.ca)
            seen = client.log_in(shared.gateway.token(), "barred", "agent")
            if seen[-1].kind == "Z":
                client.send(query("SELECT 1"))
                seen = client.read_to_end()
            assert seen[-1].fields["C"] == "08001"


def test_who_is_turned_away_at_the_door_takes_no_place(shared: Stage) -> None:
    for _ in range(PLACES + 1):
        with pytest.raises(psycopg.OperationalError, match="token"):
            shared.gateway.connect("few", "not.a.token")
    assert shared.pids() == []


def test_a_cancel_request_for_one_who_waits_for_a_place_takes_none(shared: Stage) -> None:
    with shared.client() as one, shared.client() as two, shared.client() as waiting:
        for client in (one, two):
            client.ask(query("SELECT 1"))
        waiting.send(query(LONG))
        with RawClient(shared.gateway.port) as canceller:
            canceller.start_tls(shared.gateway.tls.ca)
            canceller.send((8 + len(waiting.key)).to_bytes(4, "big") + (80877102).to_bytes(4, "big") + waiting.key)
            canceller.read_to_end()
        one.send(TERMINATE)
        assert first_error(waiting.read_to("Z"))["C"] == "57014"
        assert kinds(waiting.ask(query("SELECT 1"))) == "TDCZ"
    until(lambda: not shared.pids())
