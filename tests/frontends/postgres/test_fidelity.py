"""What a client could tell apart: the same bytes sent through the frontend and directly bring the same answers.

Each script runs on both sides, one after the other, on one database. Compared is everything of every message that does
not name its process or its connection: types, order, rows, tags, texts and SQLSTATEs of errors and notices, settings.
"""

import struct
from collections.abc import Mapping, Sequence

import pytest

from tests.frontends.world import World
from tests.support.rawpg import (
    FLUSH,
    SYNC,
    Message,
    RawClient,
    bind,
    close,
    describe,
    execute,
    message,
    parse,
    query,
)

Step = tuple[bytes, str]
"""bytes to send, and the types of messages to read up to, one after another"""
DATA, DONE, FAIL = message("d", b"a row\n"), message("c"), message("f", b"changed my mind\0")
WRONG = message("d", b"no number\n")
SERIES = "SELECT generate_series(1, {0}), '{1}'"
COPY_IN = "COPY notes(body) FROM STDIN"
COPY_NUMBERS = "COPY orders(id) FROM STDIN"


def run(sql: str, rows: int = 0, portal: str = "", name: str = "") -> bytes:
    """Parse, Bind, Execute."""
    return parse(sql, name) + bind(portal=portal, name=name) + execute(portal, rows)


def _binary_copy(*rows: bytes) -> bytes:
    head = b"PGCOPY\n\xff\r\n\0" + struct.pack(">II", 0, 0)
    body = b"".join(struct.pack(">HI", 1, len(row)) + row for row in rows)
    return message("d", head + body + struct.pack(">h", -1))


def _pieces(*data: bytes) -> bytes:
    return b"".join(message("d", piece) for piece in data)


