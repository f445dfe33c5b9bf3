"""What may be evaluated beside a row filter: comparisons with constants by operators that tell nothing."""
# ruff: noqa: E501, S608 -- tables of statements, one a line

import pytest

from tests.sql.payments import plan

FILTER = {"public.customers": "id > 1"}


def below(sql: str, **more: str) -> list[str]:
    """What stands below the fence besides the filter."""
    text = plan(sql, filters=more or FILTER).text
    return text[text.index("> 1))") + 5 : text.index(" OFFSET 0")].split(" AND ")[1:]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("id = 3", ["id OPERATOR(pg_catalog.=) 3"]), ("3 < id", ["3 OPERATOR(pg_catalog.<) id"]), ("name = 'O''x'", ["\"name\" OPERATOR(pg_catalog.=) 'O''x'"]),
        ("id = -3 AND name <> 'x'", ["\"name\" OPERATOR(pg_catalog.<>) 'x'", "id OPERATOR(pg_catalog.=) -3"]), ("c.id >= 1 AND lower(name) = 'x'", ["id OPERATOR(pg_catalog.>=) 1"]),
        ("id = $1", ["id OPERATOR(pg_catalog.=) $1"]), ("id = $1 AND $1 > 5", []), ("(id = 1 AND (c.id = 2))", ["id OPERATOR(pg_catalog.=) 1", "id OPERATOR(pg_catalog.=) 2"]),
        ("id = 3 OR id = 4", []), ("NOT id = 3", []), ("id = 1.5", []), ("id + 1 = 3", []), ("id = id", []), ("name LIKE 'x%'", []), ("name = 'a\\b'", []), ("id = '3'::int", []),
        ("id IN (1, 2)", []), ("id = ANY (ARRAY[1])", []), ("id IS NULL", []), ("id BETWEEN 1 AND 2", []), ("name ~ 'x'", []), ("name ~~ 'x%%'", []), ("name || 'x' = 'y'", []), ("id %% 1", []), ("id = (SELECT 1)", []), ("nosuch = 1", []),
    ],
)  # fmt: skip
def test_only_what_tells_nothing_goes_below(where: str, expected: list[str]) -> None:
    assert below(f"SELECT 1 FROM customers c WHERE {where.replace('%%', '%')}") == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT 1 FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.id = 3",
            ["id OPERATOR(pg_catalog.=) 3"],
        ),
        ("SELECT 1 FROM customers AS c(k) WHERE k = 3", ["id OPERATOR(pg_catalog.=) 3"]),
        ("SELECT 1 FROM customers c, orders o WHERE id = 3", []),
        ("SELECT 1 FROM customers c, (SELECT 1 AS x) o WHERE id = 3", []),
        ("SELECT 1 FROM customers c, (SELECT 1 AS x) o WHERE c.id = 3", ["id OPERATOR(pg_catalog.=) 3"]),
        ("SELECT 1 FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE c.id = 3)", []),
        ("SELECT 1 FROM customers c GROUP BY id HAVING id = 3", []),
        ("SELECT 1 FROM orders c WHERE c.id = 3 AND EXISTS (SELECT 1 FROM customers)", []),
        ("SELECT 1 FROM customers c JOIN orders o ON c.id = 3", []),
    ],
)
def test_only_conditions_of_its_own_query_level_go_below(sql: str, expected: list[str]) -> None:
    assert below(sql) == expected


def test_a_masked_column_is_compared_above_the_fence_only() -> None:
    """The agent compares with the mask; the stored value is another one."""
    assert below(
        "SELECT 1 FROM cards WHERE pan = '4111111111111111' AND brand = 'x'", **{"public.cards": "id > 1"}
    ) == ["brand OPERATOR(pg_catalog.=) 'x'"]
