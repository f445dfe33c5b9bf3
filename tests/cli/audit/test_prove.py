"""`audit prove` and `audit verify --proof` on the command line."""

import json
from pathlib import Path

import pytest

from gateway import cli
from tests.cli.audit.world import Written


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main(["audit", *arguments])
    return code, capsys.readouterr().out


@pytest.fixture
def proof(desk: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "decision.proof"
    assert run(capsys, "prove", desk.by_policy, "--data", str(desk.folder), "-o", str(path)) == (cli.DONE, "")
    return path


def test_a_proof_needs_nothing_but_the_key(
    desk: Written, proof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "log.pub"
    key.write_bytes((desk.folder / "keys/log-1.pub").read_bytes())
    code, out = run(capsys, "verify", "--proof", str(proof), "--key", str(key))
    assert code == cli.DONE
    assert "proved" in out
    assert desk.by_policy in out
    assert "was believed" not in out


def test_the_proof_goes_to_standard_output_as_well(
    desk: Written, proof: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys, "prove", desk.by_policy, "--data", str(desk.folder))
    assert (code, out) == (cli.DONE, proof.read_text(encoding="utf-8"))


def test_the_key_beside_the_log_is_found_by_the_logs_name_and_named_as_believed(
    desk: Written, damaged: Written, proof: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys, "verify", "--proof", str(proof), "--data", str(desk.folder))
    assert code == cli.DONE
    assert "was believed" in out
    code, out = run(capsys, "verify", "--proof", str(proof), "--data", str(damaged.folder))
    assert code == cli.SAYS_NO
    assert "no such log is here" in out


def test_the_result_can_be_had_as_json(desk: Written, proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "verify", "--proof", str(proof), "--data", str(desk.folder), "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["leaf"]["did"]) == (cli.DONE, True, desk.by_policy)
    proof.write_bytes(proof.read_bytes().replace(b"index ", b"index 1"))
    code, out = run(capsys, "verify", "--proof", str(proof), "--data", str(desk.folder), "--json")
    assert (code, json.loads(out)["ok"]) == (cli.SAYS_NO, False)


def test_a_decision_the_log_does_not_have_is_not_proved(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "prove", "no-such-id", "--data", str(desk.folder))[0] == cli.SAYS_NO


def test_a_changed_leaf_is_not_proved(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (damaged.folder / "log/1/tile/entries").rglob("*.p/*"):
        path.write_bytes(path.read_bytes().replace(b'"outcome":"deny"', b'"outcome":"none"'))
    assert run(capsys, "prove", damaged.by_policy, "--data", str(damaged.folder))[0] == cli.SAYS_NO
