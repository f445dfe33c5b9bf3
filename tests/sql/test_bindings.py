"""What a name can mean where it stands: too many meanings rather than one too few."""

import pytest

from gateway.sql.bindings import bind, entry_of, locations
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
        ("SELECT j.pan FROM (cards c JOIN notes n ON true) AS j", "j.pan", [("c", "pan")]),
        ("SELECT j FROM (cards c JOIN notes n ON true) AS j", "j", [("c", None), ("n", None)]),
        ("SELECT j.* FROM (cards c JOIN (notes n JOIN tags t ON true) ON true) j", "j.*", [(e, None) for e in "cnt"]),
        (
            "SELECT j.z FROM (notes n JOIN notes m ON true) AS j(x, y, z)",
            "j.z",
            [(e, c) for e in "nm" for c in ("id", "body")],
        ),
        (
            "SELECT z FROM (notes n JOIN notes m ON true) AS j(x, y, z)",
            "z",
            [(e, c) for e in "nm" for c in ("id", "body")],
        ),
        ("SELECT j.id FROM cards c JOIN notes n USING (id) AS j", "j.id", [("c", "id"), ("n", "id")]),
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
    assert [column for _, column in entries[0].named("pan")] == ["pan"]
    assert list(entries[0].named("nosuch")) == []


def test_locations_are_those_of_column_references_below() -> None:
    understood = one("SELECT pan, lower(brand) FROM cards")
    assert understood.tree is not None
    assert locations(understood.tree) == {7, 18}
