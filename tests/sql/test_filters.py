"""Row filters: one boolean expression over the relation's own columns, behind a fence."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from gateway.core.errors import Refused
from gateway.core.verdict import RowFilter
from gateway.sql.filters import conditions
from tests.sql.payments import catalog, plan


def condition(*sqls: str, relation: str = "customers") -> str:
    found = conditions([RowFilter(schema="public", relation=relation, sql=sql) for sql in sqls], catalog())
    return next(iter(found.values()))


def test_several_filters_must_all_hold() -> None:
    assert condition("id > 1") == "(id > 1)"
    assert condition("name = 'x' OR id = 1", "id > 1", "id > 1") == "(id > 1) AND (name = 'x' OR id = 1)"


@pytest.mark.parametrize(
    "sql",
    ["", "id >", "id > 1; SELECT 1", "id > 1) OR (true", "(id > 1", "id > 1 -- x", "id > 1 /* x */", "id > (SELECT 1)", "EXISTS (SELECT 1)",
     "id = $1", "nosuch > 1", "customers.id > 1", "id > 1 GROUP BY id", "id > 1 UNION SELECT 1", "customers IS NULL", "count(*) OVER () > 1",
     "true) AS x, (SELECT 1"],
)  # fmt: skip
def test_anything_but_one_expression_over_its_columns_is_refused(sql: str) -> None:
    with pytest.raises(Refused, match=r"obligation\.unsupported"):
        condition(sql)


def test_a_filter_on_what_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match=r"obligation\.unsupported"):
        condition("id > 1", relation="nosuch")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM customers FOR UPDATE",
        "EXPLAIN ANALYZE SELECT id FROM customers",
        "EXPLAIN (COSTS) SELECT id FROM customers",
    ],
)
def test_what_reaches_below_the_fence_is_refused(sql: str) -> None:
    with pytest.raises(Refused, match=r"statement\.filter_not_applicable"):
        plan(sql, filters={"public.customers": "id > 1"})


@pytest.mark.parametrize(("sql", "beginning"), [("EXPLAIN SELECT id FROM customers", "EXPLAIN (COSTS OFF) SELECT"), ("EXPLAIN VERBOSE SELECT id FROM customers", "EXPLAIN (COSTS OFF, VERBOSE) SELECT"),
                                                ("EXPLAIN (VERBOSE, SETTINGS) SELECT id FROM customers", "EXPLAIN (COSTS OFF, VERBOSE, SETTINGS) SELECT")])  # fmt: skip
def test_explain_hides_costs(sql: str, beginning: str) -> None:
    assert plan(sql, filters={"public.customers": "id > 1"}).text.startswith(beginning)
