"""What a name can mean where it stands: too many meanings rather than one too few."""

import pytest

from gateway.sql.bindings import bind, column_behind, entry_of, locations
from tests.sql.payments import one


def meanings(sql: str, name: str) -> list[tuple[str, str | None]]:
    understood = one(sql)
    named = next(found for found in understood.named if ".".join(found.parts) == name)
    return [(binding.entry.name, binding.column) for binding in bind(named, understood.levels)]


@pytest.mark.parametrize(
    ("sql", "name", "expected"),
    [
        ("SELECT pan FROM cards c", "pan", [("c", "pan")]),
        ("SELECT c.pan FROM cards c", "c.pan", [("c", "pan")]),
        ("SELECT c FROM cards c", "c", [("c", None)]),
        ("SELECT c.* FROM cards c, notes n", "c.*", [("c", None)]),
        ("SELECT * FROM cards c, notes n", "*", [("c", None), ("n", None)]),
        ("SELECT id FROM cards c, notes n", "id", [("c", "id"), ("n", "id")]),
        ("SELECT c.row_to_json FROM cards c", "c.row_to_json", [("c", None)]),
        ("SELECT c.ctid FROM cards c", "c.ctid", []),
        ("SELECT x.b FROM cards AS x(a, a2, b)", "x.b", [("x", "pan")]),
        ("SELECT public.cards.pan FROM cards", "public.cards.pan", [("cards", "pan")]),
        ("SELECT archive.cards.pan FROM cards", "archive.cards.pan", []),
        ("SELECT 1 FROM customers u WHERE EXISTS (SELECT 1 FROM cards WHERE id = u.id)", "u.id", [("u", "id")]),
        ("SELECT 1 FROM customers WHERE EXISTS (SELECT id FROM cards)", "id", [("cards", "id"), ("customers", "id")]),
        ("SELECT nosuch FROM cards", "nosuch", []),
    ],
)
def test_a_name_means_every_column_it_may_belong_to(
    sql: str, name: str, expected: list[tuple[str, str | None]]
) -> None:
    assert meanings(sql, name) == expected


def test_the_entry_of_a_reference_is_found() -> None:
    understood = one("SELECT 1 FROM cards c JOIN archive.cards d ON true")
    entries = [entry_of(reference, understood.levels) for reference in understood.references]
    assert [entry.name for entry in entries if entry] == ["c", "d"]
    assert entries[0] is not None
    assert column_behind(entries[0], "pan") == "pan"
    assert column_behind(entries[0], "nosuch") is None


def test_locations_are_those_of_column_references_below() -> None:
    understood = one("SELECT pan, lower(brand) FROM cards")
    assert understood.tree is not None
    assert locations(understood.tree) == {7, 18}
