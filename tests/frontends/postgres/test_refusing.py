"""After a refusal everything is as after a statement that the server itself rejects: order, skipping, transaction.

Each script runs twice: through the frontend, whose policy denies `SELECT * FROM missing_relation`, and directly, where
that relation does not exist. The answers have the same types in the same order, and the same transaction status.
"""

from collections.abc import Sequence

import pytest

from gateway.core.events import EventType
from tests.frontends.world import World
from tests.support import rawpg
from tests.support.rawpg import FLUSH, SYNC, Message, RawClient, bind, close, describe, execute, parse, query

BAD = "SELECT * FROM missing_relation"
INSERT = "INSERT INTO notes(body) VALUES ('x')"
GOOD = parse("SELECT 1") + bind() + describe() + execute()

SCRIPTS: dict[str, Sequence[tuple[bytes, int]]] = {
    # name: (bytes, how many ReadyForQuery they bring)
    "simple, idle": [(query(BAD), 1), (query("SELECT 1"), 1)],
    "simple, in a transaction": [
        (query("BEGIN"), 1), (query(BAD), 1), (query("SELECT 1"), 1), (query("ROLLBACK"), 1), (query("SELECT 1"), 1),
    ],
    "simple, committed after a failure": [(query("BEGIN"), 1), (query(BAD), 1), (query("COMMIT"), 1)],
    "simple, behind a savepoint": [
        (query("BEGIN"), 1), (query("SAVEPOINT a"), 1), (query(BAD), 1), (query("ROLLBACK TO a"), 1),
        (query("SELECT 1"), 1), (query("COMMIT"), 1),
    ],
    "simple, in a row": [(query("SELECT 1") + query(BAD) + query("SELECT 2") + query(BAD) + query("SELECT 3"), 5)],
    "Parse, unnamed": [(parse(BAD) + bind() + describe() + execute() + SYNC, 1), (query("SELECT 1"), 1)],
    "Parse, then Bind in the next segment": [(parse(BAD) + SYNC, 1), (bind() + execute() + SYNC, 1)],
    "Parse, named, takes no other name with it": [
        (parse("SELECT 1", "kept") + SYNC, 1), (parse(BAD, "other") + SYNC, 1),
        (bind(name="kept") + execute() + SYNC, 1), (bind(name="other") + execute() + SYNC, 1),
    ],
    "Parse, unnamed, takes the unnamed with it": [
        (parse("SELECT 1") + SYNC, 1), (parse(BAD) + SYNC, 1), (bind() + execute() + SYNC, 1),
    ],
    "Parse, named, leaves the unnamed, in a transaction": [
        (query("BEGIN"), 1), (parse("SELECT 1") + SYNC, 1), (parse(BAD, "n") + SYNC, 1), (query("ROLLBACK"), 1),
        (bind() + execute() + SYNC, 1),
    ],
    "pipeline with a refused member": [
        (GOOD + parse(BAD) + bind() + execute() + GOOD + SYNC + GOOD + SYNC, 2), (query("SELECT 1"), 1),
    ],
    "pipeline whose insert is rolled back": [
        (parse(INSERT) + bind() + execute() + parse(BAD) + bind() + execute() + SYNC, 1),
        (query("SELECT count(*) FROM notes WHERE body = 'x'"), 1),
    ],
    "pipeline in a transaction": [
        (query("BEGIN"), 1), (GOOD + parse(BAD) + GOOD + SYNC + GOOD + SYNC, 2), (query("ROLLBACK"), 1),
    ],
    "Flush shows the refusal at once": [(parse(BAD) + FLUSH, 0), (SYNC, 1)],
    "Query behind a refusal is ignored up to Sync": [
        (parse(BAD) + query("SELECT 1") + SYNC, 1), (query("SELECT 2"), 1),
    ],
    "Syncs alone": [(SYNC + SYNC, 2), (query("SELECT 1"), 1), (SYNC + SYNC, 2)],
    "refused with nothing before it": [(parse(BAD) + SYNC + parse(BAD) + SYNC + query(BAD), 3)],
    "unknown names": [
        (bind(name="nobody") + SYNC, 1), (execute("nothing") + SYNC, 1), (describe("S", "nobody") + SYNC, 1),
        (describe("P", "nothing") + SYNC, 1), (close("S", "nobody") + close("P", "nothing") + SYNC, 1),
    ],
    "portals end with their transaction": [
        (parse("SELECT generate_series(1, 5)", "s") + bind(portal="p", name="s") + execute("p", 2) + SYNC, 1),
        (execute("p", 2) + SYNC, 1),
    ],
    "portals go on in a transaction": [
        (query("BEGIN"), 1),
        (parse("SELECT generate_series(1, 5)", "s") + bind(portal="p", name="s") + execute("p", 2) + SYNC, 1),
        (execute("p", 2) + SYNC + execute("p", 2) + SYNC, 2), (close("P", "p") + execute("p") + SYNC, 1),
        (query("COMMIT"), 1),
    ],
    "Describe of a statement and of a portal": [
        (parse("SELECT $1::int AS n", "d", [23]) + describe("S", "d") + SYNC, 1),
        (bind([b"4"], "p", "d") + describe("P", "p") + execute("p") + SYNC, 1),
        (parse("SET datestyle = iso", "n") + describe("S", "n") + bind([], "", "n") + describe() + execute() + SYNC, 1),
    ],
    "empty queries": [(query("") + query(";"), 2), (parse("") + bind() + describe() + execute() + SYNC, 1)],
    "an error at commit": [
        (query("CREATE TEMP TABLE later(id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)"), 1),
        (parse("INSERT INTO later VALUES (1), (1)") + bind() + execute() + SYNC, 1), (query("SELECT 1"), 1),
    ],
    "SQL names and protocol names are one": [
        (query("PREPARE q AS SELECT 7"), 1), (bind(name="q") + execute() + SYNC, 1), (query("EXECUTE q"), 1),
        (query("DEALLOCATE q"), 1), (bind(name="q") + SYNC, 1),
        (parse("SELECT 8", "r") + SYNC, 1), (query("EXECUTE r"), 1), (close("S", "r") + SYNC, 1),
        (query("BEGIN"), 1), (query("DECLARE c CURSOR FOR SELECT 9"), 1), (execute("c") + SYNC, 1), (query("END"), 1),
    ],
}  # fmt: skip


