"""Requirements that rules name, and what is said of one that nobody knows."""

from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.policy.build import read_bundle_files, reference_base
from gateway.policy.bundle import read_contents
from gateway.policy.requirements import Catalogue, read_catalogue, shipped_catalogue


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(shipped_catalogue())


def test_every_requirement_that_a_released_rule_names_is_known(catalogue: Catalogue) -> None:
    rules = read_contents(read_bundle_files(reference_base())).metadata.querywarden.rules
    assert [catalogue.wrong(control) for rule in rules for control in rule.controls if catalogue.wrong(control)] == []


@pytest.mark.parametrize(
    ("control", "said"),
    [
        ("PCI-DSS-4.0.1/7.1", "7.1 is of a version before 4.0.1; write PCI-DSS-4.0.1/7.2.1 or PCI-DSS-4.0.1/7.2.2"),
        ("PCI-DSS-3.2.1/10.1", "10.1 is of a version before 4.0.1; write PCI-DSS-4.0.1/10.2.1"),
        ("PCI-DSS-4.0/3.4.1", "the catalogue is of 4.0.1; write PCI-DSS-4.0.1/3.4.1"),
        ("PCI-DSS-4.0.1/7.2.9", "PCI DSS 4.0.1 has no 7.2.9 here; did you mean PCI-DSS-4.0.1/7.2."),
        ("ISO-27001/5.1", "no catalogue knows ISO-27001"),
        ("3.4.1", "no catalogue knows 3.4.1"),
    ],
)
def test_an_unknown_or_retired_requirement_is_named_with_a_suggestion(
    catalogue: Catalogue, control: str, said: str
) -> None:
    found = catalogue.wrong(control)
    assert found is not None
    assert said in found


def test_every_requirement_says_what_is_left_to_the_customer(catalogue: Catalogue) -> None:
    assert [each.id for standard in catalogue.standards for each in standard.requirements if not each.owes] == []


@pytest.mark.parametrize("text", ["a: [", "standard: PCI\n", "- 1\n"])
def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml:\d+: "):
        read_catalogue(tmp_path)


def test_no_catalogue_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no catalogue"):
        read_catalogue(tmp_path)
