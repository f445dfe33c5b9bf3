"""docs/reference/card-scan.md says of issuers and rates what the program and its tests say."""

from pathlib import Path

import pytest

from gateway.core.cards import SCHEMES, Scheme
from tests.support.card_rates import RATES

PAGE = (Path(__file__).parents[2] / "docs/reference/card-scan.md").read_text(encoding="utf-8").splitlines()


def lengths(scheme: Scheme) -> str:
    if isinstance(scheme.lengths, range):
        return f"{scheme.lengths.start} to {scheme.lengths.stop - 1}"
    return ", ".join(map(str, scheme.lengths))


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.names)
def test_every_issuer_stands_in_the_page(scheme: Scheme) -> None:
    prefixes = ", ".join(f"`{prefix}`" for prefix in scheme.prefixes.split("|"))
    assert f"| {scheme.names} | {prefixes} | {lengths(scheme)} |" in PAGE


@pytest.mark.parametrize("name", RATES)
def test_every_rate_stands_in_the_page_as_it_is_measured(name: str) -> None:
    _, stored, said = RATES[name]
    assert f"| {name} | {stored} | {said} |" in PAGE


def test_no_issuer_and_no_rate_is_there_that_is_gone() -> None:
    rows = [line.split(" | ")[0].removeprefix("| ") for line in PAGE if line.startswith("| ") and "---" not in line]
    known = {scheme.names for scheme in SCHEMES} | set(RATES)
    assert known <= set(rows)
    assert [row for row in rows if row.startswith(("random", "moments", "order")) and row not in known] == []
