"""What goes round the gateway stands in the database's own log without our mark, and nothing else does.

A real server writes its log in all three formats while every client works through the gateway, one goes round it, and
some pretend; `querywarden audit reconcile` names those and nobody else.
"""
# ruff: noqa: E501, S608 -- tables of statements and lines of logs

import asyncio
import gzip
import io
import json
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it has none
import psycopg
import pytest

from gateway import cli
from tests.support.bundle import everything_but_clear
from tests.support.cases import schema
from tests.support.drivers import drive
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import HOST, Cluster, running_cluster
from tests.support.rawpg import SYNC, RawClient, bind, execute, parse, query

CARD = "4111111111111111"
PREFIX = "%m [%p] %q%u@%d %h %a "
LOGGED = {
    "logging_collector": "on",
    "log_destination": "stderr,csvlog,jsonlog",
    "log_directory": "log",
    "log_filename": "server.log",
    "log_line_prefix": PREFIX,
    "log_hostname": "off",
}
FORMS = ("json", "csv", "log")


@dataclass(slots=True)
class Scene:
    """A server that logs, a gateway before it, and when it began."""

    cluster: Cluster
    gateway: Gateway
    database: str

    def log(self, form: str) -> Path:
        return self.cluster.data / "log" / f"server.{form}"

    def reconcile(self, log: Path, *more: str) -> tuple[int, dict[str, object], str]:
        """Exit code, answer, and all that was printed."""
        words = ["--log", str(log), "--connection", "writing", "--data", str(self.gateway.data), "--json"]
        words += ["--prefix", PREFIX, "--tolerance", "0s", *more]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.main(["audit", "reconcile", *words])
        assert code in {cli.DONE, cli.SAYS_NO}, err.getvalue()
        return code, json.loads(out.getvalue()), out.getvalue() + err.getvalue()

    def act(self, what: Callable[["Scene"], None]) -> tuple[str, ...]:
        """Do something, alone in its seconds; the options that look at just that."""
        begin = now()
        what(self)
        return "--from", begin, "--to", now()