PORTALS: Mapping[str, Sequence[Step]] = {
    "a portal in parts": [(parse(SERIES.format(7, "a")) + bind() + describe() + execute("", 3) * 3 + SYNC, "Z")],
    "exactly as many rows as were asked for": [(run(SERIES.format(3, "a"), 3) + execute("", 3) + SYNC, "Z")],
    "two portals in turn": [
        (query("BEGIN"), "Z"),
        (parse(SERIES.format(5, "x"), "x") + bind(portal="x", name="x") + SYNC, "Z"),
        (parse(SERIES.format(4, "y"), "y") + bind(portal="y", name="y") + SYNC, "Z"),
        (execute("x", 2) + execute("y", 1) + execute("x", 2) + execute("y", 2) + SYNC, "Z"),
        (execute("x", 9) + execute("y", 9) + execute("x", 1) + SYNC, "Z"),
        (close("P", "x") + execute("y", 1) + execute("x", 1) + SYNC, "Z"),
        (query("COMMIT"), "Z"),
    ],
    "a portal that is bound anew": [
        (query("BEGIN"), "Z"),
        (run(SERIES.format(5, "x"), 2, "p", "s") + SYNC, "Z"),
        (bind(portal="p", name="s") + SYNC, "Z"),
        (query("ROLLBACK"), "Z"),
    ],
    "a suspended portal and another statement between": [
        (query("BEGIN"), "Z"),
        (run(SERIES.format(5, "x"), 2, "p", "s") + FLUSH, "s"),
        (run("SELECT 8") + SYNC, "Z"),
        (query("SELECT 9"), "Z"),
        (execute("p", 2) + SYNC, "Z"),
        (query("COMMIT"), "Z"),
        (execute("p", 2) + SYNC, "Z"),
    ],
    "an insert with a row limit runs to its end": [
        (query("BEGIN"), "Z"),
        (run("INSERT INTO notes(body) SELECT 'n' FROM generate_series(1, 4) RETURNING body", 2) + SYNC, "Z"),
        (query("ROLLBACK"), "Z"),
    ],
    "a portal that fails in its second part": [
        (query("BEGIN"), "Z"),
        (run("SELECT 1/(3 - n) FROM generate_series(1, 5) n", 2, "p", "s") + SYNC, "Z"),
        (execute("p", 2) + execute("p", 2) + SYNC, "Z"),
        (query("ROLLBACK"), "Z"),
    ],
    "binary results in parts": [
        (query("BEGIN"), "Z"),
        (parse(SERIES.format(4, "b"), "b") + bind(portal="b", name="b", results=1) + execute("b", 3) + SYNC, "Z"),
        (execute("b", 3) + SYNC, "Z"), (query("END"), "Z"),
    ],
    "a cursor of SQL read as a portal, and a portal by FETCH": [
        (query("BEGIN"), "Z"),
        (query(f"DECLARE c CURSOR FOR {SERIES.format(5, 'c')}"), "Z"),
        (execute("c", 2) + SYNC, "Z"), (query("FETCH 1 FROM c"), "Z"), (describe("P", "c") + SYNC, "Z"),
        (parse(SERIES.format(5, "d"), "d") + bind(portal="d", name="d") + execute("d", 1) + SYNC, "Z"),
        (query("FETCH 2 FROM d"), "Z"), (query("MOVE 1 FROM d"), "Z"), (query("FETCH ALL FROM d"), "Z"),
        (query("CLOSE c"), "Z"), (close("P", "d") + SYNC, "Z"), (query("COMMIT"), "Z"),
    ],
    "a scrolling cursor": [
        (query("BEGIN"), "Z"),
        (query(f"DECLARE c SCROLL CURSOR FOR {SERIES.format(5, 'c')}"), "Z"),
        (query("FETCH LAST FROM c; FETCH PRIOR FROM c; FETCH ABSOLUTE 2 FROM c; FETCH BACKWARD ALL FROM c"), "Z"),
        (run("FETCH FORWARD 3 FROM c") + SYNC, "Z"),
        (query("ROLLBACK"), "Z"),
    ],
    "a cursor held over its transaction": [
        (query("BEGIN"), "Z"),
        (query(f"DECLARE h CURSOR WITH HOLD FOR {SERIES.format(6, 'h')}"), "Z"),
        (query("FETCH 2 FROM h"), "Z"), (query("COMMIT"), "Z"), (query("FETCH 2 FROM h"), "Z"),
        (run("FETCH 1 FROM h") + SYNC, "Z"), (execute("h", 1) + SYNC, "Z"),
        (query("DISCARD ALL"), "Z"), (query("FETCH 1 FROM h"), "Z"),
    ],
    "a held cursor whose transaction was rolled back": [
        (query("BEGIN"), "Z"), (query("DECLARE h CURSOR WITH HOLD FOR SELECT 1"), "Z"), (query("ROLLBACK"), "Z"),
        (query("FETCH 1 FROM h"), "Z"),
    ],
    "a held cursor declared on its own, and closed": [
        (query(f"DECLARE h CURSOR WITH HOLD FOR {SERIES.format(3, 'h')}"), "Z"),
        (query("FETCH 1 FROM h; FETCH 1 FROM h"), "Z"), (query("CLOSE h"), "Z"), (query("FETCH h"), "Z"),
        (query("CLOSE ALL"), "Z"),
    ],
}  # fmt: skip
FAILING = ("SELECT 1/0", "SELECT * FROM nowhere", "SELEC 1", "INSERT INTO customers(id) VALUES (NULL)")
PIPELINES: Mapping[str, Sequence[Step]] = {
    **{
        f"a pipeline whose {place} member fails: {bad}": [
            (b"".join(run(bad if n == place else f"SELECT {n}") for n in range(4)) + SYNC + run("SELECT 9"), "Z"),
            (SYNC, "Z"), (query("SELECT 5"), "Z"),
        ]
        for place in (0, 2, 3)
        for bad in FAILING if bad != "SELEC 1"
    },
    "each member has its own Sync": [(b"".join(run(s) + SYNC for s in ("SELECT 1", "SELECT 1/0", "SELECT 2")), "ZZZ")],
    "an error at Bind": [(parse("SELECT $1::int") + bind([b"x"]) + execute() + run("SELECT 1") + SYNC, "Z")],
    "an error at Describe": [(parse("SELECT 1") + describe("P", "nope") + bind() + execute() + SYNC, "Z")],
    "an error in a transaction, and everything behind it": [
        (query("BEGIN") + run("SELECT 1/0") + SYNC + run("SELECT 1") + SYNC, "ZZZ"),
        (query("SELECT 2") + query("COMMIT"), "ZZ"),
    ],
    "savepoints in a pipeline": [
        (
            run("BEGIN") + run("SAVEPOINT a") + run("SELECT 1/0") + SYNC + run("ROLLBACK TO a") + run("SELECT 3")
            + run("COMMIT") + SYNC,
            "ZZ",
        ),
    ],
    "several statements in one Query, one fails": [
        (query("SELECT 1; SELECT 1/0; SELECT 3"), "Z"),
        (query("BEGIN; SELECT 1; COMMIT; SELECT 2"), "Z"),
        (query("INSERT INTO notes(body) VALUES ('a'); SELECT 1/0"), "Z"),
        (query("BEGIN; SELECT 1/0"), "Z"), (query("SELECT 1; ROLLBACK"), "Z"), (query("ROLLBACK; SELECT 6"), "Z"),
        (query(";;SELECT 1;;SELECT 2;"), "Z"), (query("-- only a comment"), "Z"),
    ],
    "Flush in the middle of a segment": [
        (run("SELECT 1") + FLUSH, "C"), (run("SELECT 1/0") + FLUSH, "E"), (run("SELECT 2") + SYNC, "Z"),
    ],
    "a name taken twice, and closed twice": [
        (parse("SELECT 1", "t") + SYNC, "Z"), (parse("SELECT 2", "t") + SYNC, "Z"),
        (close("S", "t") + close("S", "t") + parse("SELECT 3", "t") + bind(name="t") + execute() + SYNC, "Z"),
    ],
    "too few values": [(parse("SELECT $1::int, $2::int") + bind([b"1"]) + execute() + SYNC, "Z")],
}  # fmt: skip
COPIES: Mapping[str, Sequence[Step]] = {
    "text": [(query(COPY_IN), "G"), (DATA * 3 + DONE, "Z")],
    "csv with a header and quotes": [
        (query("COPY notes(body) FROM STDIN (FORMAT csv, HEADER, QUOTE '''')"), "G"),
        (message("d", b"body\n'a,b'\n'two\nlines'\n") + DONE, "Z"),
    ],
    "binary": [
        (query("COPY notes(body) FROM STDIN (FORMAT binary)"), "G"), (_binary_copy(b"one", b"two") + DONE, "Z"),
        (query("COPY notes(body) FROM STDIN (FORMAT binary)"), "G"), (DATA + DONE, "Z"),
    ],
    "rows cut anywhere": [(query(COPY_IN), "G"), (_pieces(b"a", b" r", b"ow", b"\nx\n") + DONE, "Z")],
    "nothing at all": [(query(COPY_IN), "G"), (DONE, "Z"), (query(COPY_IN), "G"), (message("d") + DONE, "Z")],
    "given up": [(query(COPY_IN), "G"), (DATA + FAIL, "Z"), (query("SELECT 1"), "Z")],
    "given up in a transaction": [
        (query("BEGIN"), "Z"), (query(COPY_IN), "G"), (DATA + FAIL, "Z"), (query("SELECT 1"), "Z"), (query("END"), "Z"),
    ],
    "wrong data, simple": [(query(COPY_NUMBERS), "G"), (WRONG + DATA * 5 + DONE, "Z"), (query("SELECT 1"), "Z")],
    "wrong data, extended": [
        (run(COPY_NUMBERS) + SYNC, "G"), (WRONG, "E"), (DATA + DONE + SYNC, "Z"), (query("SELECT 1"), "Z"),
    ],
    "wrong data, extended, nothing sent ahead": [
        (run(COPY_NUMBERS) + FLUSH, "G"), (WRONG + DATA + DONE + SYNC, "Z"), (query("SELECT 1"), "Z"),
    ],
    "extended": [(run(COPY_IN) + SYNC, "G"), (DATA + DONE + SYNC, "Z"), (query("SELECT 1"), "Z")],
    "extended, a member of a pipeline": [
        (run("SELECT 1") + run(COPY_IN) + FLUSH, "G"), (DATA + DONE + run("SELECT 2") + SYNC, "Z"),
    ],
    "extended, given up": [(run(COPY_IN) + SYNC, "G"), (DATA + FAIL + SYNC, "Z"), (query("SELECT 1"), "Z")],
    "Syncs and Flushes between data": [
        (query(COPY_IN), "G"), (SYNC + DATA + FLUSH + SYNC + DATA + DONE, "Z"), (query("SELECT 1"), "Z"),
    ],
    "a Sync between data that fails before it": [
        (query(COPY_NUMBERS), "G"), (WRONG, "EZ"), (SYNC + DATA + DONE, "Z"), (query("SELECT 1"), "Z"),
    ],
    "a Sync between data of which the first fails": [
        (query(COPY_NUMBERS), "G"), (WRONG + SYNC + DATA + DONE, "EZZ"), (query("SELECT 1"), "Z"),
    ],
    "a Sync between data of which the second fails": [
        (query(COPY_NUMBERS), "G"), (message("d", b"77\n") + SYNC + WRONG + DONE, "EZ"), (query("SELECT 1"), "Z"),
    ],
    "the same, extended": [
        (run(COPY_NUMBERS) + SYNC, "G"), (WRONG + SYNC + DATA + DONE + SYNC, "EZZ"), (query("SELECT 1"), "Z"),
    ],
    "the same, extended, the second": [
        (run(COPY_NUMBERS) + SYNC, "G"), (message("d", b"77\n") + SYNC + WRONG + DONE + SYNC, "EZ"),
        (query("SELECT 1"), "Z"),
    ],
    "an error at its end, with Syncs before": [
        (query("COPY orders(id) FROM STDIN"), "G"), (message("d", b"78\n78\n") + SYNC + SYNC + DONE, "EZ"),
        (query("SELECT 1"), "Z"),
    ],
    "the same, extended, statements behind": [
        (run("COPY orders(id) FROM STDIN") + SYNC, "G"),
        (message("d", b"78\n78\n") + SYNC + DONE + run("SELECT 1") + SYNC + run("SELECT 2") + SYNC, "EZZ"),
        (query("SELECT 1"), "Z"),
    ],
    "a statement trigger that fails before any data is read": [
        (run("COPY guarded_by_trigger FROM STDIN") + SYNC, "EZ"), (query("SELECT 1"), "Z"),
        (query("COPY guarded_by_trigger FROM STDIN"), "EZ"), (query("SELECT 1"), "Z"),
    ],
    "out, in text, csv and binary": [
        (query("COPY (SELECT id, name FROM customers ORDER BY id) TO STDOUT"), "Z"),
        (query("COPY customers(name) TO STDOUT (FORMAT csv, HEADER)"), "Z"),
        (run("COPY (SELECT n, n::text FROM generate_series(1, 3) n) TO STDOUT (FORMAT binary)") + SYNC, "Z"),
        (query("COPY (SELECT 1/(2 - n) FROM generate_series(1, 3) n) TO STDOUT"), "Z"),
    ],
    "two in one Query": [
        (query("COPY notes(body) FROM STDIN; COPY notes(body) FROM STDIN; SELECT 1"), "G"),
        (DATA + DONE, "G"), (DATA + DONE, "Z"),
    ],
}  # fmt: skip
SESSION: Mapping[str, Sequence[Step]] = {
    "settings that are reported": [
        (query("SET TimeZone = 'Europe/Berlin'"), "Z"), (query("SET DateStyle = 'SQL, DMY'"), "Z"),
        (query("SELECT '2020-02-01'::date, now() IS NOT NULL"), "Z"), (query("RESET TimeZone; RESET DateStyle"), "Z"),
        (query("BEGIN; SET LOCAL IntervalStyle = 'iso_8601'; SELECT '1 day'::interval; COMMIT"), "Z"),
        (query("BEGIN; SET TimeZone = 'UTC+3'; ROLLBACK"), "Z"), (run("SET TimeZone = 'Asia/Tokyo'") + SYNC, "Z"),
        (query("SET default_transaction_read_only = on"), "Z"), (query("INSERT INTO notes(body) VALUES ('no')"), "Z"),
        (query("SET default_transaction_read_only = off"), "Z"), (query("SHOW DateStyle; SHOW TimeZone"), "Z"),
        (query("DISCARD ALL"), "Z"), (query("SHOW TimeZone"), "Z"), (query("RESET ALL"), "Z"),
    ],
    "DISCARD ALL": [
        (query("PREPARE q AS SELECT 1"), "Z"), (parse("SELECT 2", "p") + SYNC, "Z"),
        (query("CREATE TEMP TABLE mine(n int)"), "Z"), (query("BEGIN; DISCARD ALL"), "Z"), (query("ROLLBACK"), "Z"),
        (query("DISCARD ALL"), "Z"), (query("EXECUTE q"), "Z"), (bind(name="p") + execute() + SYNC, "Z"),
        (query("DISCARD PLANS; DISCARD SEQUENCES; DISCARD TEMP"), "Z"), (query("DEALLOCATE ALL"), "Z"),
    ],
    "two-phase commit": [
        (query("BEGIN"), "Z"), (query("INSERT INTO notes(body) VALUES ('two')"), "Z"),
        (query("PREPARE TRANSACTION 'first'"), "Z"), (query("SELECT 1"), "Z"), (query("COMMIT PREPARED 'first'"), "Z"),
        (query("COMMIT PREPARED 'first'"), "Z"), (query("BEGIN; SELECT 1/0"), "Z"),
        (query("PREPARE TRANSACTION 'broken'"), "Z"), (query("SELECT 2"), "Z"),
        (run("BEGIN") + run("INSERT INTO notes(body) VALUES ('x')") + run("PREPARE TRANSACTION 'third'") + SYNC, "Z"),
        (query("BEGIN"), "Z"), (query("ROLLBACK PREPARED 'third'"), "Z"), (query("ROLLBACK"), "Z"),
        (query("ROLLBACK PREPARED 'third'"), "Z"), (query("PREPARE TRANSACTION 'outside'"), "Z"),
        (query("DELETE FROM notes WHERE body IN ('two', 'x')"), "Z"),
    ],
    "transactions": [
        (query("COMMIT"), "Z"), (query("ROLLBACK"), "Z"), (query("BEGIN"), "Z"), (query("BEGIN"), "Z"),
        (query("COMMIT AND CHAIN"), "Z"), (query("ROLLBACK AND CHAIN"), "Z"), (query("SELECT 1/0"), "Z"),
        (query("COMMIT AND CHAIN"), "Z"), (query("SELECT 1/0"), "Z"), (query("END"), "Z"),
        (query("START TRANSACTION READ ONLY"), "Z"), (query("INSERT INTO notes(body) VALUES ('x')"), "Z"),
        (query("ABORT"), "Z"), (query("SAVEPOINT a"), "Z"), (query("RELEASE a"), "Z"),
        (query("BEGIN ISOLATION LEVEL SERIALIZABLE; SHOW transaction_isolation; COMMIT"), "Z"),
    ],
    "a plan whose result type changes": [
        (query("CREATE TEMP TABLE shifting(a int)"), "Z"), (parse("SELECT a FROM pg_temp.shifting", "s") + SYNC, "Z"),
    ],
    "long texts and rows": [
        (query("SELECT repeat('x', 3000000), length('" + "y" * 200_000 + "')"), "Z"),
        (run("SELECT repeat('z', 1000000) FROM generate_series(1, 3)") + SYNC, "Z"),
    ],
    "many columns": [(query("SELECT " + ", ".join(f"{n} AS c{n}" for n in range(1600))), "Z")],
    "notices": [
        (query("DROP TABLE IF EXISTS nothing_here"), "Z"), (query("ROLLBACK"), "Z"),
        (run("DROP TABLE IF EXISTS nothing_here") + SYNC, "Z"),
    ],
}  # fmt: skip
ALL = {**PORTALS, **PIPELINES, **COPIES, **SESSION}
_OWN_WORDS = {"26000", "34000"}
"""SQLSTATEs of names that the frontend knows not to exist: it says so itself, in words of its own"""


