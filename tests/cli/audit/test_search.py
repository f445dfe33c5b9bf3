"""`audit search` on the command line."""

import json

import pytest

from gateway import cli
from tests.cli.audit.world import Written


def run(capsys: pytest.CaptureFixture[str], written: Written, *arguments: str) -> tuple[int, str]:
    code = cli.main(["audit", "search", "--data", str(written.folder), *arguments])
    return code, capsys.readouterr().out


def test_a_table_has_a_row_for_each_decision_the_latest_first(
    desk: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys, desk)
    assert code == cli.DONE
    lines = out.splitlines()
    assert [line.split()[2] for line in lines[1:4]] == [desk.refused, desk.hostile, desk.by_policy]
    assert lines[-1] == "3 decisions"
    assert "agent-7 for maria" in out


def test_conditions_and_a_limit_are_honoured(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, desk, "--code", "statement.unanalysable")
    assert desk.refused in out
    assert out.endswith("1 decision\n")
    _, out = run(capsys, desk, "--limit", "2")
    assert desk.by_policy not in out
    _, out = run(capsys, desk, "--subject", "nobody")
    assert out == "0 decisions\n"
    _, out = run(capsys, desk, "--since", "2030-01-01", "--until", "2031-01-01")
    assert out.endswith("3 decisions\n")
    _, out = run(capsys, desk, "--until", "2029-01-01")
    assert out == "0 decisions\n"


def test_json_is_one_document_a_line(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, desk, "--json", "--text", "from t")
    (hit,) = map(json.loads, out.splitlines())
    assert (hit["did"], hit["ended"], hit["relations"]) == (desk.hostile, "done", ["public.cards"])


def test_a_statement_cannot_write_to_the_terminal(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, desk)
    assert "\x1b" not in out
    assert "\\x1b[2J" in out


@pytest.mark.parametrize("arguments", [["--limit", "0"], ["--since", "soon"], ["--no-such"]])
def test_what_cannot_be_asked_is_a_usage_error(
    desk: Written, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, desk, *arguments)[0] == cli.USAGE
