"""`audit reconcile` as it is typed: options, what it prints, its exit codes, and that it leaves a trace."""

import asyncio
import hashlib
import json
import time
from pathlib import Path

import msgspec
import pytest

from gateway import cli
from gateway.core.clock import SystemClock
from gateway.core.events import Event, EventType
from gateway.core.ids import new_id
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.recorder import Recorder
from gateway.evidence.view import open_views
from gateway.frontends.keeper import STATEMENTS
from gateway.sql.tokens import redact
from tests.evidence.server_log import Said

TEXT = "SELECT pan FROM cards WHERE id = 7"


def said(sid: str, text: str, **more: object) -> Said:
    return Said(f"statement: {text}", application=f"qw/{sid}", **more)  # type: ignore[arg-type]  # fields of it


def line(each: Said, now_ns: int, after: float) -> bytes:
    """The line as json, at a moment after now."""
    document = json.loads(each.as_json())
    seconds, rest = divmod(now_ns + round(after * 1e9), 10**9)

    document["timestamp"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + f".{rest // 10**6:03d} UTC"
    return json.dumps(document).encode() + b"\n"


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, str, str]:
    """A data folder with one session and one decision: folder, session, decision."""
    sid, did = asyncio.run(_write(tmp_path / "var"))
    return tmp_path, sid, did


async def _write(folder: Path) -> tuple[str, str]:
    clock = SystemClock()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    data: dict[str, object] = {"connections": {"payments": {"database": "payments"}}}
    await recorder.append(Event(type=EventType.CONFIG_LOADED, data=data))
    sid, did = new_id(clock), new_id(clock)
    await recorder.append(Event(type=EventType.SESSION_OPENED, sid=sid, res="payments"))
    plan = "sha256:" + hashlib.sha256(redact(TEXT).encode()).hexdigest()
    await recorder.append(
        Event(
            type=EventType.STATEMENT_DECIDED,
            sid=sid,
            did=did,
            res="payments",
            act="select",
            plan=plan,
            outcome="allow",
            data={"phase": "query"},
        )
    )
    await recorder.append(Event(type=EventType.STATEMENT_FINISHED, sid=sid, did=did, res="payments", outcome="done"))
    await recorder.close()
    return sid, did


def run(
    capsys: pytest.CaptureFixture[str], made: tuple[Path, str, str], *lines: Said, more: tuple[str, ...] = ()
) -> tuple[int, str]:
    folder, sid, did = made
    now = SystemClock().now_ns()
    ours = (
        said(sid, f"/* querywarden:{did} */ {TEXT}"),
        Said(f"statement: {STATEMENTS[0]}", application="querywarden/catalog"),
    )
    (folder / "server.json").write_bytes(b"".join(line(each, now, n / 10) for n, each in enumerate((*ours, *lines))))
    words = [
        "--log",
        str(folder / "server.json"),
        "--data",
        str(folder / "var"),
        *(() if "--connection" in more else ("--connection", "payments")),
        *more,
    ]
    code = cli.main(["audit", "reconcile", *words])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_a_complete_log_is_said_to_be(capsys: pytest.CaptureFixture[str], made: tuple[Path, str, str]) -> None:
    code, text = run(capsys, made)
    assert (code, text.split(":")[:2]) == (cli.DONE, ["payments", " complete"]), text


def test_what_went_round_is_shown_without_its_values(
    capsys: pytest.CaptureFixture[str], made: tuple[Path, str, str]
) -> None:
    direct = Said("statement: SELECT 4111111111111111", user="eve", application="psql")
    code, text = run(capsys, made, direct)
    assert code == cli.SAYS_NO
    assert "1 without our mark: eve from 10.0.0.7, psql" in text
    assert "SELECT ?" in text
    assert "4111" not in text
    assert run(capsys, made, direct, more=("--known-user", "eve"))[0] == cli.DONE


def test_the_answer_is_json_when_asked_and_a_file_for_a_package(
    capsys: pytest.CaptureFixture[str], made: tuple[Path, str, str]
) -> None:
    out = made[0] / "answer.json"
    code, text = run(capsys, made, more=("--json", "-o", str(out)))
    assert (code, json.loads(text)["verdict"]) == (cli.DONE, "complete")
    assert msgspec.json.decode(out.read_bytes()) == json.loads(text)


def test_that_the_log_was_read_is_recorded(capsys: pytest.CaptureFixture[str], made: tuple[Path, str, str]) -> None:
    run(capsys, made)
    leaves = [decode_leaf(data) for view in open_views(made[0] / "var") for _, data in view.upwards(0)]
    assert [leaf.act for leaf in leaves if leaf.type == EventType.EVIDENCE_ACCESSED] == ["reconcile"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--tolerance", "soon"), "--tolerance"),
        (("--from", "soon"), "--from"),
        (("--connection", "other"), "--database"),
        (("--format", "stderr"), "--prefix"),
        (("--log", "/nowhere/server.json"), "/nowhere/server.json"),
    ],
)
def test_what_was_typed_wrong_is_said(
    capsys: pytest.CaptureFixture[str], made: tuple[Path, str, str], more: tuple[str, ...], words: str
) -> None:
    code, text = run(capsys, made, more=more)
    assert code == cli.USAGE
    assert words in text
