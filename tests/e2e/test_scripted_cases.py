"""Cases that need their own bytes on the wire, and attacks that mix forms of the protocol, tell no hidden digit.

Each script runs on the true database and on its twin with other digits; the bytes that come back must be the same.
"""

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import pytest

from tests.support.bundle import everything_but_clear
from tests.support.cases import postgres_cases, schema, twin_schema
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster
from tests.support.rawpg import (
    FLUSH,
    SYNC,
    ConnectionEndedError,
    Message,
    RawClient,
    bind,
    close,
    describe,
    error,
    execute,
    extended,
    message,
    parse,
    query,
    rows,
)
from tests.support.recover import Transcript, ways

PAN = "SELECT pan FROM cards ORDER BY id"
MASKED = [[f"************{last}".encode()] for last in ("1111", "4444", "0005", "1117", "1881")]
BINARY = 1
SIDES = ("true", "twin")
_VARIES = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|true|twin")
_QUERY_TO_XML = 2923
_LO_GET, _CURRENT_SETTING = 3458, 2077


def function_call(oid: int, *arguments: bytes) -> bytes:
    """FunctionCall with text arguments and a text result (§54.7)."""
    body = struct.pack(">IHHH", oid, 1, 0, len(arguments))
    body += b"".join(struct.pack(">i", len(argument)) + argument for argument in arguments)
    return message("F", body + struct.pack(">H", 0))


