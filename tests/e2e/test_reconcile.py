"""What goes round the gateway stands in the database's own log without our mark, and nothing else does.

A real server writes its log in all three formats while every client works through the gateway, one goes round it, and
some pretend; `querywarden audit reconcile` names those and nobody else.
"""
# ruff: noqa: E501, S608 -- tables of statements and lines of logs

import asyncio
import gzip
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it has none
import psycopg
import pytest

from tests.support.bundle import Site, everything_but_clear
from tests.support.gateway import ROOT, Gateway, Upstream, running_gateway
from tests.support.postgres import HOST, Cluster, password_of, running_cluster
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
SCHEMA = f"""
CREATE TABLE cards(id int PRIMARY KEY, pan text, cvv text);
INSERT INTO cards VALUES (1, '{CARD}', '123'), (2, '5555555555554444', '456');
CREATE TABLE notes(body text);
GRANT ALL ON ALL TABLES IN SCHEMA public TO agent_rw, agent_ro, login_clear;
"""


@dataclass(slots=True)
class Scene:
    """A server that logs, a gateway before it, and when it began."""

    cluster: Cluster
    gateway: Gateway
    database: str
    since: str

    def log(self, form: str) -> Path:
        return self.cluster.data / "log" / f"server.{form}"

    def reconcile(self, form: str, *more: str, since: str = "") -> tuple[int, dict[str, object], str]:
        """Exit code, answer, and all that was printed."""
        words = ["--log", str(self.log(form)), "--connection", "payments", "--data", str(self.gateway.data), "--json"]
        words += ["--from", since or self.since, "--prefix", PREFIX, "--tolerance", "0s", *more]
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "audit", "reconcile", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode in {0, 1}, done.stderr
        return done.returncode, json.loads(done.stdout), done.stdout + done.stderr


