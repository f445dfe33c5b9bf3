"""Outcomes of foreign suites are read from their reports and compared; a difference without a reason is seen."""

import json
from pathlib import Path

from tests.conformance.suites import outcomes
from tests.conformance.suites.outcomes import FAILED, PASSED, SKIPPED


def event(action: str, test: str, package: str = "github.com/jackc/pgx/v5/pgconn") -> str:
    return json.dumps({"Action": action, "Package": package, "Test": test})


def test_a_go_test_that_never_ended_has_failed() -> None:
    lines = [
        "# not json",
        event("run", "A"),
        event("run", "B"),
        event("pass", "A"),
        event("run", "C"),
        event("skip", "C"),
    ]
    assert outcomes.of_go(lines) == {"pgconn:A": PASSED, "pgconn:B": FAILED, "pgconn:C": SKIPPED}


def test_the_worse_of_two_reports_of_one_test_counts(tmp_path: Path) -> None:
    case = '<testcase classname="m.K" name="{}">{}</testcase>'
    cases = [case.format("a", ""), case.format("a", "<failure/>"), case.format("b", "<skipped/>"), case.format("c", "")]
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>", encoding="utf-8")
    assert outcomes.of_junit(path) == {"m.K:a": FAILED, "m.K:b": SKIPPED, "m.K:c": PASSED}


def test_a_difference_without_a_reason_is_unexplained() -> None:
    direct = {"a": PASSED, "b": PASSED, "b/part": PASSED, "c": PASSED, "d": FAILED}
    through = {"a": PASSED, "b": FAILED, "b/part": FAILED, "d": FAILED}
    seen = outcomes.Comparison("x", direct, through, {"b": "as designed"})
    assert seen.lost == ["b", "b/part", "c"]
    assert seen.unexplained == ["c"]
    assert seen.share == 0.25
    assert "c: UNEXPLAINED" in seen.table()


def test_the_function_of_a_test_is_what_runs_it_again() -> None:
    assert outcomes.function_of("pgconn:TestA/part/of") == "TestA"
    assert outcomes.function_of("test.m.Class:test_b[x:y/z]") == "test_b"


def test_every_expected_difference_is_of_a_test_that_passes_directly() -> None:
    for suite in ("pgx", "asyncpg", "sqlalchemy"):
        passed = {name for name, outcome in outcomes.read_baseline(suite).items() if outcome == PASSED}
        unknown = [name for name in outcomes.expected(suite) if not any(test.startswith(name) for test in passed)]
        assert unknown == []
