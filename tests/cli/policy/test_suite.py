"""The checks of a policy, each by itself."""

from pathlib import Path

import pytest

from gateway.cli.policy import suite
from gateway.core.errors import ConfigError
from gateway.policy.compiler import Opa
from tests.cli.policy.keys import GOOD, make_policy


@pytest.fixture
def place(tmp_path: Path) -> Path:
    make_policy(tmp_path)
    return tmp_path


def test_compiling_counts_what_it_found(place: Path) -> None:
    found = suite.compiled(Opa.find(), place / "policies")
    assert (found.ok, found.said) == (True, "1 rules, 1 paths of the input read")


def test_a_policy_without_a_folder_of_tests_has_no_tests(place: Path) -> None:
    assert not suite.tested(Opa.find(), place / "policies", place / "gone").ok
    assert not suite.covered(Opa.find(), place / "policies", place / "gone").ok


def test_what_opa_cannot_load_has_no_coverage(place: Path) -> None:
    (place / "rego_tests" / "broken.rego").write_text("package\n")
    found = suite.covered(Opa.find(), place / "policies", place / "rego_tests")
    assert not found.ok
    assert "broken.rego" in found.said


def test_the_format_of_tests_counts_too(place: Path) -> None:
    (place / "rego_tests" / "odd.rego").write_text("package odd\nx   := 1\n")
    found = suite.form(Opa.find(), place / "policies", place / "rego_tests")
    assert (found.ok, "odd.rego" in found.said) == (False, True)


def test_a_type_error_is_found_with_the_schema_of_the_input(place: Path) -> None:
    rego = place / "policies" / "gateway" / "main" / "main.rego"
    rego.write_text(GOOD.replace("input.action.name", "input.action.name.first"))
    assert not suite.types(Opa.find(), place / "policies").ok


def test_no_policy_is_a_mistake_of_whoever_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        suite.require_policy(tmp_path)


def test_rules_about_the_configuration_are_tested_in_full(place: Path) -> None:
    for name in ("policies", "rego_tests"):
        (place / name / "config").mkdir()
    (place / "policies/config/config.rego").write_text('package main\n\ndeny contains "x" if input.x\n')
    test = place / "rego_tests/config/config_test.rego"
    test.write_text("package main_test\n\nimport data.main\n\ntest_x if count(main.deny) == 1 with input.x as true\n")
    assert suite.configured(Opa.find(), place / "policies", place / "rego_tests").ok
    test.write_text("package main_test\n\nimport data.main\n\ntest_x if count(main.deny) == 0\n")
    assert not suite.configured(Opa.find(), place / "policies", place / "rego_tests").ok


def test_a_requirement_that_nobody_knows_is_found_where_it_is_named(place: Path) -> None:
    rego = place / "policies" / "gateway" / "main" / "main.rego"
    assert suite.requirements(Opa.find(), place / "policies", place / "rego_tests").ok
    rego.write_text(GOOD.replace("PCI-DSS-4.0.1/7.2.1", "PCI-DSS-4.0.1/7.1"))
    found = suite.requirements(Opa.find(), place / "policies", place / "rego_tests")
    assert (found.ok, "main.rego:" in found.said, "write PCI-DSS-4.0.1/7.2.1" in found.said) == (False, True, True)
