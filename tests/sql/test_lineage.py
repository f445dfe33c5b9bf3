"""Where a view's columns come from: proven, or said to be unproven."""
# ruff: noqa: E501 -- a table of statements, one a line

from collections.abc import Sequence

import pytest

from gateway.sql.lineage import UnprovenError, called, expression_sources, select_of, view_sources
from gateway.sql.objects import RelationInfo
from tests.sql.payments import catalog


def named(name: Sequence[str]) -> RelationInfo | None:
    return catalog().resolve(name, ("public",))


def lineage(sql: str) -> list[set[str]]:
    found = catalog().relations
    return [
        {next(column.name for column in found[source.relation].columns if column.attnum == source.attnum) + ("~" if not source.exact else "") + ("…" if source.tail else "") for source in sources}
        for _, sources in view_sources(sql, named)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "sources"),
    [
        ("SELECT c.pan, c.brand AS b FROM public.cards c", [{"pan"}, {"brand"}]),
        ("SELECT (c.pan)::text FROM public.cards c", [{"pan"}]),
        ("SELECT (c.pan)::varchar(4) FROM public.cards c", [{"pan~"}]),
        ("SELECT lower(c.pan) FROM public.cards c", [{"pan~"}]),
        ('SELECT "right"(c.pan, 4), "right"(c.pan, 5), "right"(c.pan::text, 1), "right"(c.pan, c.id::int) FROM public.cards c',
         [{"pan~…"}, {"pan~"}, {"pan~…"}, {"pan~", "id~"}]),
        ("SELECT x.a FROM (SELECT c.pan AS a FROM public.cards c) x", [{"pan"}]),
        ("SELECT x.a FROM (SELECT lower(c.pan) AS a FROM public.cards c) x", [{"pan~"}]),
        ("SELECT x.q FROM (SELECT c.pan FROM public.cards c) x(q)", [{"pan"}]),
        ("WITH w(q) AS (SELECT c.pan FROM public.cards c) SELECT w.q FROM w", [{"pan"}]),
        ("WITH RECURSIVE w(q) AS (SELECT c.pan FROM public.cards c UNION SELECT w.q FROM w) SELECT w.q FROM w", [{"pan"}]),
        ("SELECT c.brand FROM public.cards c UNION SELECT d.pan FROM public.cards d", [{"brand", "pan"}]),
        ("SELECT j.q FROM (public.cards c JOIN public.notes n ON true) j(q)", [{"id", "customer_id", "pan", "cvv", "exp_month", "exp_year", "brand", "last4", "token", "body"}]),
        ("SELECT to_jsonb(c.*) FROM public.notes c", [{"id~", "body~"}]),
        ("SELECT c FROM public.notes c", [{"id", "body"}]),
        ("SELECT (SELECT d.pan FROM public.cards d WHERE d.brand = n.body) FROM public.notes n", [{"pan~", "brand~", "body~"}]),
        ("SELECT (SELECT 1 FROM public.cards c JOIN public.notes o ON c.pan = o.body) FROM public.notes n", [{f"{name}~" for name in ("id", "customer_id", "pan", "cvv", "exp_month", "exp_year", "brand", "last4", "token", "body")}]),
        ("SELECT 1", [set()]),
        ("VALUES (1)", [set()]),
        ("SELECT u.u FROM public.cards c, LATERAL unnest(ARRAY[c.pan]) u(u)", [{"pan"}]),
        ("SELECT first_value(c.pan) OVER (ORDER BY c.id) FROM public.cards c", [{"pan~", "id~"}]),
    ],
)  # fmt: skip
def test_each_output_names_its_sources(sql: str, sources: list[set[str]]) -> None:
    assert lineage(sql) == sources


@pytest.mark.parametrize("sql", ["SELECT * FROM public.cards", "SELECT nosuch FROM public.cards", "SELECT 1 FROM nosuch", "SELEC",
                                 "DELETE FROM public.cards", "SELECT 1; SELECT 2", "SELECT c.row_to_json FROM public.cards c"])  # fmt: skip
def test_what_is_not_followed_is_unproven(sql: str) -> None:
    with pytest.raises(UnprovenError):
        view_sources(sql, named)


def test_a_generated_column_names_what_it_is_made_of() -> None:
    cards = named(("cards",))
    assert cards is not None
    (source,) = expression_sources('"right"(pan, 4)', cards)
    assert source.tail
    (source,) = expression_sources("reverse(pan)", cards)
    assert not source.tail
    assert not source.exact


def test_called_functions_are_named_as_written() -> None:
    assert called("SELECT lower(x), public.f(1) FROM t") == {("lower",), ("public", "f")}
    assert select_of("SELECT 1").target_list
