"""`policy check` says yes to our policy, and finds each way to be unfit."""

import json
from pathlib import Path

import pytest

from gateway import cli
from tests.cli.policy.keys import GOOD, ROOT, make_policy


def checked(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, str]]:
    """The exit code, and what was said by each check that failed."""
    code = cli.main(["policy", "check", *options, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] == (code == cli.DONE)
    return code, {check["name"]: check["said"] for check in said["checks"] if not check["ok"]}


@pytest.mark.timeout(600)  # hundreds of tests in Rego, run twice
def test_our_own_policy_is_fit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert checked(capsys) == (cli.DONE, {})


def test_a_small_policy_is_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(capsys, *make_policy(tmp_path)) == (cli.DONE, {})


@pytest.mark.parametrize(
    ("rego", "check", "word"),
    [
        (GOOD.replace(" := false", ":=false"), "format", "main.rego"),
        (GOOD.replace("action.name", "action.nome"), "strict", "nome"),
        (GOOD.replace('"select"', "http.send({})"), "strict", "http.send"),
        (GOOD.replace("input.action.name", "object.get(input, x, 1)\n\tx := 1"), "compile", "name the parts"),
        (GOOD.replace("#   remedy: Ask.\n", ""), "compile", "remedy"),
        (GOOD.replace('"allow"', '"deny"'), "tests", "FAIL"),
        (GOOD + "\nunused := 1\n", "coverage", "main.rego: not covered: 23"),
    ],
)
def test_each_way_to_be_unfit_is_found(
    rego: str, check: str, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rego != GOOD
    code, failed = checked(capsys, *make_policy(tmp_path, rego))
    assert code == cli.SAYS_NO
    assert word in failed[check]


def test_a_policy_without_tests_is_unfit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, failed = checked(capsys, *make_policy(tmp_path, test="package gateway.main_test\n"))
    assert "no tests" in failed["tests"]


def test_a_stale_schema_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = make_policy(tmp_path)
    (tmp_path / "policies" / "schema" / "decision.json").unlink()
    assert checked(capsys, *options)[1]["schemas"] == "stale: decision.json"


def test_the_rules_about_rules_are_asked_when_there_are_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = make_policy(tmp_path)
    meta = tmp_path / "policies" / "meta"
    meta.mkdir()
    rego = 'package meta\n\nfindings contains "no good" if count(input.modules) == 1\n'
    (meta / "meta.rego").write_text(rego)
    assert checked(capsys, *options)[1]["meta"] == "no good"
    (meta / "meta.rego").write_text("package meta\n")
    assert "undefined" in checked(capsys, *options)[1]["meta"]


def test_a_folder_without_a_policy_is_a_usage_error_and_a_missing_opa_a_missing_dependency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["policy", "check", "--policies", str(tmp_path)]) == cli.USAGE
    monkeypatch.setenv("OPA", str(tmp_path / "gone"))
    assert cli.main(["policy", "check", *make_policy(tmp_path)]) == cli.UNREACHABLE