def now() -> str:
    """A moment that nothing before shares its second with."""
    time.sleep(1.1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with running_cluster(LOGGED) as cluster:
        database = cluster.create_database()
        cluster.run(SCHEMA, database)
        site = Site(
            {"payments": {"public.cards": {"pan": ["pan"], "cvv": ["cvv"]}}}, everything_but_clear("payments").access
        )
        with running_gateway(cluster, {"payments": Upstream(database, "agent_rw")}, site) as gateway:
            yield Scene(cluster, gateway, database, now())


def use_everything(scene: Scene) -> None:
    """Every way a statement goes through the gateway: simple, extended, prepared, cursors, COPY, errors, refusals."""
    with scene.gateway.connect("payments", application_name="tool") as connection:
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
        with connection.pipeline():
            for number in range(3):
                connection.execute("SELECT %s::int", (number,))
        for bad in (
            "SELECT 1/0",
            "SELECT * FROM nowhere",
            "DROP TABLE cards; DROP EXTENSION x",
            "SELECT pg_read_file('x')",
            "SELEC 1",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(bad)
        with connection.cursor().copy("COPY notes FROM STDIN") as copy:
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
    with RawClient(scene.gateway.port) as client:
        client.start_tls(scene.gateway.tls.ca)
        client.log_in(scene.gateway.token(), "payments", "agent")
        client.ask(query("BEGIN"))
        portal = parse("SELECT generate_series(1, 5)", "a: b") + bind(portal="p", name="a: b")
        client.ask(portal + execute("p", 2) + execute("p", 2) + SYNC)
        client.ask(execute("p", 9) + SYNC)
        client.ask(parse("SELECT 1/0") + bind() + execute() + parse("SELECT 8") + bind() + execute() + SYNC)
        client.ask(query("SELECT 9"))
        client.ask(query("COMMIT"))
    asyncio.run(_asyncpg(scene))
    psql = subprocess.run(
        ["psql", "-X", scene.gateway.conninfo("payments"), "-c", "\\d cards", "-c", "SELECT 1; SELECT 2", "-c", "\\copy notes to /dev/null"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert psql.returncode == 0, psql.stderr


async def _asyncpg(scene: Scene) -> None:
    context = ssl.create_default_context(cafile=str(scene.gateway.tls.ca))
    connection = await asyncpg.connect(
        host=HOST,
        port=scene.gateway.port,
        user="agent",
        password=scene.gateway.token(),
        database="payments",
        ssl=context,
    )
    try:
        await connection.fetch("SELECT id, pan FROM cards WHERE id = ANY($1::int[])", [1, 2])
        await connection.executemany("INSERT INTO notes VALUES ($1)", [("a",), ("b",)])
        await connection.copy_records_to_table("notes", records=[("c",)])
    finally:
        await connection.close()


def direct(scene: Scene, user: str = "agent_ro", **more: str) -> psycopg.Connection:
    return psycopg.connect(scene.cluster.conninfo(scene.database, user, **more), autocommit=True)


def kinds(answer: dict[str, object]) -> list[tuple[str, str]]:
    findings = answer["findings"]
    assert isinstance(findings, list)
    return sorted((each["kind"], each["user"]) for each in findings)


@pytest.mark.parametrize("form", FORMS)
def test_everything_that_went_through_is_ours_and_all_of_ours_is_there(scene: Scene, form: str) -> None:
    since = now()
    use_everything(scene)
    time.sleep(0.5)
    code, answer, said = scene.reconcile(form, since=since)
    assert (answer["verdict"], answer["findings"], code) == ("complete", [], 0), said
    assert isinstance(answer["matched"], int)
    assert answer["matched"] > 50
    assert (answer["missing"], answer["unread"], answer["unclear"]) == (0, 0, 0)
    assert CARD not in said


@pytest.mark.parametrize("form", FORMS)
def test_one_direct_statement_is_named_with_who_and_from_where_and_nothing_else_is(scene: Scene, form: str) -> None:
    since = now()
    use_everything(scene)
    with direct(scene, application_name="backdoor") as connection:
        connection.execute(f"SELECT id FROM cards WHERE pan = '{CARD}'")
    time.sleep(0.5)
    code, answer, said = scene.reconcile(form, since=since)
    assert (code, answer["verdict"]) == (1, "went_round")
    assert kinds(answer) == [("connection", "agent_ro"), ("unmarked", "agent_ro")]
    (statement,) = [each for each in answer["findings"] if each["kind"] == "unmarked"]  # type: ignore[attr-defined]  # a list
    assert (statement["application"], statement["address"], statement["count"]) == ("backdoor", HOST, 1)
    assert statement["examples"][0]["text"] == "SELECT id FROM cards WHERE pan = ?"
    assert CARD not in said
    code, answer, _ = scene.reconcile(form, "--known-user", "agent_ro", since=since)
    assert (code, answer["verdict"]) == (0, "complete")
    assert kinds(answer) == [("connection", "agent_ro"), ("unmarked", "agent_ro")]


@pytest.mark.parametrize("form", FORMS)
def test_who_pretends_is_named(scene: Scene, form: str) -> None:
    """Marks taken from another statement, a session's name taken, the gateway's own name, marks made up."""
    since = now()
    with scene.gateway.connect("payments") as connection:
        connection.execute("SELECT count(*) FROM cards")
        with direct(scene, "postgres") as spy:
            found = spy.execute(
                "SELECT application_name, query FROM pg_stat_activity WHERE application_name LIKE 'qw/%' AND query LIKE '%count%'"
            ).fetchone()
        assert found is not None
        session, marked = found
        mark = marked[: marked.index("*/") + 2]
        made_up = mark.replace(mark[15:23], f"{int(mark[15:23], 16):08x}")[:-6] + "abc */"
        with direct(scene, "agent_rw") as thief:
            thief.execute(f"{mark} SELECT pan FROM cards")
            thief.execute(f"{made_up} SELECT pan FROM cards")
        with direct(scene, "agent_rw", application_name=session) as thief:
            thief.execute(marked)
        with direct(scene, "agent_rw", application_name="querywarden/catalog") as thief:
            thief.execute("SELECT pan FROM cards")
        with direct(scene, "agent_ro", application_name="a LOG:  duration: 0.1 ms") as thief:
            thief.execute("SELECT cvv FROM cards")
    time.sleep(0.5)
    code, answer, _ = scene.reconcile(form, "--known-user", "postgres", since=since)
    assert code == 1
    named = [kind for kind, user in kinds(answer) if user == "agent_rw"]
    assert sorted(set(named)) == ["claimed_session", "connection", "foreign_mark", "pretended", "unknown_mark"]
    assert ("unmarked", "agent_ro") in kinds(answer)


def test_several_files_compressed_ones_and_one_that_is_cut_are_read(scene: Scene, tmp_path: Path) -> None:
    since = now()
    use_everything(scene)
    time.sleep(0.5)
    lines = scene.log("json").read_bytes().splitlines(keepends=True)
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(b"".join(lines[: len(lines) // 2])))
    (tmp_path / "a.json").write_bytes(b"".join(lines[len(lines) // 2 :]))
    words = ["--log", str(tmp_path / "a.json"), "--log", str(tmp_path / "b.json.gz")]
    code, answer, said = scene.reconcile("json", *words, since=since)
    assert code == 1, said  # the same records twice: each mark is used too often
    assert {kind for kind, _ in kinds(answer)} == {"reused"}
    (tmp_path / "server.json").write_bytes(b"".join(lines)[:-20])
    code, answer, said = scene.reconcile("json", "-o", str(tmp_path / "answer.json"), since=since)
    assert json.loads((tmp_path / "answer.json").read_text()) == answer


def test_lines_that_are_missing_are_missed(scene: Scene, tmp_path: Path) -> None:
    since = now()
    use_everything(scene)
    time.sleep(0.5)
    path = scene.log("json")
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if b"generate_series(1, 9)" not in line]
    (tmp_path / "kept.json").write_bytes(b"".join(kept))
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "audit", "reconcile", "--log", str(tmp_path / "kept.json"), "--connection", "payments",
         "--data", str(scene.gateway.data), "--from", since, "--tolerance", "0s", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"]) == (1, "incomplete"), done.stdout
    assert answer["missing"] >= 1
    assert answer["gaps"] >= 1


def test_the_passwords_of_the_server_are_not_needed(scene: Scene) -> None:
    assert password_of("agent_rw") not in scene.reconcile("json")[2]
