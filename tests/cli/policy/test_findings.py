"""Findings as build servers and code reviews read them."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gateway.cli import DONE, SAYS_NO, main
from gateway.cli.policy.findings import junit_xml, sarif_json
from gateway.cli.policy.reporting import Check
from tests.cli.policy.keys import GOOD, TEST, make_policy

CHECKS = [
    Check(name="format", ok=True),
    Check(name="meta", ok=False, said="policies/a.rego:7: a <title> is missing\npolicies/b.rego:9:2: \x1b[2J"),
    Check(name="strict", ok=False, said="1 error occurred"),
]


def test_junit_has_a_case_for_each_check_and_hostile_texts_are_texts() -> None:
    suite = ET.fromstring(junit_xml(CHECKS))[0]  # noqa: S314 -- our own text
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert [case.get("name") for case in suite] == ["format", "meta", "strict"]
    assert "<title>" in (suite[1][0].text or "")
    assert "\x1b" not in junit_xml(CHECKS)


def test_sarif_has_a_result_for_each_place() -> None:
    run = json.loads(sarif_json(CHECKS))["runs"][0]
    places = [
        (place["artifactLocation"]["uri"], place["region"]["startLine"])
        for result in run["results"]
        for place in [each["physicalLocation"] for each in result.get("locations", [])]
    ]
    assert places == [("policies/a.rego", 7), ("policies/b.rego", 9)]
    assert [result["ruleId"] for result in run["results"]] == ["policy/meta", "policy/meta", "policy/strict"]


def test_a_policy_that_passes_has_no_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(tmp_path / "found.xml"), str(tmp_path / "found.sarif")]
    options = ["--junit", files[0], "--sarif", files[1]]
    assert main(["policy", "test", *make_policy(tmp_path), *options]) == DONE
    capsys.readouterr()
    names = [case.get("name") for case in ET.parse(files[0]).getroot()[0]]  # noqa: S314 -- our own
    assert names == ["gateway.main_test.test_nothing_else", "gateway.main_test.test_select", "tests", "coverage"]
    assert json.loads(Path(files[1]).read_text())["runs"][0]["results"] == []


def test_a_test_that_fails_has_its_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = make_policy(tmp_path, GOOD, TEST.replace('"allow"', '"deny"'))
    assert main(["policy", "test", *options, "--sarif", str(tmp_path / "found.sarif")]) == SAYS_NO
    capsys.readouterr()
    results = json.loads((tmp_path / "found.sarif").read_text())["runs"][0]["results"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("main_test.rego")
    assert place["region"]["startLine"] == 5
