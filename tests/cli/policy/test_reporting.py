"""What the commands found, for people and for programs."""

import json

import pytest

from gateway.cli.policy.reporting import SAYS_NO, SAYS_YES, Check, report, show

CHECKS = [Check(name="format", ok=True), Check(name="tests", ok=False, said="one failed\nx.rego:3")]


def test_one_failure_says_no_and_shows_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(CHECKS, as_json=False) == SAYS_NO
    assert capsys.readouterr().out == "ok      format\nFAILED  tests: one failed\n        x.rego:3\n"


def test_all_fine_says_yes(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(CHECKS[:1], as_json=True) == SAYS_YES
    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "checks": [{"name": "format", "ok": True, "said": ""}],
    }


def test_facts_stand_in_two_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show({"a": 1, "long": None, "no": False}, as_json=False)
    assert capsys.readouterr().out == "a     1\nlong  -\nno    False\n"
