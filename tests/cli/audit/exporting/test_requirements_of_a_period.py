"""The matrix never says more than the catalogue allows, and less when something speaks against it."""

import pytest

from gateway.cli.audit.exporting.matrix import NEEDS, SHOWN_BY, Fact, matrix_of, status_of
from gateway.policy.requirements import read_catalogue, shipped_catalogue

CATALOGUE = read_catalogue(shipped_catalogue())


@pytest.mark.parametrize(
    ("shown", "holds", "status"),
    [
        ("evidenced", [True], "evidenced"), ("evidenced", [True, None], "evidenced"),
        ("evidenced", [True, False], "partly"), ("evidenced", [None], "customer"), ("evidenced", [], "customer"),
        ("evidenced", [False], "partly"), ("partly", [True], "partly"), ("partly", [None], "customer"),
        ("customer", [True], "customer"),
    ],
)  # fmt: skip
def test_a_status_is_what_the_facts_allow(shown: str, holds: list[bool | None], status: str) -> None:
    assert status_of(shown, [Fact("x", "y", each) for each in holds]) == status


def test_every_requirement_of_the_catalogue_has_its_facts() -> None:
    known = {each.id for standard in CATALOGUE.standards for each in standard.requirements}
    assert known == set(SHOWN_BY)
    assert set(NEEDS) <= known


def test_what_is_not_governed_does_not_apply() -> None:
    facts = {"sensitive": Fact("6 met", "report/summary.json")}
    rows = matrix_of(
        CATALOGUE, (), {}, facts, governed=frozenset({"cards"}), period="p", bundle="b", decisions=6
    ).rows  # fmt: skip
    states = {row.control.rpartition("/")[2]: row.status for row in rows}
    assert states["3.3.1"] == "not applicable"
    assert states["7.2.6"] == "customer"
    with_cvv = matrix_of(
        CATALOGUE, (), {}, facts, governed=frozenset({"sensitive"}), period="p", bundle="b", decisions=6
    ).rows  # fmt: skip
    assert {row.control.rpartition("/")[2]: row.status for row in with_cvv}["3.3.1"] == "partly"