def play(client: RawClient, script: Sequence[Step]) -> list[tuple[str, object]]:
    """Send each step, read what it brings; what is left comes before the answer to a last Query."""
    seen: list[Message] = []
    for data, until in (*script, (query("SELECT 'the end'"), "Z")):
        client.send(data)
        for kind in until:
            seen += client.read_to(kind)
    return [_comparable(found) for found in seen]


def _comparable(found: Message) -> tuple[str, object]:
    match found.kind:
        case "E" | "N":
            ours = found.fields.get("C") in _OWN_WORDS
            return found.kind, {
                name: value for name, value in found.fields.items() if name in ("SC" if ours else "SCMDHP")
            }
        case "A":
            return found.kind, found.body[4:]
        case _:
            return found.kind, found.body


@pytest.fixture(scope="module", autouse=True)
def _relations(shared_world: World) -> None:
    for connection in ("payments", "scratch"):
        database = shared_world.databases[connection]
        script = (
            "CREATE TABLE guarded_by_trigger(n int); GRANT ALL ON guarded_by_trigger TO PUBLIC;"
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused by a trigger'; END$$;"
            "CREATE TRIGGER t BEFORE INSERT ON guarded_by_trigger FOR EACH STATEMENT EXECUTE FUNCTION refuse();"
        )
        if connection == "scratch":
            script += (
                "CREATE TABLE customers(id bigint PRIMARY KEY, name text); CREATE TABLE orders(id bigint PRIMARY KEY);"
                "INSERT INTO customers VALUES (1, 'Alice'), (2, 'Bob'); GRANT ALL ON customers, orders TO PUBLIC;"
            )
        shared_world.cluster.run(script, database)


def _clean(world: World, connection: str) -> None:
    """What the scripts leave behind."""
    with world.cluster.connect(world.databases[connection]) as owner:
        owner.execute("DELETE FROM orders WHERE id IN (77, 78); DELETE FROM notes")


@pytest.mark.parametrize("connection", ["payments", "scratch"])
@pytest.mark.parametrize("name", sorted(ALL))
def test_every_answer_is_the_servers(world: World, name: str, connection: str) -> None:
    with world.raw_direct(connection) as direct:
        _clean(world, connection)
        expected = play(direct, ALL[name])
    with world.raw(connection) as through:
        _clean(world, connection)
        assert play(through, ALL[name]) == expected
