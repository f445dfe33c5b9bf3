"""Card numbers in every form, through everything an agent can say, and none of them is stored anywhere.

Two searches say so: `audit scan`, and one that shares nothing with it (tests/support/raw_grep.py).
QUERYWARDEN_CARDS says how many of the forms go through each statement (2; 0: all). Every form goes through some.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import msgspec
import psycopg
import pytest

from gateway.cli.demo.cluster import free_port
from gateway.evidence.keys import load_verifier
from gateway.evidence.recording.frames import What
from gateway.evidence.recording.keys import load_private
from gateway.evidence.recording.places import recordings
from gateway.evidence.recording.reader import Playback
from gateway.evidence.scan_result import Result, opened
from tests.support import rawpg
from tests.support.bundle import everything_but_clear
from tests.support.card_forms import BINARY, NUMBERS, TEXTS, numeric, packed
from tests.support.gateway import ROOT, Gateway, Upstream, running_gateway
from tests.support.postgres import HOST, Cluster
from tests.support.raw_grep import Grep
from tests.support.recorded import Keys, make_keys, messages, stream
from tests.support.waiting import http_get

EACH = int(os.environ.get("QUERYWARDEN_CARDS", "2")) or len(TEXTS)
SOME = [NUMBERS[name] for name in ("visa", "mastercard", "american express", "unionpay, 19 digits", "discover")]
FORMS = list(TEXTS.values())

STATEMENTS = (
    "SELECT '{text}'", "SELECT E'{text}', $${text}$$, N'{text}', U&'{text}'", "SELECT 1 /* {text} */ -- {text}",
    'SELECT 1 AS "{name}"', 'SELECT * FROM "{name}"', 'SELECT "{name}" FROM customers',
    'SELECT x."{name}" FROM customers x',
    'SELECT "{name}"(1)', 'SELECT "{name}".f(1)', "SELECT '{text}'::int", "SELECT '{text}'::numeric(3)",
    "SELEC '{text}'",
    "SELECT '{text}", 'SELECT "{name}', "BEGIN", 'SAVEPOINT "{name}"', 'ROLLBACK TO "{name}"', 'RELEASE "{name}"',
    'DECLARE "{name}" CURSOR FOR SELECT 1', 'FETCH 1 FROM "{name}"', 'CLOSE "{name}"', "ROLLBACK",
    'PREPARE "{name}" AS SELECT $1::text', "EXECUTE \"{name}\"('{text}')", 'DEALLOCATE "{name}"', 'EXECUTE "{name}"(1)',
    'LISTEN "{name}"', "NOTIFY \"{name}\", '{text}'", 'UNLISTEN "{name}"', "SET application_name = '{text}'",
    "SET querywarden.purpose = '{text}'", "SET querywarden.ticket = '{text}'", "SET querywarden.reason = '{text}'",
    "SELECT 1",
    "SET \"x.{name}\" = '{text}'", 'SHOW "x.{name}"', "SELECT set_config('x.y', '{text}', false)",
    'CREATE TEMP TABLE "{name}" (a int)', 'DROP TABLE IF EXISTS "{name}"', 'CREATE TABLE "{name}" (a int)',
    "COMMENT ON TABLE notes IS '{text}'", "CREATE ROLE \"{name}\" PASSWORD '{text}'",
    "DO $x$ BEGIN RAISE NOTICE '{text}'; END $x$",
    "CREATE TEMP TABLE u (x text UNIQUE CHECK (length(x) < 400))", "INSERT INTO u VALUES ('{text}')",
    "INSERT INTO u VALUES ('{text}')", "INSERT INTO u VALUES (repeat('{text}', 50))", "DROP TABLE u",
    "INSERT INTO notes (body) VALUES ('{text}')", "UPDATE notes SET body = '{text}' WHERE body = '{text}'",
    "INSERT INTO customers (id, name) VALUES (1, '{text}')", "DELETE FROM notes WHERE body LIKE '%{text}%'",
    "EXPLAIN SELECT '{text}' AS \"{name}\"", "SELECT body FROM notes", "PREPARE TRANSACTION '{text}'",
    "SELECT name FROM customers WHERE email = '{text}'; SELECT '{text}'",
)  # fmt: skip
"""what goes through as a simple Query and, one by one, as extended messages; `name` is quoted, `text` a literal"""


@dataclass
class Stage:
    """A gateway with everything that stores something switched on, and what it is asked with."""

    gateway: Gateway
    keys: Keys
    sink: Path
    http: int
    metrics: bytes = b""
    sent: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    """kind of message → how many came"""

    def raw(self) -> rawpg.RawClient:
        client = rawpg.RawClient(self.gateway.port)
        client.start_tls(self.gateway.tls.ca)
        return client

    @contextmanager
    def agent(self, **more: str) -> Iterator[rawpg.RawClient]:
        with self.raw() as client:
            client.log_in(self.gateway.token(), "payments", "agent", **more)
            yield client

    def ask(self, client: rawpg.RawClient, *messages: bytes) -> None:
        self.sent += len(messages)
        for answer in client.ask(*messages):
            self.answers[answer.kind] = self.answers.get(answer.kind, 0) + 1


@pytest.fixture(scope="module")
def stage(cluster: Cluster, payments_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder, http = tmp_path_factory.mktemp("stored"), free_port()
    keys, sink = make_keys(folder), folder / "sink" / "events.jsonl"
    sink.parent.mkdir()
    more = {
        "evidence": {
            "recording": {"recipients": [str(keys.public)]},
            "sinks": [{"name": "copy", "type": "file", "path": str(sink), "bodies": True}],
        }
    }
    database = cluster.create_database(payments_template)
    site = everything_but_clear("payments")
    with running_gateway(cluster, {"payments": Upstream(database, "agent_rw")}, site, more=more, http=http) as gateway:
        told = Stage(gateway, keys, sink, http)
        everything_is_said(told)
        told.metrics = http_get(f"http://{HOST}:{http}/metrics")[2]
        gateway.stop()
        yield told
    cluster.drop_database(database)


def everything_is_said(stage: Stage) -> None:
    """Each form through some places, each place with some forms, and another number each time."""
    numbers = cycle(SOME)
    for turn in range(EACH):
        with stage.agent(application_name=FORMS[turn](next(numbers))) as client:
            for place, template in enumerate(STATEMENTS):
                said(stage, client, template, FORMS[(turn * len(STATEMENTS) + place) % len(FORMS)](next(numbers)))
            stage.ask(client, rawpg.query("ROLLBACK"))
    for form in FORMS[:: max(1, len(FORMS) // (3 * EACH))]:
        names(stage, form(next(numbers)))
        startups(stage, form(next(numbers)))
    values(stage)
    copies(stage)
    people(stage)


def said(stage: Stage, client: rawpg.RawClient, template: str, written: str) -> None:
    """As a simple Query, and as extended messages."""
    sql = template.format(text=written.replace("'", "''"), name=written.replace('"', '""'))
    stage.ask(client, rawpg.query(sql))
    if template not in {"BEGIN", "ROLLBACK"}:
        stage.ask(client, rawpg.parse(sql) + rawpg.bind() + rawpg.describe() + rawpg.execute() + rawpg.SYNC)


def names(stage: Stage, written: str) -> None:
    """Names of the protocol, known and not, and messages that are refused."""
    with stage.agent() as client:
        stage.ask(
            client,
            rawpg.parse("SELECT $1::text", written)
            + rawpg.bind([written.encode()], written, written)
            + rawpg.describe("P", written)
            + rawpg.execute(written)
            + rawpg.SYNC,
        )
        stage.ask(client, rawpg.describe("S", f"{written}x") + rawpg.SYNC)
        stage.ask(client, rawpg.bind([], "", f"{written}x") + rawpg.execute(f"{written}y") + rawpg.SYNC)
        stage.ask(client, rawpg.close("S", written) + rawpg.close("P", written) + rawpg.SYNC)
        stage.ask(client, rawpg.parse(f"SELECT '{written}", written) + rawpg.SYNC)
        with suppress(rawpg.ConnectionEndedError):
            field = struct.pack(">i", len(written.encode())) + written.encode()
            client.ask(rawpg.message("F", b"\0\0\0\1\0\0\0\1" + field + b"\0\0"))
        with suppress(rawpg.ConnectionEndedError):
            client.send(rawpg.message("z", written.encode()))
            client.read_to_end()


def startups(stage: Stage, written: str) -> None:
    """Logins: names, settings, passwords, tokens; most are turned away."""
    good = stage.gateway.token()
    for user, database, password, more in (
        (written, "payments", good, {}),
        ("agent", written, good, {}),
        ("agent", "payments", written, {}),
        ("agent", "payments", good, {"options": f"-c x.y={written}"}),
        ("agent", "payments", good, {written: "1"}),
        ("agent", "payments", good, {"client_encoding": written}),
        ("agent", "payments", good, {"DateStyle": written}),
        ("agent", "payments", good, {f"querywarden.{said}": written for said in ("purpose", "ticket", "reason")}),
        ("agent", "payments", stage.gateway.issuer.token(written), {}),
        ("agent", "payments", stage.gateway.issuer.token(groups=["agents", written]), {}),
        ("agent", "payments", stage.gateway.issuer.token(act={"sub": written}), {}),
    ):
        with stage.raw() as client, suppress(rawpg.ConnectionEndedError, TimeoutError):
            client.log_in(password, database, user, **more)
            if more.get("querywarden.purpose"):
                stage.ask(client, rawpg.query("SELECT 1"))
    with suppress(OSError, ValueError):
        http_get(f"http://{HOST}:{stage.http}/" + "".join(f"%{byte:02x}" for byte in written.encode()))


def values(stage: Stage) -> None:
    """Parameters of every type in text and binary, and results in both formats."""
    with stage.agent() as client:
        for number in (NUMBERS["visa"], NUMBERS["american express"], NUMBERS["discover"]):
            integer = struct.pack(">q", int(number))
            for type_oid, value, form in (
                (20, integer, 1), (1700, numeric(number), 1), (17, packed(number), 1), (25, number.encode(), 1),
                (701, struct.pack(">d", float(number)), 1), (20, number.encode(), 0), (1700, number.encode(), 0),
                (17, rb"\x" + number.encode().hex().encode(), 0), (25, number.encode(), 0), (23, number.encode(), 0),
                (114, b'{"a":' + number.encode() + b"}", 0), (1043, number.encode(), 0),
            ):  # fmt: skip
                for results in (0, 1):
                    flight = rawpg.parse("SELECT $1 AS x", "", [type_oid]) + rawpg.bind(
                        [value], formats=[form], results=results
                    )
                    stage.ask(client, flight + rawpg.describe() + rawpg.execute() + rawpg.SYNC)
            for form_of in BINARY.values():
                stage.ask(
                    client,
                    rawpg.parse("SELECT length($1)", "", [17])
                    + rawpg.bind([form_of(number)], formats=[1])
                    + rawpg.execute()
                    + rawpg.SYNC,
                )


def copies(stage: Stage) -> None:
    """COPY in and out, in each format, whole and cut into pieces; good and bad data."""
    with stage.gateway.connect("payments") as connection:
        for form in FORMS:
            written = form(SOME[0]).replace("\\", "\\\\")
            for options in ("", "(FORMAT csv)", "(FORMAT binary)"):
                with (
                    suppress(psycopg.Error),
                    connection.cursor().copy(f"COPY notes(body) FROM STDIN {options}".encode()) as copy,
                ):
                    if "binary" in options:
                        copy.write_row((written,))
                        continue
                    for at in range(0, len(written), 7):
                        copy.write(written[at : at + 7])
                    copy.write("\n")
            with suppress(psycopg.Error), connection.cursor().copy(b"COPY customers(id, name) FROM STDIN") as copy:
                copy.write(f"{written}\t{written}\n")
        for options in ("", "(FORMAT csv)", "(FORMAT binary)"):
            with (
                suppress(psycopg.Error),
                connection.cursor().copy(f"COPY notes(body) TO STDOUT {options}".encode()) as copy,
            ):
                assert list(copy)
        connection.execute("DELETE FROM notes")


def people(stage: Stage) -> None:
    """What people type: searches of the log, the reason of a stop."""
    data, config = str(stage.gateway.data), str(stage.gateway.folder / "gateway.yaml")
    commands = (
        ("audit", "search", "--data", data, "--text", SOME[0], "--as", SOME[1]),
        ("policy", "stop", "--config", config, "--subject", SOME[2], "--reason", f"card {SOME[3]}"),
    )
    for arguments in commands:
        subprocess.run(
            [sys.executable, "-m", "gateway", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "PASSWORD_AGENT_RW": "x"}, timeout=60,
        )  # fmt: skip


def stored(stage: Stage) -> list[Path]:
    """Every file: the data folder, the sink, what the gateway said."""
    return [
        path
        for place in (stage.gateway.data, stage.sink.parent, stage.gateway.folder / "output.log")
        for path in (sorted(place.rglob("*")) if place.is_dir() else [place])
        if path.is_file()
    ]


def scan(stage: Stage, *more: str | Path) -> subprocess.CompletedProcess[str]:
    folder = stage.gateway.folder
    arguments = ["audit", "scan", "-c", folder / "gateway.yaml", "--also", folder / "output.log", *more]
    return subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_it_was_all_said_and_answered(stage: Stage) -> None:
    assert stage.sent > 2 * EACH * len(STATEMENTS)
    assert stage.answers["D"] > 10 * EACH  # rows, so not everything was refused
    assert stage.answers["E"] > 10 * EACH
    assert stage.answers["N"] > 0
    assert sum(1 for _ in recordings(stage.gateway.data)) > 3 * EACH
    assert stage.sink.stat().st_size > 100_000


def test_a_scan_of_everything_stored_finds_none(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "metrics").write_bytes(stage.metrics)
    output, files = tmp_path / "scan.dsse.json", len(stored(stage))
    done = scan(stage, "--also", tmp_path / "metrics", "-o", output)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    result = opened(output.read_bytes(), load_verifier(stage.gateway.data / "keys" / "log-1.pub"))
    assert (result.ok, result.total, result.unread) == (True, 0, ())
    assert str(stage.sink) in result.scope  # by the configuration
    assert result.files == files - len(result.passed) + 1


def test_in_recordings_it_finds_only_what_the_net_over_rows_does_not_claim_to_see(stage: Stage) -> None:
    done = scan(stage, "--key", stage.keys.private, "--json")
    result = msgspec.json.decode(done.stdout, type=Result)
    assert result.unpacked > 100_000
    assert result.unread == (), [each.why for each in result.unread]
    assert {(Path(each.file).suffix, each.within) for each in result.findings} <= {(".gwr", "received")}
    assert "plain" not in {each.kind for each in result.findings}


def test_a_search_that_knows_nothing_of_the_scanner_finds_none_either(stage: Stage) -> None:
    grep = Grep(SOME)
    found = grep.in_files(stored(stage))
    assert found == [], "\n".join(found)
    assert grep.found(stage.metrics) == set()


def test_nor_does_it_in_what_was_recorded_as_sent_and_as_said_by_the_server(stage: Stage) -> None:
    """Whole numbers only: the server cuts names at 63 bytes and quotes what is left, and nobody sees a number in it."""
    grep, key = Grep(SOME, pieces=False), load_private(stage.keys.private)
    for sid, path in recordings(stage.gateway.data):
        pieces = list(Playback(path, key).pieces())
        sent = stream(pieces, What.SENT) + b"".join(piece.data for piece in pieces if piece.what is What.NOTE)
        assert grep.found(sent) == set(), sid
        received = stream(pieces, What.RECEIVED)
        assert grep.found(b"".join(body for kind, body in messages(received) if kind not in {b"D", b"d"})) == set(), sid
        assert not any(number.encode() in received for number in SOME), sid


@pytest.mark.parametrize("form", [*TEXTS, *BINARY])
def test_the_other_search_finds_every_form_that_is_planted(tmp_path: Path, form: str) -> None:
    planted = BINARY[form](SOME[0]) if form in BINARY else TEXTS[form](SOME[0]).encode()
    (tmp_path / "planted").write_bytes(b'{"a":"' + planted + b'"}')
    assert Grep(SOME[:1]).in_files([tmp_path / "planted"])


def test_a_planted_number_is_found_by_the_scan_among_all_the_rest(stage: Stage, tmp_path: Path) -> None:
    copy = tmp_path / "var"
    shutil.copytree(stage.gateway.data, copy)
    entries = next(copy.glob("log/1/tile/entries/**/*[0-9]"))
    entries.write_bytes(entries.read_bytes()[:-20] + SOME[0].encode() + b'xxx"')
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "audit", "scan", "--data", str(copy)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.search(rf"FOUND   {re.escape(str(entries))}: at byte [0-9,]+, 16 long, plain", done.stdout)
    assert SOME[0] not in done.stdout + done.stderr