SCRIPTS: Mapping[str, Sequence[bytes]] = MappingProxyType(
    {
        "pg-proto-03": [function_call(_QUERY_TO_XML, b"SELECT * FROM cards", b"t", b"t", b"")],
        "pg-proto-05": [
            parse(PAN, "s1") + parse("SELECT brand FROM v_safe", "s1") + SYNC,
            bind(name="s1") + execute() + SYNC,
        ],
        "fast path while others wait": [parse(PAN) + bind() + function_call(_LO_GET, b"1") + execute() + SYNC],
        "fast path in a transaction": [query("BEGIN"), function_call(_CURRENT_SETTING, b"role"), query("SELECT 1")],
        "binary results of masked columns": [extended("SELECT * FROM cards ORDER BY id", results=BINARY)],
        "binary results of masked numbers": [extended("SELECT * FROM num_cards ORDER BY id", results=BINARY)],
        "a portal described before and after": [
            parse(PAN) + bind() + describe() + execute(rows=1) + describe() + execute(rows=1) + SYNC
        ],
        "portals suspended side by side": [
            query("BEGIN"),
            parse(PAN, "a") + bind(portal="p", name="a") + bind(portal="q", name="a", results=BINARY) + SYNC,
            execute("p", 2) + execute("q", 1) + execute("p", 2) + execute("q") + SYNC,
            query("COMMIT"),
        ],
        "a name parsed again in the same flight": [
            parse("SELECT brand FROM cards", "n")
            + close("S", "n")
            + parse(PAN, "n")
            + bind(name="n")
            + execute()
            + SYNC
        ],
        "the unnamed statement replaced under a bound portal": [
            parse(PAN) + bind(portal="p") + parse("SELECT id FROM customers") + execute("p") + SYNC
        ],
        "a portal closed and bound to another": [
            parse(PAN, "a")
            + parse("SELECT brand FROM cards", "b")
            + bind(portal="p", name="b")
            + close("P", "p")
            + bind(portal="p", name="a")
            + execute("p")
            + SYNC
        ],
        "SQL PREPARE, protocol Bind": [
            query("PREPARE s AS SELECT pan, cvv FROM cards"),
            bind(name="s") + execute() + SYNC,
        ],
        "protocol Parse, SQL EXECUTE": [
            parse("SELECT pan, cvv FROM cards WHERE pan LIKE $1", "s") + SYNC,
            query("EXECUTE s('%1111')"),
        ],
        "an SQL cursor by Execute of its portal": [
            query("BEGIN"),
            query(f"DECLARE c CURSOR FOR {PAN}"),
            execute("c", 2) + SYNC,
            describe("P", "c") + execute("c") + SYNC,
        ],
        "a protocol portal by FETCH": [
            query("BEGIN"),
            parse("SELECT pan, cvv FROM cards ORDER BY id") + bind(portal="p") + SYNC,
            query("FETCH 2 FROM p"),
            query("MOVE BACKWARD ALL FROM p"),
            query("FETCH ALL FROM p"),
        ],
        "a binary cursor": [query("BEGIN"), query(f"DECLARE c BINARY CURSOR FOR {PAN}"), query("FETCH ALL FROM c")],
        "a cursor WITH HOLD by the extended protocol": [
            query(f"DECLARE h CURSOR WITH HOLD FOR {PAN}"),
            extended("FETCH 2 FROM h", results=BINARY),
            query("DISCARD ALL"),
            extended("FETCH ALL FROM h"),
        ],
        "a scrolling cursor whose name is taken again": [
            query("BEGIN"),
            query("DECLARE c SCROLL CURSOR FOR SELECT brand FROM cards"),
            query("CLOSE c"),
            query(f"DECLARE c SCROLL CURSOR FOR {PAN}"),
            query("FETCH LAST FROM c"),
            query("FETCH FIRST FROM c"),
        ],
        "a parameter as the value looked for": [
            parse("SELECT count(*) FROM cards WHERE pan = $1") + bind([b"4111111111111111"]) + execute() + SYNC
        ],
        "a parameter of a type of its own": [
            parse("SELECT ($1::cards).pan, c.id FROM cards c", types=[0])
            + bind([b'(1,1,"x",,,,,,)'])
            + execute()
            + SYNC
        ],
        "a parameter cast in an error": [
            parse("SELECT pan::int FROM cards WHERE id = $1") + bind([b"1"]) + execute() + SYNC,
            parse("SELECT ('x' || pan)::inet FROM cards") + bind() + execute() + SYNC,
        ],
        "COPY of every format": [
            query("COPY cards TO STDOUT"),
            query("COPY cards(pan, cvv) TO STDOUT WITH (FORMAT binary)"),
            query("COPY (SELECT c FROM cards c) TO STDOUT WITH (FORMAT csv, HEADER, FORCE_QUOTE *)"),
            extended("COPY (SELECT pan FROM cards) TO STDOUT"),
        ],
        "an error in the middle, then what was skipped": [
            parse("SELECT 1/0") + bind() + execute() + parse(PAN, "late") + bind(name="late") + execute() + SYNC,
            bind(name="late") + execute() + SYNC,
        ],
        "statements of one text, the last one masked": [
            query(f"SELECT 1; SELECT 2; {PAN}"),
            query(f"{PAN}; SELECT 1/0"),
        ],
        "Flush before Sync": [parse(PAN) + bind() + describe() + FLUSH + execute() + FLUSH + SYNC],
        "SET between Parse and Bind": [
            parse(PAN, "s") + SYNC,
            query("SET standard_conforming_strings = off"),
            query("SET enable_seqscan = off"),
            bind(name="s") + execute() + SYNC,
        ],
        "what was prepared before a temporary table of the name": [
            parse(PAN, "s") + SYNC,
            query("CREATE TEMP TABLE cards(id int, pan text)"),
            bind(name="s") + execute() + SYNC,
        ],
        "EXPLAIN in both protocols": [
            query("EXPLAIN (VERBOSE, COSTS OFF) SELECT pan FROM cards WHERE pan = '4111111111111111'"),
            extended("EXPLAIN ANALYZE SELECT pan FROM cards WHERE pan LIKE '41%'"),
        ],
    }
)

UNANSWERED = {
    "pg-proto-03",
    "fast path while others wait",
    "fast path in a transaction",
    "a parameter cast in an error",
    "an error in the middle, then what was skipped",
}
"""Scripts without a row: denied, or an error of the server's."""


