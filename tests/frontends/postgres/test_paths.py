"""The search path an agent sets is followed: names mean to the gateway what they mean to the server, or are refused."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from gateway.core.site import Posture
from tests.frontends.world import LABELLED, World, running_world
from tests.support import rawpg
from tests.support.postgres import Cluster
from tests.support.rawpg import FLUSH, SYNC, bind, describe, execute, parse, query

PAN = "SELECT pan FROM cards WHERE id = 1"
MASKED = [[b"************1111"]]
SHADOW = """
CREATE SCHEMA shadow;
CREATE TABLE shadow.cards(id int PRIMARY KEY, pan text);
INSERT INTO shadow.cards VALUES (1, 'other');
CREATE TABLE shadow.open(id int);
CREATE FUNCTION shadow.f() RETURNS int LANGUAGE sql AS 'SELECT 7';
"""


@pytest.fixture(scope="module")
def paths(cluster: Cluster, payments_template: str) -> Iterator[World]:
    database = cluster.create_database(payments_template)
    cluster.run(SHADOW, database)
    with running_world(cluster, {"payments": database}, {"payments": LABELLED}, user="postgres") as running:
        yield running
    cluster.drop_database(database)


def said(seen: list[rawpg.Message]) -> str:
    found = rawpg.error(seen)
    return f"{found.get('M', '')} {found.get('D', '')}" if found else ""


@pytest.mark.parametrize(
    ("setting", "back"),
    [
        (query("SET search_path = shadow"), query("RESET search_path")),
        (query("SELECT set_config('search_path', 'shadow, public', false)"), query("DISCARD ALL")),
        (parse("SET SESSION search_path TO 'shadow'") + bind() + describe() + execute() + SYNC, query("RESET ALL")),
        (query("SET SCHEMA 'shadow'"), query("SET search_path TO DEFAULT")),
    ],
)
def test_names_are_resolved_under_the_path_the_agent_set(paths: World, setting: bytes, back: bytes) -> None:
    with paths.raw() as client:
        assert rawpg.rows(client.ask(query(PAN))) == MASKED
        assert not said(client.ask(setting))
        assert rawpg.rows(client.ask(query(PAN))) == [[b"other"]]
        assert rawpg.rows(client.ask(query("SELECT pan FROM public.cards WHERE id = 1"))) == MASKED
        assert not said(client.ask(back))
        assert rawpg.rows(client.ask(query(PAN))) == MASKED


def test_under_an_empty_path_a_bare_name_means_nothing(paths: World) -> None:
    with paths.raw() as client:
        assert not said(client.ask(query("SET search_path = ''")))
        assert rawpg.error(client.ask(query(PAN)))["C"] == "42P01"
        assert rawpg.rows(client.ask(query("SELECT count(*) > 0 FROM pg_class"))) == [[b"t"]]


def test_temporary_relations_do_not_hide_what_a_name_was_resolved_to(paths: World) -> None:
    with paths.raw() as client:
        client.ask(query("CREATE TEMP TABLE open(id int, stolen text)"))
        assert not said(client.ask(query("SET search_path = shadow")))
        assert rawpg.rows(client.ask(query("SELECT count(*) FROM open"))) == [[b"0"]]
        assert rawpg.error(client.ask(query("SELECT stolen FROM open")))["C"] == "42703"


@pytest.mark.parametrize(
    "flight",
    [
        query("BEGIN; SET search_path = shadow"),
        query("SET search_path = shadow; SELECT 1"),
        parse("BEGIN") + bind() + execute() + parse("SET search_path = shadow") + bind() + execute() + SYNC,
        parse("SET search_path = shadow") + bind() + execute() + parse(PAN) + bind() + execute() + SYNC,
        parse(PAN, "s") + parse("SET search_path = shadow") + bind() + execute() + bind(name="s") + execute() + SYNC,
        parse("BEGIN") + bind() + execute() + FLUSH + query("SET search_path = shadow"),
    ],
)
def test_it_moves_alone_and_outside_a_transaction(paths: World, flight: bytes) -> None:
    with paths.raw() as client:
        assert said(client.ask(flight)).split(" code ")[1] in {"setting.path_moves", "statement.plan_changed"}
        client.ask(query("ROLLBACK"))
        assert rawpg.rows(client.ask(query(PAN))) == MASKED
        assert rawpg.rows(client.ask(query("SHOW search_path"))) == [[b"public, pg_temp"]]


def test_inside_a_transaction_the_path_it_has_may_be_set_again(paths: World) -> None:
    with paths.raw() as client:
        for text in ("SET search_path = public", "RESET ALL", "SELECT set_config('search_path', 'public', false)"):
            client.ask(query("BEGIN"))
            assert not said(client.ask(query(text)))
            client.ask(query("ROLLBACK"))
        assert rawpg.rows(client.ask(query(PAN))) == MASKED


def test_a_change_that_fails_changes_nothing(paths: World) -> None:
    with paths.raw() as client:
        broken = parse("SET search_path = shadow") + bind() + execute() + bind(name="no such") + SYNC
        assert said(client.ask(broken))
        assert rawpg.rows(client.ask(query(PAN))) == MASKED
        assert rawpg.rows(client.ask(query("SHOW search_path"))) == [[b"public, pg_temp"]]


def test_what_was_prepared_under_another_path_is_prepared_again(paths: World) -> None:
    with paths.raw() as client:
        assert not said(client.ask(parse(PAN, "s") + describe("S", "s") + SYNC))
        assert not said(client.ask(query("SET search_path = shadow")))
        for again in (bind(name="s") + execute() + SYNC, describe("S", "s") + SYNC):
            assert rawpg.error(client.ask(again))["C"] == "0A000"
        assert not said(client.ask(query("RESET search_path")))
        assert rawpg.rows(client.ask(bind(name="s") + execute() + SYNC)) == MASKED


def test_an_sql_prepared_statement_is_judged_under_the_path_it_runs_with(paths: World) -> None:
    with paths.raw() as client:
        assert not said(client.ask(query(f"PREPARE q AS {PAN}")))
        assert not said(client.ask(query("SET search_path = shadow")))
        assert rawpg.error(client.ask(query("EXECUTE q")))["C"] == "0A000"
        assert not said(client.ask(query(f"PREPARE r AS {PAN}")))
        assert rawpg.rows(client.ask(query("EXECUTE r"))) == [[b"other"]]
        assert not said(client.ask(query("RESET search_path")))
        assert rawpg.rows(client.ask(query("EXECUTE q"))) == MASKED
        assert rawpg.error(client.ask(query("EXECUTE r")))["C"] == "0A000"


def test_code_that_looks_names_up_does_not_run_under_it(paths: World) -> None:
    with paths.raw() as client:
        assert not said(client.ask(query("SET search_path = shadow")))
        assert "looks names up" in said(client.ask(query("SELECT f()")))


def test_a_session_that_was_open_is_not_trusted_when_it_is_guarded(
    cluster: Cluster, database: Callable[..., str]
) -> None:
    postures = {"payments": Posture(guarded=False)}
    with (
        running_world(cluster, {"payments": database()}, postures, user="postgres") as own,
        own.connect() as connection,
    ):
        connection.execute("SELECT 1")
        own.postures["payments"] = LABELLED
        with pytest.raises(psycopg.OperationalError, match="pinned"):
            connection.execute("SELECT 1")
