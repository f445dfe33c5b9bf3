"""The splice: the sub-select, the names it goes by, and what cannot be spliced."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from gateway.core.errors import Refused
from tests.sql.payments import plan


@pytest.mark.parametrize(
    ("sql", "beginning", "end"),
    [
        ("SELECT public.cards.pan FROM public.cards WHERE public.cards.id = 1", "SELECT cards.pan FROM (", ") AS cards WHERE cards.id = 1"),
        ("SELECT payments.public.cards.pan FROM payments.public.cards", "SELECT cards.pan FROM (", ") AS cards"),
        ("SELECT public.cards.* FROM cards", "SELECT cards.* FROM (", ") AS cards"),
        ('SELECT pan FROM cards "a b"', "SELECT pan FROM (", ') "a b"'),
        ("SELECT pan FROM cards , notes", "SELECT pan FROM (", ") AS cards , notes"),
    ],
)  # fmt: skip
def test_names_lose_their_schema_and_keep_their_alias(sql: str, beginning: str, end: str) -> None:
    found = plan(sql).text
    assert found.startswith(beginning)
    assert found.endswith(end)


def test_two_relations_of_one_name_get_names_nobody_uses() -> None:
    sql = "SELECT public.cards.pan, archive.cards.acct, cards_public_1.id FROM public.cards, archive.cards, notes cards_public_1"
    found = plan(sql).text
    assert found.startswith("SELECT cards_public_2.pan, cards_archive_1.acct, cards_public_1.id FROM (")


def test_a_query_inside_tablesample_is_refused() -> None:
    with pytest.raises(Refused, match=r"statement\.cannot_rewrite"):
        plan("SELECT pan FROM cards TABLESAMPLE SYSTEM ((SELECT count(pan) FROM cards))")


def test_columns_keep_the_order_of_the_relation() -> None:
    shown = plan("SELECT * FROM archive.cards").text
    assert shown.index("SELECT id") < shown.index("AS acct")


def test_rows_a_filter_hides_do_not_come_in_through_a_relative() -> None:
    for sql in ("SELECT * FROM v_order_summary", "SELECT id FROM card_parts_2024"):
        with pytest.raises(Refused, match=r"statement\.filter_not_applicable"):
            plan(sql, filters={"public.customers": "id > 1", "public.card_parts": "id > 1"})
