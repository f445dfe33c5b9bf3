"""A recorded session is what a relay in front of the client saw, byte for byte, but for what may not be kept."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from gateway import cli
from gateway.cli.demo.cluster import free_port
from gateway.core.clock import SystemClock
from gateway.evidence.recording.frames import Note, Piece, What, decode_note
from gateway.evidence.recording.places import recordings
from gateway.evidence.recording.reader import Playback
from gateway.evidence.verify import verify
from tests.support.bundle import everything_but_clear
from tests.support.card_forms import TEXTS
from tests.support.cases import postgres_cases
from tests.support.gateway import Gateway, Upstream, await_listener, running_gateway, serve
from tests.support.postgres import HOST, Cluster
from tests.support.recorded import Keys, cards_in, leaves, make_keys, messages, played, sessions, stream, when_closed
from tests.support.recover import CARDS
from tests.support.relay import Relay, running_relay

AUTHENTICATED = b"R\x00\x00\x00\x08\x00\x00\x00\x00"
CARD = "4111111111111111"
CLEAR = [{"groups": ["pan-readers"], "connections": ["payments"], "labels": ["pan"]}]
READER = ("agents", "pan-readers")
EVERY = int(os.environ.get("QUERYWARDEN_RECORDED", "20"))
"""of the corpus, each so many-th case is recorded"""
COPIED = re.compile(r"\s*copy\b.*to\s+stdout", re.IGNORECASE | re.DOTALL)


@dataclass
class Stage:
    """A gateway that records, and a relay before its port for plaintext."""

    gateway: Gateway
    relay: Relay
    keys: Keys

    def conninfo(self, application: str, groups: Sequence[str] = ("agents",)) -> str:
        return psycopg.conninfo.make_conninfo(
            "", host=HOST, port=str(self.relay.port), dbname="payments", user="agent", sslmode="disable",
            password=self.gateway.token(groups=groups), application_name=application,
        )  # fmt: skip

    def connect(self, application: str, groups: Sequence[str] = ("agents",)) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(application, groups), autocommit=True)

    def played(self, application: str) -> tuple[Playback, list[Piece]]:
        """The last session of an application, once it is over."""
        return played(self.gateway.data, when_closed(self.gateway.data, application), self.keys)

    def carried(self, number: int = -1) -> tuple[bytes, bytes]:
        """What the relay saw of a connection behind its login: sent by the client, and received."""
        sent, received = (bytes(each) for each in self.relay.heard[number])
        startup = int.from_bytes(sent[:4], "big")
        password = int.from_bytes(sent[startup + 1 : startup + 5], "big") + 1
        return sent[startup + password :], received[received.index(AUTHENTICATED) :]


@pytest.fixture(scope="module")
def upstream(cluster: Cluster, payments_template: str) -> Iterator[Upstream]:
    database = cluster.create_database(payments_template)
    yield Upstream(database, "agent_rw")
    cluster.drop_database(database)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="module")
def stage(cluster: Cluster, upstream: Upstream, keys: Keys) -> Iterator[Stage]:
    port, site = free_port(), everything_but_clear("payments", clear=CLEAR)
    with (
        running_gateway(cluster, {"payments": upstream}, site, more=recording(keys), plain=port) as gateway,
        running_relay(port, listens=True) as relay,
    ):
        yield Stage(gateway, relay, keys)


def recording(keys: Keys) -> dict[str, object]:
    return {"evidence": {"recording": {"recipients": [str(keys.public)]}}}


def without_cancel_key(received: bytes) -> bytes:
    """As a recording has it."""
    return re.sub(rb"(?s)(K\x00\x00\x00\x0c.{4}).{4}", lambda found: found[1] + bytes(4), received, count=1)


def notes(pieces: list[Piece]) -> list[tuple[int, Note]]:
    return [(piece.statement, decode_note(piece.data)) for piece in pieces if piece.what is What.NOTE]


def test_what_psycopg_sent_and_received_is_what_is_played(stage: Stage) -> None:
    with stage.connect("plain") as connection:
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            cursor.execute("SELECT id, name, created_at FROM customers WHERE id < %b OR name = %s", (3, "Dana"))
            assert len(cursor.fetchall()) == 3
        connection.execute("SELECT pan, brand FROM cards")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DROP TABLE notes")
        with connection.cursor().copy("COPY customers(id, name) TO STDOUT") as copy:
            assert len(list(copy)) == 4
        with connection.transaction(), connection.cursor("walk") as cursor:
            cursor.execute("SELECT g, repeat('x', 1000) FROM generate_series(1, 2000) g")
            assert sum(1 for _ in cursor) == 2000
        with connection.cursor().copy("COPY notes(body) FROM STDIN") as copy:
            copy.write("hello\nworld\n")
    playback, pieces = stage.played("plain")
    sent, received = stage.carried()
    assert stream(pieces, What.RECEIVED) == without_cancel_key(received)
    assert stream(pieces, What.SENT) == sent
    assert playback.trouble is None
    assert playback.totals is not None
    assert (playback.totals.sent, playback.totals.received) == (len(sent), len(received))


def test_what_psql_sent_and_received_is_what_is_played(stage: Stage) -> None:
    script = "\\d customers\nSELECT count(*) FROM orders;\nBEGIN; DELETE FROM notes; ROLLBACK;\nSELECT nothing;\n"
    subprocess.run(["psql", "-X", stage.conninfo("psql")], input=script, text=True, capture_output=True, check=False)
    _, pieces = stage.played("psql")
    sent, received = stage.carried()
    assert stream(pieces, What.RECEIVED) == without_cancel_key(received)
    assert stream(pieces, What.SENT) == sent


def refused_in_a_pipeline(connection: psycopg.Connection) -> None:
    with connection.pipeline() as pipeline, connection.transaction():
        connection.execute("SELECT name FROM customers WHERE id = %s", (1,))
        connection.execute("SELECT pg_read_file('/etc/passwd')")
        connection.execute("SELECT name FROM customers WHERE id = %s", (2,))
        pipeline.sync()


def test_refusals_pipelines_and_skipped_messages_are_played_as_they_were(stage: Stage) -> None:
    with stage.connect("pipelines") as connection:
        for _ in range(3):
            with pytest.raises(psycopg.Error):
                refused_in_a_pipeline(connection)
    _, pieces = stage.played("pipelines")
    sent, received = stage.carried()
    assert stream(pieces, What.RECEIVED) == without_cancel_key(received)
    assert [(kind, len(body)) for kind, body in messages(stream(pieces, What.SENT))] == [
        (kind, len(body)) for kind, body in messages(sent)
    ]


def test_every_decision_stands_in_the_recording_with_how_it_ended(stage: Stage) -> None:
    with stage.connect("decisions") as connection:
        connection.execute("SELECT 1")
        connection.execute("SELECT name FROM customers WHERE id = %s", (1,))
        for refused in ("SELECT pg_read_file('/etc/passwd')", "SELECT 1/0"):
            with pytest.raises(psycopg.Error):
                connection.execute(refused.encode())
    _, pieces = stage.played("decisions")
    (sid,) = sessions(stage.gateway.data, "decisions")
    decided = [leaf for leaf in leaves(stage.gateway.data, "statement.decided") if leaf["sid"] == sid]
    begun = [(number, note) for number, note in notes(pieces) if note.is_ == "statement"]
    assert [(note.did, note.act) for _, note in begun] == [(leaf["did"], leaf["act"]) for leaf in decided]
    assert [number for number, _ in begun] == list(range(1, len(decided) + 1))
    ended = {note.did: note for _, note in notes(pieces) if note.is_ == "outcome"}
    assert [ended[str(leaf["did"])].outcome for leaf in decided] == ["done"] * 3 + ["deny", "failed"]
    assert [ended[str(leaf["did"])].code for leaf in decided[-2:]] == ["access.function", "22012"]
    assert ended[str(decided[2]["did"])].rows == 1
    rows = [piece for piece in pieces if piece.what is What.RECEIVED and b"Alice" in piece.data]
    assert [piece.statement for piece in rows] == [3]


def run_case(connection: psycopg.Connection, statements: Sequence[str], *, binary: bool) -> None:
    """Everything in order, whatever the gateway says to it."""
    for statement in statements:
        cursor = connection.cursor(binary=True) if binary else psycopg.ClientCursor(connection)
        with errors_pass():
            if COPIED.match(statement):
                with cursor.copy(statement.encode()) as copy:
                    list(copy)
            else:
                cursor.execute(statement.encode())


@pytest.mark.parametrize("binary", [False, True])
def test_evasions_are_played_as_they_were_and_hold_no_card_number(
    stage: Stage,
    cluster: Cluster,
    tmp_path: Path,
    binary: bool,  # noqa: FBT001 -- a parameter
) -> None:
    applications = []
    for case in postgres_cases()[int(binary) :: EVERY]:
        applications.append(f"{case.id} {binary}"[-60:])
        with contextlib.closing(stage.connect(applications[-1])) as connection:
            run_case(connection, case.statements(tmp_path, cluster.port), binary=binary)
    first = len(stage.relay.heard) - len(applications)
    for number, application in enumerate(applications, first):
        _, pieces = stage.played(application)
        sent, received = stage.carried(number)
        assert stream(pieces, What.RECEIVED) == without_cancel_key(received), application
        assert [(kind, len(body)) for kind, body in messages(stream(pieces, What.SENT))] == [
            (kind, len(body)) for kind, body in messages(sent)
        ], application
        assert cards_in(pieces) == [], application


def card_statements(form: str) -> Iterator[str]:
    written = TEXTS[form](CARD).replace("'", "''")
    yield f"SELECT '{written}' AS a, $${written}$$"
    yield f"SELECT 1 /* {written} */ -- {written}"
    yield "SELECT name FROM customers WHERE email = '%s'" % written  # noqa: S608, UP031 -- the agent's own words
    yield "SELECT * FROM nowhere WHERE x = '%s'" % written  # noqa: S608, UP031 -- as above
    yield f"SELECT '{written}'::int"


@pytest.mark.parametrize("form", ["plain", "spaces", "full-width", "hexadecimal", "base64", "entities"])
def test_no_card_number_is_kept_of_statements_parameters_copies_and_errors(stage: Stage, form: str) -> None:
    application = f"cards {form}"
    written = TEXTS[form](CARD)
    with stage.connect(application) as connection:
        for statement in card_statements(form):
            with errors_pass():
                connection.execute(statement.encode())
        with errors_pass():
            connection.execute("SELECT %s::text, %b::text, %s::int8", (written, written, int(CARD)))
        with connection.cursor().copy("COPY notes(body) FROM STDIN") as copy:
            for size in (3, 7, 1000):
                text = f"a {written} b\n"
                for at in range(0, len(text), size):
                    copy.write(text[at : at + size])
        with connection.cursor().copy("COPY notes(body) TO STDOUT") as copy:
            list(copy)
        connection.execute("DELETE FROM notes")
    _, pieces = stage.played(application)
    assert cards_in(pieces) == []
    sent = [body for kind, body in messages(stream(pieces, What.SENT)) if kind in {b"Q", b"P", b"B"}]
    assert [body for body in sent if written.encode() in body] == []
    raw = stage.carried()[0]
    assert written.encode() in raw, "otherwise nothing was tried"


def errors_pass() -> contextlib.suppress:
    return contextlib.suppress(psycopg.Error)


@pytest.mark.parametrize("binary", [False, True])
def test_what_a_cleared_reader_sees_is_not_kept(stage: Stage, binary: bool) -> None:  # noqa: FBT001 -- a parameter
    application = f"reader {binary}"
    with stage.connect(application, READER) as connection:
        cursor = connection.cursor(binary=binary)
        cursor.execute("SELECT pan, brand FROM cards WHERE pan = %s", (CARD,))
        assert cursor.fetchall() == [(CARD, "visa")]
        cursor.execute("SELECT pan, pan_num, pan_raw FROM num_cards ORDER BY id LIMIT 1")
        (row,) = cursor.fetchall()
        assert int(row[0]) == int(CARD)
        copying = "COPY (SELECT pan FROM num_cards) TO STDOUT" + (" (FORMAT binary)" if binary else "")  # noqa: S608 -- two constants
        with connection.cursor().copy(copying.encode()) as copy:
            list(copy)
    _, pieces = stage.played(application)
    received = stage.carried()[1]
    assert cards_in(pieces) == []
    kept = stream(pieces, What.RECEIVED)
    assert [(k, len(b)) for k, b in messages(kept)] == [(k, len(b)) for k, b in messages(received)]
    needles = [card.encode() for card in CARDS] + [int(card).to_bytes(8, "big") for card in CARDS]
    assert [needle for needle in needles if needle in kept] == []
    assert [needle for needle in needles if needle in received], "otherwise nothing was seen"


def test_of_a_statement_that_names_labelled_columns_no_value_is_kept(stage: Stage) -> None:
    with stage.connect("labelled") as connection:
        connection.execute(b"INSERT INTO cards(id, pan, cvv) VALUES (900, 'not a number', '737')")
        with errors_pass():  # a trigger is in the way
            connection.execute("UPDATE cards SET cvv = %s WHERE id = 900", ("737",))
        with connection.cursor().copy("COPY cards(id, pan, cvv) FROM STDIN") as copy:
            copy.write("901\tx\t737\n")
        connection.execute("DELETE FROM cards WHERE id >= 900")
    _, pieces = stage.played("labelled")
    sent, _ = stage.carried()
    assert sent.count(b"737") == 3
    assert b"737" not in stream(pieces, What.SENT)
    assert b"INSERT INTO cards(id, pan, cvv) VALUES (000, '************', '***')" in stream(pieces, What.SENT)


def test_a_gateway_that_runs_records_who_replays_and_who_shreds(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    with stage.connect("shredded") as connection:
        connection.execute("SELECT name FROM customers WHERE id = 3")
    data = stage.gateway.data
    sid = when_closed(data, "shredded")
    where, key = ["--data", str(data)], ["--key", str(stage.keys.private)]
    assert cli.main(["audit", "replay", sid, *where, *key]) == 0
    assert "Chen" in capsys.readouterr().out
    assert cli.main(["audit", "shred", sid, *where, "--reason", "erasure", "--legal-reason", "case 4711"]) == 0
    assert cli.main(["audit", "replay", sid, *where, *key]) == 1
    assert "its key was destroyed: erasure" in capsys.readouterr().err
    (replayed,) = [leaf["data"] for leaf in leaves(data, "evidence.accessed") if leaf["act"] == "replay"]
    (shredded,) = [leaf["data"] for leaf in leaves(data, "recording.shredded")]
    assert isinstance(replayed, dict)
    assert isinstance(shredded, dict)
    assert (replayed["arguments"], shredded["session"], shredded["legal"]) == ({"session": sid}, sid, "case 4711")
    report = verify(data, SystemClock())
    assert report.ok
    assert "recording.shredded" in {finding.name for finding in report.findings}


def test_a_gateway_that_is_killed_leaves_what_was_sealed_and_a_log_that_holds(
    cluster: Cluster, upstream: Upstream, keys: Keys
) -> None:
    with running_gateway(
        cluster, {"payments": upstream}, everything_but_clear("payments"), more=recording(keys)
    ) as gateway:
        stop = threading.Event()

        def work() -> None:
            with errors_pass(), gateway.connect("payments", application_name="killed") as connection:
                while not stop.is_set():
                    connection.execute("SELECT repeat('y', 20000), name FROM customers")

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        time.sleep(2.5)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
        stop.set()
        for worker in workers:
            worker.join()
        gateway.process = serve(gateway.folder / "gateway.yaml")
        await_listener(gateway)
        report = verify(gateway.data, SystemClock())
        assert report.ok, [finding for finding in report.findings if finding.grave]
        assert report.recordings == 4
        for sid, _ in recordings(gateway.data):
            playback, pieces = played(gateway.data, sid, keys)
            assert playback.totals is None
            assert (playback.trouble.name if playback.trouble else "") in {"", "recording.torn"}
            assert b"yyyy" in stream(pieces, What.RECEIVED)


def ask_until_refused(connection: psycopg.Connection) -> None:
    for _ in range(300):
        connection.execute("SELECT string_agg(md5(g::text), '') FROM generate_series(1, 2000) g")
        time.sleep(0.02)


def test_while_recordings_cannot_be_written_nothing_is_let_through_and_nothing_is_lost(
    cluster: Cluster, upstream: Upstream, keys: Keys
) -> None:
    site = everything_but_clear("payments")
    with running_gateway(cluster, {"payments": upstream}, site, more=recording(keys)) as gateway:
        with gateway.connect("payments", application_name="full") as connection:
            connection.execute("SELECT 1")
            limit = max(path.stat().st_size for path in gateway.data.rglob("*") if path.is_file()) + 300_000
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            with pytest.raises(psycopg.errors.CannotConnectNow, match="could not be recorded"):
                ask_until_refused(connection)
            assert sum(path.stat().st_size for path in gateway.data.rglob("wal/*")) < limit, "the log itself is well"
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            deadline = time.monotonic() + 20
            while True:
                try:
                    connection.execute("SELECT 'well again'")
                    break
                except psycopg.errors.CannotConnectNow:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
        playback, pieces = played(gateway.data, when_closed(gateway.data, "full"), keys)
        assert playback.trouble is None
        assert playback.totals is not None
        assert b"well again" in stream(pieces, What.RECEIVED)
        outcomes = [note.outcome for _, note in notes(pieces) if note.is_ == "outcome"]
        assert "unavailable" in outcomes
        (degraded,) = [leaf["data"] for leaf in leaves(gateway.data, "log.degraded")]
        assert isinstance(degraded, dict)
        assert degraded["cause"] == "recording EFBIG"
