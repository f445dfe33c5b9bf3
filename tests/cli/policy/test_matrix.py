"""The matrix of a bundle over a log."""

import csv
import json
from pathlib import Path

import msgspec
import pytest

from gateway.cli import DONE, SAYS_NO, USAGE, main
from gateway.policy.archive import write_archive
from gateway.policy.build import read_bundle_files, reference_base
from gateway.policy.bundle import read_contents
from gateway.policy.digests import MANIFEST
from gateway.policy.manifest import Metadata, write_manifest
from tests.cli.audit.world import written

ROOT = Path(__file__).resolve().parents[3]
TESTS = str(ROOT / "rego_tests")


def rows(text: str) -> dict[str, dict[str, object]]:
    return {row["control"]: row for row in json.loads(text)["rows"]}


def test_a_rule_that_decided_makes_its_requirement_exercised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past = written(tmp_path)
    assert main(["policy", "matrix", "--tests", TESTS, "--data", str(past.folder), "--json"]) == DONE
    found = rows(capsys.readouterr().out)
    assert found["PCI-DSS-4.0.1/3.4.1"]["state"] == "enforced+tested+exercised"
    assert found["PCI-DSS-4.0.1/12.2.1"]["state"] == "enforced+tested"
    assert found["PCI-DSS-4.0.1/10.3.2"]["state"] == "mapped only"


def test_without_a_log_nothing_is_exercised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["policy", "matrix", "--tests", TESTS, "--json"]) == DONE
    assert "enforced+tested+exercised" not in {row["state"] for row in rows(capsys.readouterr().out).values()}


def test_every_rule_of_the_release_is_tested_by_a_vector_or_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["policy", "matrix", "--tests", TESTS, "--json"])
    rules = [rule for row in json.loads(capsys.readouterr().out)["rows"] for rule in row["rules"]]
    assert {rule["code"] for rule in rules if not rule["tests"] and not rule["vectors"]} == set()


def test_each_file_is_written_in_the_form_its_name_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        main(["policy", "matrix", "--tests", TESTS, "-o", "m.html", "-o", "m.csv", "-o", "m.md", "-o", "m.json"])
        == DONE
    )
    assert capsys.readouterr().out == ""
    assert Path("m.html").read_text().startswith("<!doctype html>")
    assert next(csv.reader(Path("m.csv").read_text().splitlines()))[0] == "requirement"
    assert Path("m.md").read_text().startswith("# Requirements")
    assert json.loads(Path("m.json").read_text())["revision"]


def test_a_rule_that_names_an_unknown_requirement_is_a_finding_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = read_bundle_files(reference_base())
    manifest = read_contents(files)
    ours = manifest.metadata.querywarden
    rule = msgspec.structs.replace(ours.rules[0], controls=("PCI-DSS-3.2.1/7.1",))
    ours = msgspec.structs.replace(ours, rules=(rule, *ours.rules[1:]))
    changed = msgspec.structs.replace(manifest, metadata=Metadata(querywarden=ours))
    Path("b.tar.gz").write_bytes(write_archive({**files, MANIFEST: write_manifest(changed)}))
    assert main(["policy", "matrix", "--tests", TESTS, "--bundle", "b.tar.gz"]) == SAYS_NO
    said = capsys.readouterr()
    assert f"{rule.file}:{rule.line}: {rule.code}: PCI-DSS-3.2.1/7.1: 7.1 is of a version before 4.0.1" in said.err
    assert "## Findings" in said.out


def test_another_suffix_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["policy", "matrix", "--tests", TESTS, "-o", "m.pdf"]) == USAGE
    assert ".html, .csv, .md or .json" in capsys.readouterr().err
