"""References stay bare only where no protected column can be reached through them."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from tests.sql.payments import plan


@pytest.mark.parametrize(
    "sql",
    ["SELECT id FROM cards", "SELECT c.id, u.name FROM cards c JOIN customers u ON u.id = c.customer_id", "SELECT count(*) FROM cards",
     "SELECT ctid FROM cards", "SELECT 1 FROM cards WHERE EXISTS (SELECT 1 FROM archive.cards a WHERE a.id = cards.id)",
     "SELECT customers.id FROM customers, cards GROUP BY customers.id", "SELECT id FROM cards FOR UPDATE"],
)  # fmt: skip
def test_harmless_names_leave_the_statement_as_it_is(sql: str) -> None:
    assert plan(sql).text == sql


@pytest.mark.parametrize(
    "sql",
    ["SELECT pan FROM cards", "SELECT * FROM cards", "SELECT c FROM cards c", "SELECT id FROM cards ORDER BY cvv", "TABLE cards",
     "SELECT 1 FROM cards JOIN archive.cards a USING (acct)", "SELECT 1 FROM customers NATURAL JOIN cards", "SELECT nosuch FROM cards",
     "SELECT a FROM cards AS c(a)", "SELECT (c).id FROM cards c", "SELECT x.id FROM cards", "SELECT row(c.*) FROM cards c",
     "SELECT j.brand FROM (cards c JOIN customers u ON u.id = c.customer_id) AS j(a, b, brand)", "SELECT token FROM (cards c CROSS JOIN notes n) AS j(a, b, token)",
     "CREATE TEMP VIEW v AS SELECT id FROM cards", "SELECT id FROM cards WHERE cards IS NULL"],
)  # fmt: skip
def test_anything_else_is_spliced(sql: str) -> None:
    assert "public.cards)" in plan(sql).text


def test_a_filtered_relation_is_never_left_bare() -> None:
    assert "OFFSET 0" in plan("SELECT id FROM customers", filters={"public.customers": "id > 1"}).text
