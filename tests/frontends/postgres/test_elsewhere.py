"""What others do while a session is open: a type changed under a prepared statement, a server's settings reloaded."""

import psycopg
import pytest

from gateway.core.events import EventType
from tests.frontends.world import World
from tests.support.rawpg import SYNC, RawClient, bind, error, execute, parse, query, rows, status


def test_a_type_changed_under_a_prepared_statement_is_told_as_the_server_tells_it(world: World) -> None:
    database = world.databases["scratch"]
    world.cluster.run(
        "CREATE TABLE changing(n int); INSERT INTO changing VALUES (5); GRANT ALL ON changing TO PUBLIC", database
    )
    try:
        with world.raw("scratch") as client:
            assert rows(client.ask(parse("SELECT n FROM changing", "kept") + bind(name="kept") + execute() + SYNC)) == [
                [b"5"]
            ]
            world.cluster.run("ALTER TABLE changing ALTER n TYPE text", database)
            seen = client.ask(bind(name="kept") + execute() + SYNC)
            assert error(seen)["C"] == "0A000"
            assert error(seen)["M"] == "cached plan must not change result type"
            assert status(seen) == "I"
            assert rows(client.ask(parse("SELECT n FROM changing", "anew") + bind(name="anew") + execute() + SYNC)) == [
                [b"5"]
            ]
    finally:
        world.cluster.run("DROP TABLE changing", database)


def _told(client: RawClient) -> bytes:
    """The first setting told; the server takes up a reload with the statement after its signal."""
    return World.until(lambda: b"".join(m.body for m in client.ask(query("SELECT 1")) if m.kind == "S"))


def test_a_setting_that_the_server_reloads_reaches_the_client_with_its_next_answer(world: World) -> None:
    with world.raw("scratch") as client:
        client.ask(query("SELECT 1"))
        try:
            with world.cluster.connect() as owner:
                owner.autocommit = True
                owner.execute("ALTER SYSTEM SET intervalstyle = 'iso_8601'")
                owner.execute("SELECT pg_reload_conf()")
            assert _told(client) == b"IntervalStyle\0iso_8601\0"
        finally:
            with world.cluster.connect() as owner:
                owner.autocommit = True
                owner.execute("ALTER SYSTEM RESET intervalstyle")
                owner.execute("SELECT pg_reload_conf()")
        assert _told(client) == b"IntervalStyle\0postgres\0"


@pytest.mark.parametrize("way", ["FROM '/tmp/rows'", "FROM PROGRAM 'true'", "TO PROGRAM 'true'", "TO '/tmp/rows'"])
def test_copy_with_a_file_or_program_of_the_server_is_refused_by_the_gateway(world: World, way: str) -> None:
    with world.connect() as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="decision "):
            connection.execute(f"COPY notes(body) {way}".encode())
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert [event.ok for event in world.log.of(EventType.STATEMENT_DECIDED)] == [False, True]


def test_a_notification_is_dropped_in_guarded_posture(world: World) -> None:
    heard: list[psycopg.Notify] = []
    with world.connect() as connection:
        connection.add_notify_handler(heard.append)
        connection.execute("LISTEN news")
        with world.direct() as another:
            another.execute("NOTIFY news, '4111111111111111'")
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert heard == []