@pytest.fixture(scope="module")
def gateway(cluster: Cluster) -> Iterator[Gateway]:
    databases = {side: cluster.create_database() for side in SIDES}
    cluster.run(schema(), databases["true"])
    cluster.run(twin_schema(), databases["twin"])
    upstreams = {side: Upstream(database, "agent_rw") for side, database in databases.items()}
    with running_gateway(cluster, upstreams, everything_but_clear(*upstreams)) as running:
        yield running
    for database in databases.values():
        cluster.drop_database(database)


def logged_in(gateway: Gateway, side: str, **startup: str) -> tuple[RawClient, list[Message]]:
    client = RawClient(gateway.port)
    client.start_tls(gateway.tls.ca)
    return client, client.log_in(gateway.token(), side, "agent", **startup)


def played(gateway: Gateway, side: str, script: Sequence[bytes]) -> list[Message]:
    """All answers; the end of the connection ends them."""
    client, _ = logged_in(gateway, side)
    seen: list[Message] = []
    with client:
        for flight in script:
            try:
                seen += client.ask(flight)
            except ConnectionEndedError:
                break
    return seen


def transcript(seen: Sequence[Message]) -> Transcript:
    """Rows as texts, and the bytes of every message as text, too."""
    values = rows(seen)
    texts = [[None if value is None else value.decode("utf-8", "replace") for value in row] for row in values]
    return Transcript(rows=texts, binary=values, text=[each.body.decode("utf-8", "replace") for each in seen])


def comparable(each: Message) -> tuple[str, bytes]:
    """A message without what differs between two databases anyway: ids, and the OIDs of tables in RowDescription."""
    body = each.body
    if each.kind == "T":
        fields = re.finditer(rb"([^\0]*)\0.{4}(.{14})", body[2:], re.DOTALL)
        body = body[:2] + b"".join(field[1] + field[2] for field in fields)
    return each.kind, _VARIES.sub(b"", body)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_form_of_the_protocol_tells_hidden_digits(gateway: Gateway, name: str) -> None:
    true, twin = (played(gateway, side, SCRIPTS[name]) for side in SIDES)
    assert ways(transcript(true)) == []
    assert [comparable(each) for each in true] == [comparable(each) for each in twin]
    assert true, "nothing came back"


@pytest.mark.parametrize(
    ("case", "startup"),
    [
        ("pg-proto-01", {"options": "-c standard_conforming_strings=off"}),
        ("pg-proto-02", {"replication": "database"}),
    ],
)
def test_a_startup_that_changes_the_language_is_refused(gateway: Gateway, case: str, startup: dict[str, str]) -> None:
    client, seen = logged_in(gateway, "true", **startup)
    client.close()
    assert error(seen)["S"] == "FATAL", case
    assert "Z" not in {each.kind for each in seen}


def test_a_function_call_is_denied_and_the_session_lives(gateway: Gateway) -> None:
    seen = played(gateway, "true", [*SCRIPTS["pg-proto-03"], query(PAN)])
    assert error(seen)["C"] == "42501"
    assert rows(seen) == MASKED


def test_a_plan_belongs_to_what_the_server_has_parsed(gateway: Gateway) -> None:
    seen = played(gateway, "true", SCRIPTS["pg-proto-05"])
    assert error(seen)["C"] == "42P05"
    assert rows(seen) == MASKED


def test_all_other_forms_are_answered(gateway: Gateway) -> None:
    bare = {name for name in SCRIPTS if not {each.kind for each in played(gateway, "true", SCRIPTS[name])} & {"D", "d"}}
    assert bare == UNANSWERED


def test_every_case_with_bytes_of_its_own_is_played() -> None:
    scripted = {case.id for case in postgres_cases() if case.scripted}
    assert scripted == {"pg-proto-01", "pg-proto-02", "pg-proto-03", "pg-proto-05"}