def play(client: RawClient, script: Sequence[tuple[bytes, int]]) -> list[tuple[str, bytes]]:
    """Send each part, read what it brings; a part without ReadyForQuery brings one message."""
    seen: list[Message] = []
    for data, count in script:
        client.send(data)
        if not count:
            seen.append(client.read())
        for _ in range(count):
            seen += client.read_to("Z")
    return [(m.kind, m.body if m.kind in "ZDC" else b"") for m in seen if m.kind not in "NS"]


@pytest.mark.parametrize("name", sorted(SCRIPTS))
@pytest.mark.parametrize("connection", ["payments", "scratch"])
def test_the_answers_are_those_of_the_server(world: World, name: str, connection: str) -> None:
    world.policy.denied.append("MISSING_RELATION")
    with world.raw(connection) as through, world.raw_direct(connection) as direct:
        through.ask(query("SELECT 0"))
        assert play(through, SCRIPTS[name]) == play(direct, SCRIPTS[name])


def test_a_refused_statement_never_reaches_the_server(world: World) -> None:
    world.policy.denied.append("MISSING_RELATION")
    before = world.cluster.log.stat().st_size
    with world.raw() as client:
        client.ask(query("BEGIN"))
        client.ask(query(BAD))
        client.ask(query("ROLLBACK"))
        client.ask(parse(BAD) + SYNC)
        client.ask(query(BAD + "; SELECT 'held back'"))
    log = world.cluster.log.read_bytes()[before:]
    assert b"missing_relation" not in log
    assert b"held back" not in log
    assert b"querywarden refused" in log


def test_every_refusal_has_a_record_with_the_decision_the_client_was_told(world: World) -> None:
    world.policy.denied.append("MISSING_RELATION")
    with world.raw() as client:
        told = [rawpg.error(client.ask(part)) for part in (query(BAD), query("BEGIN"), query(BAD), parse(BAD) + SYNC)]
    refused = [event.did for event in world.log.of(EventType.STATEMENT_DECIDED) if not event.ok]
    assert len(refused) == 3
    for did, fields in zip(refused, [fields for fields in told if fields], strict=True):
        assert did in fields["D"]
        assert fields["C"] == "42501"
        assert fields["S"] == "ERROR"
