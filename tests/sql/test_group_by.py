"""GROUP BY on a key: what depended on the key is listed, nothing else changes."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from tests.sql.payments import plan


@pytest.mark.parametrize(
    ("sql", "grouped"),
    [
        ("SELECT id, pan, brand FROM cards GROUP BY id", "GROUP BY cards.pan, cards.brand, id"),
        ("SELECT c.pan FROM cards c GROUP BY c.id, c.pan", "GROUP BY c.id, c.pan"),
        ("SELECT x.d FROM cards AS x(a, b, c, d) GROUP BY x.a", "GROUP BY x.d, x.a"),
        ("SELECT pan FROM cards WHERE brand = 'x' GROUP BY id ORDER BY exp_year", "GROUP BY cards.pan, cards.exp_year, id ORDER"),
        ("SELECT max(pan) FROM cards GROUP BY brand", "GROUP BY brand"),
        ("SELECT acct FROM archive.cards GROUP BY id, acct", "GROUP BY id, acct"),
        ("SELECT id, pan FROM cards GROUP BY ALL id", "GROUP BY ALL cards.pan, id"),
        ("SELECT pan FROM cards GROUP BY ROLLUP (id), pan", "GROUP BY ROLLUP (id), pan"),
        ("SELECT count(*) FROM customers c GROUP BY id", "GROUP BY id"),
        ("SELECT c, pan FROM cards c GROUP BY c.id", "c.token, c.*, c.id"),
        ("SELECT row_to_json(cards) FROM cards GROUP BY id ORDER BY 1", "cards.token, cards.*, id ORDER"),
        ("SELECT pan FROM cards c WHERE c IS NOT NULL GROUP BY id", "GROUP BY c.pan, id"),
        ("SELECT c.pan, u.name FROM cards c JOIN customers u ON u.id = c.customer_id GROUP BY c.id, u.id", "GROUP BY c.pan, c.id, u.id"),
    ],
)  # fmt: skip
def test_what_depended_on_the_key_is_listed(sql: str, grouped: str) -> None:
    assert grouped in plan(sql).text
