"""psycopg: text and binary, prepared, pipeline, server cursors, COPY, transactions."""

import psycopg
import pytest
from psycopg import sql

from gateway.core.events import EventType
from tests.frontends.world import World


def test_text_and_binary_results_are_masked_alike(world: World) -> None:
    with world.connect() as connection:
        for binary in (False, True):
            rows = connection.execute("SELECT id, pan, cvv FROM cards WHERE id = %s", [1], binary=binary).fetchall()
            assert rows == [(1, "************1111", None)]
        number = connection.execute("SELECT pan, pan_num FROM num_cards WHERE id = 1", binary=True).fetchone()
        assert number == (None, None)


def test_a_prepared_statement_is_decided_each_time_it_runs(world: World) -> None:
    with world.connect() as connection:
        for turn in range(1, 5):
            row = connection.execute("SELECT pan FROM cards WHERE id = %s", [turn], prepare=True).fetchone()
            assert row is not None
            assert row[0].startswith("************")
    phases = [event.data["phase"] for event in world.log.of(EventType.STATEMENT_DECIDED)]
    assert phases.count("execute") == 4
    assert phases.count("parse") == 1


def test_a_pipeline_gives_every_result_in_order(world: World) -> None:
    with world.connect() as connection, connection.pipeline():
        cursors = [connection.execute("SELECT %s::int, pan FROM cards WHERE id = 1", [n]) for n in range(50)]
        assert [cursor.fetchone() for cursor in cursors] == [(n, "************1111") for n in range(50)]


def test_a_refused_member_aborts_its_pipeline_and_nothing_else(world: World) -> None:
    with world.connect() as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.pipeline() as pipeline:  # noqa: PT012
            connection.execute("INSERT INTO notes(body) VALUES ('kept by nobody')")
            refused = connection.execute("SELECT pg_read_file('x')")
            after = connection.execute("INSERT INTO notes(body) VALUES ('never')")
            pipeline.sync()
            refused.fetchone()
            after.fetchone()
        found = connection.execute("SELECT count(*) FROM notes WHERE body LIKE '%never%' OR body LIKE 'kept by%'")
        assert found.fetchone() == (0,)


def test_server_cursors_fetch_in_parts(world: World) -> None:
    with world.connect() as connection, connection.transaction():
        with connection.cursor(name="walk") as cursor:
            cursor.itersize = 2
            cursor.execute("SELECT pan FROM cards ORDER BY id")
            assert [row[0][-4:] for row in cursor] == ["1111", "4444", "0005", "1117", "1881"]
        with connection.cursor(name="binary walk", binary=True) as cursor:
            cursor.execute("SELECT pan, cvv FROM cards ORDER BY id")
            assert cursor.fetchmany(2) == [("************1111", None), ("************4444", None)]


@pytest.mark.parametrize("form", ["text", "binary"])
def test_copy_out_and_in(world: World, form: str) -> None:
    with world.connect() as connection:
        statement = sql.SQL("COPY (SELECT id, pan FROM cards ORDER BY id) TO STDOUT (FORMAT {})").format(sql.SQL(form))
        with connection.cursor().copy(statement) as copy:
            copy.set_types(["int8", "text"])
            rows = list(copy.rows())
        assert rows[0] in {(1, "************1111"), ("1", "************1111")}
        into = sql.SQL("COPY notes(body) FROM STDIN (FORMAT {})").format(sql.SQL(form))
        with connection.cursor().copy(into) as copy:
            for number in range(1000):
                copy.write_row([f"{form} note {number}"])
        found = connection.execute("SELECT count(*) FROM notes WHERE body LIKE %s", [f"{form} note%"]).fetchone()
        assert found == (1000,)


def test_a_copy_that_goes_wrong_leaves_the_session_usable(world: World) -> None:
    with world.connect() as connection:
        bad = b"not a number\n" * 100
        wrong = pytest.raises(psycopg.errors.InvalidTextRepresentation)
        with wrong, connection.cursor().copy("COPY orders(id) FROM STDIN") as copy:
            for _ in range(5000):
                copy.write(bad)
        with (
            pytest.raises(psycopg.errors.QueryCanceled),
            connection.cursor().copy("COPY notes(body) FROM STDIN") as copy,
        ):
            raise psycopg.errors.QueryCanceled  # psycopg sends CopyFail
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_transactions_and_savepoints_behave_as_directly(world: World) -> None:
    with psycopg.connect(world.conninfo()) as connection:
        connection.execute("INSERT INTO notes(body) VALUES ('outer')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("SELECT pg_read_file('x')")
        assert connection.info.transaction_status.name == "INTRANS"
        assert connection.execute("SELECT count(*) FROM notes WHERE body = 'outer'").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT pg_read_file('x')")
        assert connection.info.transaction_status.name == "INERROR"
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 1")
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM notes WHERE body = 'outer'").fetchone() == (0,)


def test_a_thousand_denials_leave_the_connection_usable(world: World) -> None:
    with world.connect() as connection:
        connection.execute("SELECT 1")
        for turn in range(1000):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT pg_read_file('x')", prepare=bool(turn % 2))
        assert connection.execute("SELECT pan FROM cards WHERE id = 1").fetchone() == ("************1111",)


def test_an_empty_query_and_a_comment_are_answered(world: World) -> None:
    with world.connect() as connection:
        for text in ("", ";", "-- nothing", "/* nothing */"):
            assert connection.execute(text.encode()).statusmessage is None


def test_one_refused_statement_of_a_message_holds_back_the_others(world: World) -> None:
    with world.connect() as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO notes(body) VALUES ('half'); SELECT pg_read_file('x')")
        assert connection.execute("SELECT count(*) FROM notes WHERE body = 'half'").fetchone() == (0,)
    codes = [event.data["refused"] for event in world.log.of(EventType.STATEMENT_DECIDED) if not event.ok]
    assert [code["code"] for code in codes if isinstance(code, dict)] == ["statement.withheld", "policy.denied"]
