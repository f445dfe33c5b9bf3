"""However a session ends, the client is told why, the server is left, and everything has its record."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from gateway.core.events import Event, EventType
from gateway.core.verdict import Limits
from gateway.frontends.keeper import Keeper
from tests.frontends.world import LABELLED, World, running_world
from tests.support.postgres import Cluster, running_cluster
from tests.support.rawpg import SYNC, TERMINATE, RawClient, bind, execute, kinds, parse, query

LONG = "SELECT count(*) FROM generate_series(1, 2000000000)"


def _last(client: RawClient) -> dict[str, str]:
    """The fields of the FATAL error a session ended with."""
    seen = client.read_to_end()
    assert seen[-1].kind == "E"
    assert seen[-1].fields["S"] == "FATAL"
    return seen[-1].fields


@pytest.fixture
def own(cluster: Cluster, payments_template: str) -> Iterator[World]:
    """A frontend that is made for one test: its end is what is tested."""
    database = cluster.create_database(payments_template)
    with running_world(cluster, {"payments": database}, {"payments": LABELLED}) as running:
        yield running
    cluster.drop_database(database)


@pytest.mark.parametrize("busy", [False, True])
def test_a_token_that_expires_ends_its_session_even_in_a_statement(world: World, busy: bool) -> None:  # noqa: FBT001 -- a case
    skew = 30
    with world.raw(token=world.token(exp=int(time.time()) - skew + 3)) as client:
        sid = world.sid()
        client.ask(query("SELECT 1"))
        if busy:
            client.send(query(LONG))
        found = _last(client)
        assert found["C"] == "28000"
        assert "expired" in found["M"]
        assert world.closed(sid).data["reason"] == "session.token_expired"
    assert [e.outcome for e in world.log.of(EventType.STATEMENT_FINISHED)] == ["done"] + ["lost"] * busy


@pytest.mark.parametrize(("name", "code"), [("idle_seconds", "session.idle"), ("session_seconds", "session.too_old")])
def test_the_limits_of_a_connection_end_a_session(world: World, name: str, code: str) -> None:
    keeper = world.house.keepers["payments"]
    usual = getattr(keeper, name)
    setattr(keeper, name, 0.5)
    try:
        with world.raw() as client:
            sid = world.sid()
            client.ask(query("BEGIN"))
            assert _last(client)["C"] == "57P05"
            assert world.closed(sid).data["reason"] == code
    finally:
        setattr(keeper, name, usual)


def test_a_session_that_works_is_not_idle(world: World) -> None:
    keeper = world.house.keepers["payments"]
    keeper.idle_seconds = 0.6
    try:
        with world.raw() as client:
            for _ in range(3):
                assert kinds(client.ask(query("SELECT pg_sleep(0.4)"))) == "TDCZ"
                time.sleep(0.3)
            assert kinds(client.ask(query("SELECT pg_sleep(1.0)"))) == "TDCZ"
    finally:
        keeper.idle_seconds = 900.0


def test_draining_ends_idle_sessions_at_once_and_lets_statements_end(own: World) -> None:
    with own.raw() as idle, own.raw() as open_transaction, own.raw() as busy, own.raw() as stubborn:
        open_transaction.ask(query("BEGIN"))
        busy.send(query("SELECT pg_sleep(1)"))
        stubborn.send(query(LONG))
        own.until(lambda: len(own.log.of(EventType.STATEMENT_DECIDED)) == 3)
        draining = threading.Thread(target=own.do, args=(own.reception.drain(3.0),))
        draining.start()
        assert _last(idle)["C"] == "57P01"
        assert _last(open_transaction)["C"] == "57P01"
        assert kinds(busy.read_to("Z")) == "TDCZ"
        assert _last(busy)["C"] == "57P01"
        assert _last(stubborn)["C"] == "57P01"
        draining.join(20)
        assert not own.reception.running
        with pytest.raises(psycopg.OperationalError, match="stopping"):
            own.connect()
    assert {e.data["reason"] for e in own.log.of(EventType.SESSION_CLOSED)} == {"session.stopping"}


def test_a_server_that_goes_away_ends_its_sessions_and_one_that_is_away_lets_none_run(payments_template: str) -> None:
    del payments_template
    with running_cluster() as cluster, running_world(
        cluster, {"payments": "postgres"}, {"payments": LABELLED}, user="agent_ro"
    ) as world:  # fmt: skip
        with world.raw() as fast, world.raw() as early:
            fast.send(query("SELECT pg_sleep(60)"))
            world.until(lambda: world.log.of(EventType.STATEMENT_DECIDED))
            time.sleep(0.3)
            cluster.stop()
            assert _last(fast)["C"] in {"57P01", "08006"}
            early.send(query("SELECT 1"))
            assert _last(early)["C"] == "08006"
        world.until(lambda: len(world.log.of(EventType.SESSION_CLOSED)) == 2)
        reasons = {e.data["reason"] for e in world.log.of(EventType.SESSION_CLOSED)}
        assert reasons in ({"upstream.unreachable", "upstream.fatal"}, {"upstream.unreachable", "upstream.lost"})
        cluster.start()
        with world.raw() as client:
            assert kinds(client.ask(query("SELECT 1"))) == "TDCZ"
            _crash(cluster)
            client.send(query("SELECT 1"))
            assert _last(client)["C"] in {"08006", "57P02"}
        cluster.start()


def _crash(cluster: Cluster) -> None:
    import signal  # noqa: PLC0415 -- only here

    cluster.stop(signal.SIGQUIT)


@pytest.mark.parametrize("last", [TERMINATE, query("SELECT 2"), b""])
def test_a_client_that_left_does_not_keep_a_server_busy_that_never_answers(world: World, last: bytes) -> None:
    keeper = world.house.keepers["payments"]
    keeper.gone_seconds = 0.5
    try:
        with world.raw() as client:
            sid = world.sid()
            client.send(parse("SELECT pg_sleep(600)") + bind() + execute() + SYNC + last)
            world.until(lambda: _works(world, sid))
        assert world.closed(sid).data["reason"] in {"client.gone", "client.terminated"}
        world.until(lambda: not _works(world, sid))
    finally:
        keeper.gone_seconds = 30.0
    assert "lost" in [e.outcome for e in world.events(EventType.STATEMENT_FINISHED, sid=sid)]


def test_what_was_sent_before_a_good_bye_is_carried_out(world: World) -> None:
    with world.raw("scratch") as client:
        sid = world.sid()
        client.send(query("SELECT pg_sleep(0.3)") + query("INSERT INTO notes VALUES ('last will')") + TERMINATE)
        assert kinds(client.read_to_end()) == "TDCZCZ"
    assert world.closed(sid).data["reason"] == "client.terminated"
    with world.direct("scratch") as found:
        assert found.execute("SELECT count(*) FROM notes WHERE body = 'last will'").fetchone() == (1,)


def _works(world: World, sid: str) -> bool:
    with world.cluster.connect() as admin:
        sql = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND state = 'active'"
        return bool(admin.execute(sql, [f"qw/{sid}"]).fetchall())


def test_a_session_killed_at_the_server_is_told_so(world: World) -> None:
    with world.raw() as client:
        sid = world.sid()
        client.ask(query("SELECT 1"))
        with world.cluster.connect() as admin:
            sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
            assert admin.execute(sql, [f"qw/{sid}"]).fetchall() == [(True,)]
        assert _last(client)["C"] == "57P01"
        assert world.closed(sid).data["reason"] == "upstream.fatal"


def test_no_statement_reaches_the_server_before_its_decision_is_in_the_log(world: World) -> None:
    before = world.cluster.log.stat().st_size
    world.log.delay = 0.5
    with world.raw() as client:
        client.send(query("SELECT 'the slow log'"))
        time.sleep(0.3)
        assert b"the slow log" not in world.cluster.log.read_bytes()[before:]
        assert not world.log.of(EventType.STATEMENT_DECIDED)
        client.read_to("Z")
        assert world.log.of(EventType.STATEMENT_DECIDED)
        assert b"the slow log" in world.cluster.log.read_bytes()[before:]
        world.log.delay = 0.0


@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_a_log_that_cannot_be_written_refuses_statements_and_the_session_lives(world: World, protocol: str) -> None:
    before = world.cluster.log.stat().st_size
    with world.connect() as connection:
        world.log.fail = lambda event: event.type is EventType.STATEMENT_DECIDED
        for _ in range(3):
            with pytest.raises(psycopg.errors.CannotConnectNow):
                connection.execute("SELECT 'the full log'", prepare=protocol == "extended")
        world.log.fail = lambda _: False
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert b"the full log" not in world.cluster.log.read_bytes()[before:]


def test_a_log_that_cannot_be_written_opens_no_session(world: World) -> None:
    world.log.fail = lambda event: event.type is EventType.SESSION_OPENED
    with pytest.raises(psycopg.OperationalError, match="could not be recorded"):
        world.connect()
    world.log.fail = lambda _: False


def test_a_client_that_goes_while_its_decision_is_written_leaves_both_records(world: World) -> None:
    world.log.delay = 0.3
    with world.raw() as client:
        sid = world.sid()
        client.send(query("SELECT 'gone meanwhile'"))
        time.sleep(0.1)
    world.closed(sid)
    world.log.delay = 0.0
    (finished,) = world.log.of(EventType.STATEMENT_FINISHED)
    assert finished.outcome in {"lost", "done"}


def test_a_token_that_expires_while_a_decision_is_written_sends_nothing(world: World) -> None:
    before = world.cluster.log.stat().st_size
    with world.raw(token=world.token(exp=int(time.time()) - 30 + 3)) as client:
        sid = world.sid()
        world.log.delay = 4.0
        client.send(query("SELECT 'expired meanwhile'"))
        assert _last(client)["C"] == "28000"
        world.log.delay = 0.0
        world.closed(sid)
    (finished,) = world.log.of(EventType.STATEMENT_FINISHED)
    assert finished.outcome == "lost"
    assert b"expired meanwhile" not in world.cluster.log.read_bytes()[before:]


@pytest.mark.parametrize("transaction", [False, True])
def test_a_row_limit_stops_the_statement_and_nothing_else(world: World, transaction: bool) -> None:  # noqa: FBT001 -- a case
    world.policy.limits = Limits(rows=100)
    with world.connect() as connection:
        if transaction:
            connection.execute("BEGIN")
        for binary in (False, True):
            with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="more rows"):
                connection.execute("SELECT generate_series(1, 1000000)", binary=binary)
            if transaction:
                connection.execute("ROLLBACK")
                connection.execute("BEGIN")
            assert len(connection.execute("SELECT generate_series(1, 100)").fetchall()) == 100
    limited = [e for e in world.log.of(EventType.STATEMENT_FINISHED) if "limit" in e.data]
    assert [(e.data["limit"], e.data["rows"]) for e in limited] == [("limit.rows", 100)] * 2


def test_a_row_limit_counts_over_the_parts_of_a_portal(world: World) -> None:
    world.policy.limits = Limits(rows=5)
    from tests.support.rawpg import SYNC, bind, error, execute, parse  # noqa: PLC0415 -- only here

    with world.raw() as client:
        client.ask(query("BEGIN"))
        client.ask(parse("SELECT generate_series(1, 9)") + bind(portal="p") + SYNC)
        assert kinds(client.ask(execute("p", 3) + SYNC)) == "DDDsZ"
        seen = client.ask(execute("p", 3) + SYNC)
        assert kinds(seen) == "DDEZ"
        assert error(seen)["C"] == "54000"


def test_a_limit_of_bytes_is_kept(world: World) -> None:
    with world.connect() as connection:
        world.policy.limits = Limits(bytes=1000)
        with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="more bytes"):
            connection.execute("SELECT repeat('x', 2000)")
        assert len(connection.execute("SELECT id FROM cards").fetchall()) == 5


def test_a_budget_over_time_that_nobody_keeps_is_a_denial(world: World) -> None:
    with world.connect() as connection:
        world.policy.limits = Limits(rows_by_label={"pan": 2})
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="does not do yet"):
            connection.execute("SELECT pan FROM cards")


def test_a_statement_that_uses_up_its_seconds_is_stopped(world: World) -> None:
    world.policy.limits = Limits(seconds=1)
    with world.connect() as connection:
        with pytest.raises(psycopg.errors.QueryCanceled, match="longer than policy allows"):
            connection.execute(LONG)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    (stopped,) = [e for e in world.log.of(EventType.STATEMENT_FINISHED) if "limit" in e.data]
    assert stopped.data["error"] == "limit.seconds"


def test_a_running_statement_is_cancelled_by_its_key_only(world: World) -> None:
    with world.raw() as client:
        pid, key = client.key[:4], client.key[4:]
        client.ask(query("SELECT 1"))
        client.send(query(LONG))
        world.until(lambda: len(world.log.of(EventType.STATEMENT_DECIDED)) == 2)
        time.sleep(0.3)
        wrong = bytes(byte ^ 1 for byte in key)
        _cancel(world, pid + wrong)
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.read()
        client.socket.settimeout(20)
        _cancel(world, pid + key)
        assert client.read_to("Z")[-2].fields["C"] == "57014"
        assert kinds(client.ask(query("SELECT 1"))) == "TDCZ"


def _cancel(world: World, secret: bytes) -> None:
    """Over TLS; returns when the gateway has hung up, as libpq does."""
    with RawClient(world.port) as client:
        client.start_tls(world.tls.ca)
        client.send(b"\0\0\0\x10\x04\xd2\x16\x2e" + secret)
        assert client.read_to_end() == []


def test_a_frontend_that_fails_in_itself_ends_the_session_with_a_word(own: World) -> None:
    async def broken(_: object) -> object:
        raise KeyError("a bug")

    with own.raw() as client:
        own.policy.decide = broken  # type: ignore[method-assign,assignment]  # the bug
        client.send(query("SELECT 1"))
        assert _last(client)["C"] == "XX000"
        closed = own.closed(own.sid())
    assert closed.data["reason"] == "session.failed"
    own.complaints.clear()  # the bug was reported, as it has to be


def _names(events: list[Event]) -> list[str]:
    return [event.type.value for event in events]


def test_records_come_in_their_order(world: World) -> None:
    with world.connect() as connection:
        sid = world.sid()
        connection.execute("SELECT 1")
    world.closed(sid)
    assert _names(world.log.events) == [
        "session.opened",
        "statement.decided",
        "statement.finished",
        "session.closed",
    ]


def test_limits_of_a_keeper_have_defaults_of_the_settings() -> None:
    fields = Keeper.__dataclass_fields__
    assert (fields["idle_seconds"].default, fields["session_seconds"].default) == (900.0, 28800.0)
