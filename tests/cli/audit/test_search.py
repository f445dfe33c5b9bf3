"""`audit search` on the command line: a page at a time, counted, recorded, harmless to the terminal."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from gateway import cli
from gateway.cli.audit import accessing
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType, Who
from gateway.evidence.recorder import Recorder
from tests.cli.audit.test_accessing import accesses
from tests.cli.audit.world import Written
from tests.evidence.world import TickClock, input_document


def run(capsys: pytest.CaptureFixture[str], written: Written, *arguments: str) -> tuple[int, str]:
    code = cli.main(["audit", "search", "--data", str(written.folder), *arguments])
    return code, capsys.readouterr().out


def test_a_table_has_a_row_for_each_decision_the_latest_first(
    read: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys, read)
    assert code == cli.DONE
    lines = out.splitlines()
    assert [line.split()[2] for line in lines[1:4]] == [read.refused, read.hostile, read.by_policy]
    assert lines[-1] == "3 decisions"
    assert "agent-7 for maria" in out


def test_conditions_and_a_limit_are_honoured(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, read, "--code", "statement.unanalysable")
    assert read.refused in out
    assert out.endswith("1 decision\n")
    _, out = run(capsys, read, "--limit", "2")
    assert read.by_policy not in out
    _, out = run(capsys, read, "--subject", "nobody")
    assert out == "0 decisions\n"
    _, out = run(capsys, read, "--since", "2030-01-01", "--until", "2031-01-01")
    assert out.endswith("3 decisions\n")
    _, out = run(capsys, read, "--until", "2029-01-01")
    assert out == "0 decisions\n"


def test_json_is_one_document_a_line(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, read, "--json", "--text", "from t")
    (hit,) = map(json.loads, out.splitlines())
    assert (hit["did"], hit["ended"], hit["relations"]) == (read.hostile, "done", ["public.cards"])


def test_a_statement_cannot_write_to_the_terminal(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, read)
    assert "\x1b" not in out
    assert "\\x1b[2J" in out


@pytest.mark.parametrize(
    "arguments",
    [["--limit", "0"], ["--since", "soon"], ["--no-such"], ["--facet", "x"], ["--after", "x"], ["--history", "x"]],
)
def test_what_cannot_be_asked_is_a_usage_error(
    read: Written, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, read, *arguments)[0] == cli.USAGE


@pytest.mark.parametrize("how", [[], ["--no-index"]])
def test_pages_follow_each_other(read: Written, capsys: pytest.CaptureFixture[str], how: list[str]) -> None:
    _, out = run(capsys, read, "--limit", "2", *how)
    assert out.splitlines()[-1] == f"2 of 3 decisions; --after {read.hostile} shows the next"
    _, out = run(capsys, read, "--limit", "2", "--after", read.hostile, "--json", *how)
    assert [json.loads(line)["did"] for line in out.splitlines()] == [read.by_policy]


@pytest.mark.parametrize("how", [[], ["--no-index"]])
def test_facets_are_counted(read: Written, capsys: pytest.CaptureFixture[str], how: list[str]) -> None:
    _, out = run(capsys, read, "--facet", "agent", "--facet", "outcome", *how)
    assert out.splitlines() == [
        "agent                  2  agent-7",
        "agent                  1  -",
        "outcome                2  deny",
        "outcome                1  allow",
    ]
    _, out = run(capsys, read, "--facet", "control", "--json", *how)
    assert json.loads(out.splitlines()[0])["value"].startswith("PCI-DSS-4.0.1/")
    _, out = run(capsys, read, "--facet", "outcome", "--limit", "1", *how)
    assert out.splitlines()[-1].split() == ["outcome", "…", "1", "more"]


def test_a_control_finds_what_rules_that_serve_it_decided(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, read, "--facet", "control", "--json")
    control = json.loads(out.splitlines()[0])["value"]
    for name in (control, control.partition("/")[2]):
        assert json.loads(run(capsys, read, "--control", name, "--json")[1])["did"] == read.by_policy
    assert run(capsys, read, "--control", "99.9")[1] == "0 decisions\n"


def test_a_search_is_recorded_before_its_answer_is_shown(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, read, "--text", "pan = 4111111111111111", "--as", "eve")
    leaf = accesses(read.folder)[-1]
    assert (leaf.act, leaf.facts()["results"]) == ("search", 0)
    assert leaf.facts()["arguments"] == {"limit": "50", "text": "pan = ****************"}
    assert leaf.who is not None
    assert leaf.who.on_behalf_of == "eve"


def test_what_cannot_be_recorded_is_not_shown(
    damaged: Written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Unavailable("evidence.access_unrecorded", "a full disk")

    monkeypatch.setattr(accessing, "_record", refuse)
    assert run(capsys, damaged) == (cli.UNREACHABLE, "")


def test_a_forged_leaf_cannot_write_to_the_terminal_in_any_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b]0;x\x07\x9b2J\u202e\u2028\u200f"
    asyncio.run(_forge(tmp_path / "var", evil))
    for arguments in ([], ["--json"], ["--facet", "agent", "--facet", "action"], ["--facet", "rule", "--json"]):
        assert cli.main(["audit", "search", "--data", str(tmp_path / "var"), *arguments]) == cli.DONE
        said = capsys.readouterr()
        for text in (said.out, said.err):
            assert all(c.isprintable() or c == "\n" for c in text)
        assert "u202e" in said.out


async def _forge(folder: Path, evil: str) -> None:
    recorder = await Recorder.open(folder, TickClock(), checkpoint_interval=3600)
    who = Who(id=f"agent{evil}", on_behalf_of=evil)
    answer = msgspec.json.encode({"reasons": [{"code": f"code{evil}"}]})
    await recorder.append(
        Event(
            type=EventType.STATEMENT_DECIDED, sid=evil, did=f"d{evil}", who=who, res=evil, act=evil, outcome=evil,
            bodies={"in": input_document(json.dumps(evil)[1:-1]), "out": answer},
        )
    )  # fmt: skip
    await recorder.close()