def now() -> str:
    """A moment that shares its second with nothing before."""
    time.sleep(1.1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with running_cluster(LOGGED) as cluster:
        database = cluster.create_database()
        cluster.run(schema() + "GRANT CREATE ON SCHEMA public TO agent_rw;", database)
        connections = {"writing": Upstream(database, "agent_rw")}
        with running_gateway(cluster, connections, everything_but_clear(*connections)) as gateway:
            yield Scene(cluster, gateway, database)


@pytest.fixture(scope="module")
def honest(scene: Scene) -> tuple[str, ...]:
    """Everything that goes through the gateway."""
    return scene.act(use_everything)


@pytest.fixture(scope="module")
def round_us(scene: Scene, honest: tuple[str, ...]) -> tuple[str, ...]:
    """The same, and one who goes round."""

    def go_round(_: Scene) -> None:
        with direct(scene, application_name="backdoor") as connection:
            connection.execute(f"SELECT id FROM cards WHERE pan = '{CARD}'")

    scene.act(go_round)
    return "--from", honest[1], "--to", now()


@pytest.fixture(scope="module")
def pretended(scene: Scene, round_us: tuple[str, ...]) -> tuple[str, ...]:
    """Marks taken from another statement, a session's name taken, the gateway's own name, marks made up."""
    del round_us
    return scene.act(pretend)


def use_everything(scene: Scene) -> None:
    """Every way a statement goes through the gateway: simple, extended, prepared, cursors, COPY, errors, refusals."""
    with scene.gateway.connect("writing", application_name="tool") as connection:
        simple = psycopg.ClientCursor(connection)
        simple.execute("SELECT pan FROM cards; SELECT 2 /* querywarden:00000000-0000-7000-8000-000000000000 */")
        simple.execute("-- a comment\n  ;; SELECT 1")
        simple.execute("")
        for _ in range(7):
            connection.execute("SELECT id, pan FROM cards WHERE id = %s", (1,), prepare=True)
        connection.execute(
            f"SELECT '2026-11-25 00:00:00.000 UTC [1] x@y z LOG:  statement: SELECT {CARD}\n\n2026-11-25 a'"
        )
        connection.execute('SELECT 1 AS "a"",b\nc", \'"\' AS "x,y"')
        connection.execute("SET application_name = 'LOG:  statement: x'")
        connection.execute("SHOW application_name")
        with connection.transaction():
            connection.execute("SELECT 1")
            with connection.cursor(name="c") as cursor:
                cursor.execute("SELECT generate_series(1, 9)")
                cursor.fetchmany(3)
                cursor.fetchall()
        with connection.transaction(force_rollback=True):
            connection.execute("CREATE TABLE migrated(id int)")
            connection.execute("INSERT INTO migrated VALUES (%s)", (1,))
            connection.execute("SELECT * FROM migrated")
        with connection.pipeline():
            for number in range(3):
                connection.execute("SELECT %s::int", (number,))
        use_less_common_things(connection)
    use_the_protocol_itself(scene)
    asyncio.run(_asyncpg(scene))
    psql = subprocess.run(
        ["psql", "-X", scene.gateway.conninfo("writing"), "-c", "\\d cards", "-c", "SELECT 1; SELECT 2", "-c", "\\copy notes to /dev/null"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert psql.returncode == 0, psql.stderr


def use_less_common_things(connection: psycopg.Connection) -> None:
    for bad in (
        "SELECT 1/0",
        "SELECT * FROM nowhere",
        "DROP TABLE cards; DROP EXTENSION x",
        "SELECT pg_read_file('x')",
        "SELEC 1",
    ):
        with pytest.raises(psycopg.Error):
            connection.execute(bad)
    with connection.cursor().copy("COPY notes(body) FROM STDIN") as copy:
        copy.write("SELECT * FROM cards\n")
    with connection.cursor().copy("COPY cards TO STDOUT") as copy:
        list(copy)
    for text in (
        "PREPARE p AS SELECT pan FROM cards WHERE id = $1",
        "EXECUTE p(1)",
        "EXPLAIN SELECT 1",
        "DISCARD ALL",
    ):
        connection.execute(text)


def use_the_protocol_itself(scene: Scene) -> None:
    with RawClient(scene.gateway.port) as client:
        client.start_tls(scene.gateway.tls.ca)
        client.log_in(scene.gateway.token(), "writing", "agent")
        client.ask(query("BEGIN"))
        portal = parse("SELECT generate_series(1, 5)", "a: b") + bind(portal="p", name="a: b")
        client.ask(portal + execute("p", 2) + execute("p", 2) + SYNC)
        client.ask(execute("p", 9) + SYNC)
        client.ask(parse("SELECT 1/0") + bind() + execute() + parse("SELECT 8") + bind() + execute() + SYNC)
        client.ask(query("SELECT 9"))
        client.ask(query("COMMIT"))


async def _asyncpg(scene: Scene) -> None:
    context = ssl.create_default_context(cafile=str(scene.gateway.tls.ca))
    connection = await asyncpg.connect(
        host=HOST,
        port=scene.gateway.port,
        user="agent",
        password=scene.gateway.token(),
        database="writing",
        ssl=context,
    )
    try:
        await connection.fetch("SELECT id, pan FROM cards WHERE id = ANY($1::int[])", [1, 2])
        await connection.executemany("INSERT INTO notes(body) VALUES ($1)", [("a",), ("b",)])
        await connection.copy_records_to_table("notes", records=[("c",)], columns=["body"])
    finally:
        await connection.close()


def direct(scene: Scene, user: str = "agent_ro", **more: str) -> psycopg.Connection:
    return psycopg.connect(scene.cluster.conninfo(scene.database, user, **more), autocommit=True)


def kinds(answer: dict[str, object]) -> list[tuple[str, str]]:
    findings = answer["findings"]
    assert isinstance(findings, list)
    return sorted((each["kind"], each["user"]) for each in findings)


def pretend(scene: Scene) -> None:
    with scene.gateway.connect("writing") as connection:
        connection.execute("SELECT count(*) FROM cards")
        with direct(scene, "postgres") as spy:
            found = spy.execute(
                "SELECT application_name, query FROM pg_stat_activity WHERE application_name LIKE 'qw/%' AND query LIKE '%count%'"
            ).fetchone()
        assert found is not None
        session, marked = found
        mark = marked[: marked.index("*/") + 2]
        made_up = mark[:-6] + ("abc" if mark[-6:-3] != "abc" else "abd") + " */"
        with direct(scene, "agent_rw") as thief:
            thief.execute(f"{mark} SELECT pan FROM cards")
            thief.execute(f"{made_up} SELECT pan FROM cards")
        with direct(scene, "agent_rw", application_name=session) as thief:
            thief.execute(marked)
        with direct(scene, "agent_rw", application_name="querywarden/catalog") as thief:
            thief.execute("SELECT pan FROM cards")
        with direct(scene, "agent_ro", application_name="a LOG:  duration: 0.1 ms") as thief:
            thief.execute("SELECT cvv FROM cards")
            thief.execute("SELECT 'x'/* LOG:  duration: 1 ms */")


@pytest.mark.parametrize("form", FORMS)
def test_everything_that_went_through_is_ours_and_all_of_ours_is_there(
    scene: Scene, honest: tuple[str, ...], form: str
) -> None:
    code, answer, said = scene.reconcile(scene.log(form), *honest)
    assert (answer["verdict"], answer["findings"], code) == ("complete", [], 0), said
    assert isinstance(answer["matched"], int)
    assert answer["matched"] > 50
    assert (answer["missing"], answer["unread"], answer["unclear"]) == (0, 0, 0)
    assert CARD not in said


@pytest.mark.parametrize("form", FORMS)
def test_one_direct_statement_is_named_with_who_and_from_where_and_nothing_else_is(
    scene: Scene, round_us: tuple[str, ...], form: str
) -> None:
    code, answer, said = scene.reconcile(scene.log(form), *round_us)
    assert (code, answer["verdict"]) == (1, "went_round")
    assert kinds(answer) == [("connection", "agent_ro"), ("unmarked", "agent_ro")]
    (statement,) = [each for each in answer["findings"] if each["kind"] == "unmarked"]  # type: ignore[attr-defined]  # a list
    assert (statement["application"], statement["address"], statement["count"]) == ("backdoor", HOST, 1)
    assert statement["examples"][0]["text"] == "SELECT id FROM cards WHERE pan = ?"
    assert CARD not in said
    code, answer, _ = scene.reconcile(scene.log(form), *round_us, "--known-user", "agent_ro")
    assert (code, answer["verdict"]) == (0, "complete")
    assert kinds(answer) == [("connection", "agent_ro"), ("unmarked", "agent_ro")]


@pytest.mark.parametrize("form", FORMS)
def test_who_pretends_is_named(scene: Scene, pretended: tuple[str, ...], form: str) -> None:
    code, answer, _ = scene.reconcile(scene.log(form), *pretended, "--known-user", "postgres")
    assert code == 1
    named = {kind for kind, user in kinds(answer) if user == "agent_rw"}
    assert named == {"claimed_session", "connection", "foreign_mark", "pretended", "unknown_mark"}
    direct = [each for each in answer["findings"] if (each["kind"], each["user"]) == ("unmarked", "agent_ro")]  # type: ignore[attr-defined]  # a list
    assert sum(each["count"] for each in direct) >= 2


def test_lines_that_are_missing_are_missed_and_lines_twice_are_too_many(
    scene: Scene, honest: tuple[str, ...], tmp_path: Path
) -> None:
    lines = scene.log("json").read_bytes().splitlines(keepends=True)
    lacking, twice = tmp_path / "lacking.json", tmp_path / "twice.json.gz"
    lacking.write_bytes(b"".join(line for line in lines if b"generate_series(1, 9)" not in line))
    code, answer, said = scene.reconcile(lacking, *honest)
    assert (code, answer["verdict"]) == (1, "incomplete"), said
    assert isinstance(answer["missing"], int)
    assert answer["missing"] >= 1
    assert answer["gaps"] == 1
    twice.write_bytes(gzip.compress(b"".join(lines)))
    code, answer, said = scene.reconcile(twice, *honest, "--log", str(lacking))
    assert {kind for kind, _ in kinds(answer)} == {"reused"}


@pytest.mark.parametrize("name", ["pgjdbc", "pgx", "node-pg"])
def test_drivers_in_other_languages_leave_nothing_unmarked(scene: Scene, pretended: tuple[str, ...], name: str) -> None:
    del pretended
    when = scene.act(lambda _: none(drive(name, scene.gateway.conninfo("writing"))))
    code, answer, said = scene.reconcile(scene.log("json"), *when)
    assert (code, answer["verdict"], answer["findings"]) == (0, "complete", []), said


def none(_: object) -> None:
    """Nothing of it matters."""
