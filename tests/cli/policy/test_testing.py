"""`policy test` runs the tests and counts the lines they reach."""

import json
from pathlib import Path

import pytest

from gateway import cli
from tests.cli.policy.keys import GOOD, TEST, make_policy


def test_tests_pass_and_reach_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["policy", "test", *make_policy(tmp_path)]) == cli.DONE
    assert capsys.readouterr().out == "ok      tests: PASS: 2/2\nok      coverage: 100 %\n"


def test_a_failing_test_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = make_policy(tmp_path, test=TEST.replace('"allow"', '"deny"'))
    assert cli.main(["policy", "test", *options, "--json"]) == cli.SAYS_NO
    assert "test_select: FAIL" in json.loads(capsys.readouterr().out)["checks"][0]["said"]


def test_a_line_that_no_test_reaches_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["policy", "test", *make_policy(tmp_path, GOOD + "\na := 1\n\nb := 2\n")]) == cli.SAYS_NO
    assert "main.rego: not covered: 23, 25" in capsys.readouterr().out


def test_without_a_policy_there_is_nothing_to_test(tmp_path: Path) -> None:
    assert cli.main(["policy", "test", "--policies", str(tmp_path)]) == cli.USAGE
