"""Each rule has a page, and what the page says of site data is what the build takes."""

from pathlib import Path

import pytest

from gateway.policy.read_site import read_site
from tools import rule_pages

NO_VECTOR = {"access.site_data"}
"""about bundles that cannot be built, so that no engine could be asked"""
RULES = sorted(rule_pages.released())


def test_every_rule_has_an_example_and_every_example_a_rule() -> None:
    assert sorted(rule_pages.examples()) == RULES


@pytest.mark.parametrize("code", RULES)
def test_an_example_is_site_data_or_says_why_there_is_none(code: str, tmp_path: Path) -> None:
    example = rule_pages.examples()[code]
    assert bool(example.none) != bool(example.says)
    assert bool(example.says) == bool(example.access or example.classification)
    (tmp_path / "access.yaml").write_text(example.access, encoding="utf-8")
    (tmp_path / "classification.yaml").write_text(example.classification, encoding="utf-8")
    read_site(tmp_path)


@pytest.mark.parametrize("code", RULES)
def test_every_rule_is_shown_by_a_test_and_by_a_vector(code: str) -> None:
    assert "](../../../rego_tests/" in rule_pages.page(code, "")
    assert any(rule_pages.shown_by(code)) == (code not in NO_VECTOR)


def test_a_page_says_what_why_how_and_by_what() -> None:
    page = rule_pages.page("access.hours", "<!-- generated -->")
    said = ("at this hour", "PCI-DSS-4.0.1/7.2.2", "utc_offset", "hours.rego:", "hours_test.rego", "hours.json")
    assert [each for each in said if each not in page] == []
