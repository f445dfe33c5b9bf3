"""A labelled column is raw only when policy was asked about it and left it unmasked; what is never shown is NULL."""

import pytest

from gateway.core.errors import Refused
from gateway.core.statement import Column
from gateway.core.verdict import Mask, Obligations
from gateway.sql.visibility import visibility
from tests.sql.payments import catalog


def column(name: str) -> Column:
    return Column(schema="public", relation="cards", name=name, clauses=("select",))


def methods(asked: list[str], masks: dict[str, str]) -> dict[str, str | None]:
    obligations = Obligations(
        masks=tuple(Mask(schema="public", relation="cards", column=c, method=m) for c, m in masks.items())
    )
    seen = visibility([column(name) for name in asked], obligations, catalog())
    cards = catalog().resolve(("cards",), ("public",))
    assert cards is not None
    found = {info.name: seen.method(cards, info) for info in cards.columns}
    assert seen.concerns(cards) == any(method is not None for method in found.values())
    assert {mask.column: mask.method for mask in seen.masked(cards)} == {
        name: how for name, how in found.items() if how is not None
    }
    return {name: found[name] for name in ("pan", "cvv", "brand")}


@pytest.mark.parametrize(
    ("asked", "masks", "expected"),
    [
        ([], {}, {"pan": "null", "cvv": "null", "brand": None}),
        (["pan"], {"pan": "last4"}, {"pan": "last4", "cvv": "null", "brand": None}),
        (["pan"], {}, {"pan": None, "cvv": "null", "brand": None}),
        (["pan", "cvv"], {"cvv": "last4"}, {"pan": None, "cvv": "null", "brand": None}),
        (["brand"], {"brand": "fixed"}, {"pan": "null", "cvv": "null", "brand": "fixed"}),
    ],
)
def test_each_column_has_its_method(asked: list[str], masks: dict[str, str], expected: dict[str, str | None]) -> None:
    assert methods(asked, masks) == expected


def test_only_cleared_columns_may_arrive_raw() -> None:
    seen = visibility([column("pan"), column("cvv"), column("brand")], Obligations(), catalog())
    cards = catalog().resolve(("cards",), ("public",))
    assert cards is not None
    pan = cards.column("pan")
    assert pan is not None
    assert seen.cleared(catalog()) == {(cards.oid, pan.attnum)}
    hidden = Obligations(masks=(Mask(schema="public", relation="cards", column="pan", method="last4"),))
    assert visibility([column("pan")], hidden, catalog()).cleared(catalog()) == frozenset()


def test_a_mask_on_what_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match=r"obligation\.unsupported"):
        visibility([], Obligations(masks=(Mask(schema="public", relation="x", column="y", method="null"),)), catalog())
