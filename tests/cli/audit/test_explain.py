"""`audit explain` on the command line."""

import json

import pytest

from gateway import cli
from tests.cli.audit.world import Written


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["audit", "explain", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_it_says_everything_and_exits_0(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, desk.by_policy, "--data", str(desk.folder))
    assert code == cli.DONE
    for part in (
        desk.by_policy, "agent-7 (https://idp.test), for maria", "select on payments", "SELECT ?", ".rego:",
        "PCI-DSS-4.0.1/", f"sha256:{desk.bundle}", "why start", "holds: leaf 3", "EQUAL: the same bundle",
        "nothing was let through",
    ):  # fmt: skip
        assert part in out


def test_a_refusal_of_the_gateway_is_told(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, desk.refused, "--data", str(desk.folder))
    assert code == cli.DONE
    assert "by the gateway itself: statement.unanalysable: no SQL" in out
    assert "nothing to compute" in out


def test_what_does_not_hold_exits_1_and_says_why(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, desk.hostile, "--data", str(desk.folder))
    assert code == cli.SAYS_NO
    assert "NOT POSSIBLE: the bundle is not in the archive" in out
    assert "done: 1 rows, 9 bytes, 1200 µs" in out


def test_a_statement_cannot_write_to_the_terminal(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, desk.hostile, "--data", str(desk.folder))
    assert "SELECT \\x1b[2J \\u202e FROM t" in out
    assert "\x1b" not in out


def test_everything_can_be_had_as_json(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, desk.by_policy, "--data", str(desk.folder), "--json")
    document = json.loads(out)
    assert (code, document["did"], document["ok"]) == (cli.DONE, desk.by_policy, True)
    assert document["proof"]["path"]


def test_an_unknown_decision_exits_1(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "no-such", "--data", str(desk.folder))
    assert (code, err) == (cli.SAYS_NO, "querywarden: no-such: the log has no such decision\n")


def test_a_changed_leaf_fails_its_proof(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((damaged.folder / "log/1/tile/entries/000.p").iterdir())
    for bundle in path.parent.iterdir():
        bundle.write_bytes(bundle.read_bytes().replace(b'"id":"agent-7"', b'"id":"agent-8"'))
    code, out, _ = run(capsys, damaged.by_policy, "--data", str(damaged.folder))
    assert code == cli.SAYS_NO
    assert "FAILS: leaf 3" in out


def test_a_wrong_key_ends_with_a_sentence(desk: Written, damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    key = str(damaged.folder / "keys/log-1.pub")
    code, _, err = run(capsys, desk.by_policy, "--data", str(desk.folder), "--key", key)
    assert code == cli.SAYS_NO
    assert "audit verify" in err


def test_no_log_is_a_usage_error(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "x", "--data", str(damaged.folder / "none"))
    assert code == cli.USAGE
    assert "no log here" in err
