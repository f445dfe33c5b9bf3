"""Statements through the whole frontend: names, changes of schema, policy that moves, and what is hidden."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from gateway.core.events import EventType
from gateway.core.site import Posture
from tests.frontends.world import LABELLED, World, running_world
from tests.support import rawpg
from tests.support.postgres import Cluster
from tests.support.rawpg import SYNC, bind, describe, execute, kinds, parse, query

MASKED = [[b"************1111"]]
PAN = "SELECT pan FROM cards WHERE id = 1"


@pytest.fixture
def own(cluster: Cluster, database: Callable[..., str]) -> Iterator[World]:
    """A frontend on databases of its own: the tests change their schema."""
    with running_world(cluster, {"payments": database()}, {"payments": LABELLED}, user="postgres") as running:
        yield running


@pytest.mark.parametrize(
    "flight",
    [
        query(PAN),
        parse(PAN) + bind() + describe() + execute() + SYNC,
        parse(PAN) + bind() + execute() + SYNC,
        parse(PAN, "s") + describe("S", "s") + bind(portal="p", name="s", results=1) + execute("p", 1) + SYNC,
        query(f"PREPARE q AS {PAN}") + query("EXECUTE q"),
        query("BEGIN") + query(f"DECLARE c CURSOR FOR {PAN}") + query("FETCH ALL FROM c") + query("COMMIT"),
    ],
)
def test_every_way_to_ask_gives_the_mask(world: World, flight: bytes) -> None:
    with world.raw() as client:
        client.send(flight + query("SELECT 'end'"))
        seen: list[rawpg.Message] = []
        while not rawpg.rows(seen) or rawpg.rows(seen)[-1] != [b"end"]:
            seen += client.read_to("Z")
        assert rawpg.rows(seen)[:-1] == MASKED
        assert not rawpg.error(seen)


def test_the_answer_to_our_own_describe_is_not_shown(world: World) -> None:
    with world.raw() as client:
        assert kinds(client.ask(parse(PAN) + bind() + execute() + SYNC)) == "12DCZ"


def test_the_mask_is_told_once_for_each_text(world: World) -> None:
    with world.raw() as client:
        first = client.ask(query(PAN))
        (notice,) = [m.fields for m in first if m.kind == "N"]
        assert (notice["S"], notice["C"]) == ("NOTICE", "01000")
        assert world.log.of(EventType.STATEMENT_DECIDED)[-1].did in notice["D"]
        assert [m.kind for m in first].index("N") < [m.kind for m in first].index("C")
        assert not [m for m in client.ask(query(PAN)) if m.kind == "N"]
        assert [m for m in client.ask(query("SELECT pan, id FROM cards")) if m.kind == "N"]
        world.house.keepers["payments"].notices = False
        assert not [m for m in client.ask(query("SELECT pan, brand FROM cards")) if m.kind == "N"]
        world.house.keepers["payments"].notices = True


def test_a_change_of_schema_is_seen_by_its_transaction_and_by_all_once_that_has_ended(own: World) -> None:
    with own.raw() as client:
        client.ask(query("BEGIN"))
        assert not rawpg.error(client.ask(query("CREATE TABLE one(id int)")))
        assert kinds(client.ask(query("SELECT * FROM one"))) == "TCZ"
        client.ask(query("ROLLBACK"))
        assert rawpg.error(client.ask(query("SELECT * FROM one")))
        client.ask(query("BEGIN") + query("CREATE TABLE two(id int)"))
        client.read_to("Z")
        client.ask(query("COMMIT"))
        assert kinds(client.ask(query("SELECT * FROM two"))) == "TCZ"


def test_in_a_flight_nothing_is_judged_on_a_snapshot_that_a_statement_before_it_voids(own: World) -> None:
    with own.raw() as client:
        together = query("CREATE TABLE three(id int); SELECT * FROM cards")
        assert "catalog.void" in rawpg.error(client.ask(together))["D"]
        change = parse("CREATE TABLE four(id int)") + bind() + execute()
        segment = change + parse(PAN) + bind() + execute() + SYNC
        assert "catalog.void" in rawpg.error(client.ask(segment))["D"]
        client.send(query("CREATE TABLE five(id int)") + query("SELECT * FROM five"))
        client.read_to("Z")
        assert kinds(client.read_to("Z")) == "TCZ"


def test_a_rename_that_would_move_a_label_is_refused(own: World) -> None:
    with own.connect() as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE cards RENAME TO hidden")
        with pytest.raises(psycopg.errors.DuplicateTable):
            connection.execute("ALTER TABLE customers RENAME TO cards")
        assert connection.execute(PAN).fetchall() == [("************1111",)]


def test_a_prepared_statement_whose_relation_changed_elsewhere_is_read_again(own: World) -> None:
    with own.raw() as client:
        client.ask(parse("SELECT * FROM notes WHERE id = 1", "s") + SYNC)
        assert kinds(client.ask(bind(name="s") + execute() + SYNC))[0] == "2"
        database = own.databases["payments"]
        own.cluster.run("DROP TABLE notes; CREATE VIEW notes AS SELECT id, pan AS body FROM cards", database)
        own.do(own.house.keepers["payments"].look())
        seen = client.ask(bind(name="s") + execute() + SYNC)
        assert b"4111111111111111" not in b"".join(m.body for m in seen)
        assert rawpg.error(seen)["C"] in {"0A000", "42501"}


def test_a_statement_prepared_under_other_labels_has_to_be_prepared_again(own: World) -> None:
    own.postures["payments"] = Posture()
    with own.raw() as client:
        client.ask(parse("SELECT pan FROM cards WHERE id = 1", "s") + SYNC)
        client.ask(query("PREPARE q AS SELECT pan FROM cards WHERE id = 1"))
        assert rawpg.rows(client.ask(query("EXECUTE q"))) == [[b"****************"]]
        own.postures["payments"] = LABELLED
        for flight in (bind(name="s") + execute() + SYNC, query("EXECUTE q")):
            found = rawpg.error(client.ask(flight))
            assert found["C"] == "0A000"
            assert "cached plan" in found["M"]
        assert rawpg.rows(client.ask(query("DEALLOCATE q; PREPARE q AS SELECT pan FROM cards WHERE id = 1"))) == []
        assert rawpg.rows(client.ask(query("EXECUTE q"))) == MASKED


def test_a_name_that_was_given_anew_means_what_it_means_now(world: World) -> None:
    world.policy.denied.append("NOTES")
    with world.raw() as client:
        client.ask(query("PREPARE q AS SELECT 1"))
        client.ask(parse("EXECUTE q", "outer") + SYNC)
        assert rawpg.rows(client.ask(bind(name="outer") + execute() + SYNC)) == [[b"1"]]
        client.ask(query("DEALLOCATE q"))
        client.ask(query(f"PREPARE q AS {PAN}"))
        assert rawpg.rows(client.ask(bind(name="outer") + execute() + SYNC)) == MASKED
        asked = world.policy.asked[-1].statement
        assert [relation.name for relation in asked.relations] == ["cards"]
        renamed = query("DEALLOCATE q; PREPARE q AS SELECT 2; EXECUTE q")
        assert "prepared.unknown" in rawpg.error(client.ask(renamed))["D"]


def test_exact_text_and_values_are_bound_by_the_mac_and_nothing_else_has_them(world: World) -> None:
    with world.connect() as connection:
        connection.execute("SELECT %s::text", ["4111111111111111"])
    assert any(b"4111111111111111" in exact for exact in world.log.exact)
    assert "4111111111111111" not in repr(world.log.events)
    assert b"4111111111111111" not in b"".join(body for e in world.log.events for body in e.bodies.values())


def test_many_sessions_at_once_keep_their_answers_apart(world: World) -> None:
    clients = [world.connect() for _ in range(12)]
    try:
        for turn in range(5):
            for number, client in enumerate(clients):
                found = client.execute("SELECT %s::int, pan FROM cards WHERE id = 1", [number * 100 + turn]).fetchone()
                assert found == (number * 100 + turn, "************1111")
    finally:
        for client in clients:
            client.close()


def test_another_session_is_judged_on_a_schema_as_soon_as_its_change_is_told(own: World) -> None:
    with own.connect() as one, own.connect() as other:
        other.execute("SELECT 1")
        one.execute("CREATE TABLE told(id int)")
        other.execute("SELECT * FROM told")
        asked = own.policy.asked[-1].statement
        assert [(relation.name, relation.kind) for relation in asked.relations] == [("told", "table")]
        assert not asked.hazards
