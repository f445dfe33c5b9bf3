"""Tests of a policy, tried on spoiled rules."""

import json
from pathlib import Path

import pytest

from gateway.cli import DONE, SAYS_NO, USAGE, main
from gateway.cli.policy.mutating import package_of
from tests.cli.policy.keys import GOOD, TEST, make_policy

WEAK = """\
package gateway.main_test

import data.gateway.main

test_select if main.decision.outcome == "allow" with input.action.name as "select"
"""


def test_what_the_tests_notice_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "mutate", *make_policy(tmp_path)]) == DONE
    assert "100.0 % of" in capsys.readouterr().out


def test_a_line_that_no_test_misses_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "mutate", *make_policy(tmp_path, GOOD, WEAK)]) == SAYS_NO
    said = capsys.readouterr().out
    assert 'main.rego:9: dropped: allowed if input.action.name == "select"' in said


def test_a_survivor_with_a_reason_is_let_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = make_policy(tmp_path, GOOD, WEAK)
    assert main(["policy", "mutate", *options, "--json"]) == SAYS_NO
    _, *survivors = json.loads(capsys.readouterr().out)["checks"][0]["said"].splitlines()
    parts = [line.split(":", 3) for line in survivors]
    names = {f"{file}:{what}:{text}": "nobody asks for anything else" for file, _, what, text in parts}
    assert len(names) == 2
    (tmp_path / "rego_tests" / "mutants.yaml").write_text(json.dumps(names))
    assert main(["policy", "mutate", *options]) == DONE
    assert "2 explained" in capsys.readouterr().out


def test_what_only_the_tests_of_another_package_notice_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = TEST.replace("package gateway.main_test", "package elsewhere_test")
    assert elsewhere != TEST
    assert main(["policy", "mutate", *make_policy(tmp_path, GOOD, elsewhere)]) == DONE
    assert "100.0 % of" in capsys.readouterr().out


def test_the_package_of_a_module_is_the_one_it_declares() -> None:
    assert package_of("# package not.this\npackage gateway.pci.x\n\nimport data.package\n") == "gateway.pci.x"
    assert not package_of("x := 1\n")


def test_vectors_count_as_tests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = make_policy(tmp_path, GOOD, WEAK)
    asked = {"name": "drop", "input": {"action": {"name": "drop"}}, "decision": {"outcome": "deny"}}
    passing = GOOD.replace("if allowed\n", 'if allowed\n\ndecision := {"outcome": "deny"} if not allowed\n')
    (tmp_path / "policies/gateway/main/main.rego").write_text(passing)
    (tmp_path / "rego_tests/vectors").mkdir()
    (tmp_path / "rego_tests/vectors/one.json").write_text(json.dumps({"about": "one", "site": {}, "vectors": [asked]}))
    assert main(["policy", "mutate", *options]) == DONE
    assert "100.0 % of" in capsys.readouterr().out


def test_nothing_to_spoil_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "mutate", *make_policy(tmp_path, GOOD, TEST), "--only", "nothing-like-it"]) == SAYS_NO
    assert "0.0 %" in capsys.readouterr().out


def test_exceptions_that_are_none_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = make_policy(tmp_path)
    (tmp_path / "rego_tests" / "mutants.yaml").write_text("- one\n")
    assert main(["policy", "mutate", *options]) == USAGE
    assert "mutants.yaml:1: " in capsys.readouterr().err


def test_tests_that_fail_already_prove_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "mutate", *make_policy(tmp_path, GOOD, TEST.replace('"allow"', '"deny"'))]) == USAGE
    assert "the tests fail already" in capsys.readouterr().err
