"""What the server says in words: withheld when it may quote something governed, scanned otherwise, positions mapped."""

import asyncio

import psycopg
import pytest

from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.sqlstates import DOCUMENTED
from tests.frontends.postgres.test_relay import Liar
from tests.frontends.scripted import make_stage, play
from tests.frontends.world import World
from tests.support import rawpg
from tests.support.rawpg import SYNC, TERMINATE, bind, describe, execute, parse, query

CARD = "4111111111111111"
WITHHELD = "The server's own words are withheld: the statement touches protected data."


def test_an_error_about_a_governed_relation_keeps_only_severity_code_and_position(world: World) -> None:
    with world.raw() as client:
        for parts in (query("SELECT 1/(id-1) FROM cards"), rawpg.extended("SELECT 1/(id-1) FROM cards")):
            found = rawpg.error(client.ask(parts))
            assert found["C"] == "22012"
            assert found["M"] == "the data does not fit the operation"
            assert found["D"] == WITHHELD
            assert set(found) <= set("SVCPMD")


def test_an_error_about_nothing_governed_is_the_servers_own(world: World) -> None:
    with world.raw() as client:
        found = rawpg.error(client.ask(query("SELECT 1/(id-1) FROM customers")))
        assert found["M"] == "division by zero"


@pytest.mark.parametrize("form", ["simple", "extended"])
def test_the_position_is_that_in_what_the_client_wrote(world: World, form: str) -> None:
    text = "SELECT c.id, 'ü', c.pan || 1/0 FROM cards c WHERE c.pan = no_such_function(c.id)"
    world.policy.denied.clear()
    for statement in (text, "SELECT id FROM customers WHERE nosuch = 1"):
        with world.raw() as through, world.raw_direct() as direct:
            data = query(statement) if form == "simple" else parse(statement) + bind() + SYNC
            found, expected = rawpg.error(through.ask(data)), rawpg.error(direct.ask(data))
            if found["M"].startswith("deny"):
                continue  # the gateway knew it first
            assert (found["C"], found["P"]) == (expected["C"], expected["P"])


def test_an_error_at_execute_points_into_the_prepared_text(world: World) -> None:
    statement = "SELECT ('x' || id)::int FROM customers"
    with world.raw() as through, world.raw_direct() as direct:
        data = parse(statement) + bind() + describe() + execute() + SYNC
        assert rawpg.error(through.ask(data)) == rawpg.error(direct.ask(data))


def test_card_numbers_in_the_servers_words_are_blanked(world: World) -> None:
    with world.connect() as connection, pytest.raises(psycopg.errors.InvalidTextRepresentation) as caught:
        connection.execute(f"SELECT 'no {CARD}'::int")
    assert CARD not in str(caught.value.diag.message_primary)
    assert "no ****************" in str(caught.value.diag.message_primary)


def test_after_something_governed_the_end_of_the_transaction_is_withheld_too(world: World) -> None:
    world.cluster.run(
        "CREATE TABLE late(id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED); GRANT ALL ON late TO PUBLIC",
        world.databases["payments"],
    )
    world.do(world.house.keepers["payments"].reload())
    with world.raw() as client:
        client.ask(query("BEGIN"))
        client.ask(query("INSERT INTO late VALUES (1), (1)"))
        assert "duplicate key" in rawpg.error(client.ask(query("COMMIT")))["M"]
        client.ask(query("BEGIN"))
        client.ask(query("SELECT pan FROM cards"))
        client.ask(query("INSERT INTO late VALUES (1), (1)"))
        found = rawpg.error(client.ask(query("COMMIT")))
        assert (found["C"], found["D"]) == ("23505", WITHHELD)
        client.ask(query("INSERT INTO late VALUES (7)"))
        assert "duplicate key" in rawpg.error(client.ask(query("INSERT INTO late VALUES (7)")))["M"]


def test_in_open_posture_words_pass_as_they_are(world: World) -> None:
    with world.connect("scratch") as connection:
        said: list[str | None] = []
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary))
        connection.execute(f"DO $$ BEGIN RAISE NOTICE 'number {CARD}'; END $$")
        assert said == [f"number {CARD}"]
        with pytest.raises(psycopg.DatabaseError) as caught:
            connection.execute("DO $$ BEGIN RAISE SQLSTATE 'AB123'; END $$")
        assert caught.value.sqlstate == "AB123"
        assert "AB123" not in DOCUMENTED


def governed(answer: bytes) -> bytes:
    """What a client is shown of a server that says this while its transaction has touched something governed."""

    async def run() -> bytes:
        stage = make_stage(Liar(answer + server.ready_for_query(b"I")))
        stage.conversation.governed = True
        return await play(stage, [query("SELECT 1") + SYNC + TERMINATE])

    return asyncio.run(run())


@pytest.mark.parametrize("kind", [b"E", b"N"])
def test_no_field_of_the_servers_words_gets_out(kind: bytes) -> None:
    fields = dict.fromkeys("MDHWqpstcdnFLR", "secret") | {"S": "secret", "V": "secret", "C": "41111", "P": "3"}
    seen = governed(server.diagnostic(kind, fields))
    assert b"secret" not in seen
    assert b"41111" not in seen
    assert b"withheld" in seen


@pytest.mark.parametrize(("kind", "severity", "code"), [(b"E", b"SERROR", b"CXX000"), (b"N", b"SNOTICE", b"C01000")])
def test_a_severity_and_code_that_no_documentation_knows_are_replaced(
    kind: bytes, severity: bytes, code: bytes
) -> None:
    seen = governed(server.diagnostic(kind, {"S": "4111", "V": "4111", "C": "41111", "M": "x"}))
    assert severity in seen
    assert code in seen


def test_a_severity_and_code_that_are_known_stay() -> None:
    seen = governed(server.diagnostic(b"E", {"S": "ERROR", "V": "ERROR", "C": "23505", "M": "x"}))
    assert b"C23505" in seen
