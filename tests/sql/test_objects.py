"""Objects of the snapshot answer by exact names."""

from tests.sql.payments import catalog


def test_a_relation_knows_its_name_labels_and_columns() -> None:
    cards = catalog().resolve(("cards",), ("public",))
    assert cards is not None
    assert (cards.qualified, cards.labels) == ("public.cards", ("cvv", "pan"))
    pan = cards.column("pan")
    assert pan is not None
    assert (pan.type, pan.not_null, pan.exact) == ("text", True, True)
    assert cards.column("PAN") is None
