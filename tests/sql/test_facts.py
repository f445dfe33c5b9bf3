"""Relations and columns of a statement, as policy sees them."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from tests.sql.payments import one


def columns(sql: str) -> dict[str, tuple[str, ...]]:
    return {f"{c.schema}.{c.relation}.{c.name}": c.clauses for c in one(sql).statement.columns}


def relations(sql: str) -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return {f"{r.schema}.{r.name}": (r.kind, r.access, r.via) for r in one(sql).statement.relations}


def test_columns_are_named_with_the_clauses_they_stand_in() -> None:
    sql = "SELECT pan FROM cards c WHERE brand = 'x' GROUP BY pan, exp_year HAVING max(exp_month) > 1 ORDER BY exp_year"
    assert columns(sql) == {
        "public.cards.pan": ("group", "select"),
        "public.cards.brand": ("where",),
        "public.cards.exp_year": ("group", "order"),
        "public.cards.exp_month": ("having",),
    }


@pytest.mark.parametrize("sql", ["SELECT * FROM archive.cards", "SELECT c FROM archive.cards c", "SELECT c.* FROM archive.cards c",
                                 "TABLE archive.cards", "SELECT to_jsonb(cards) FROM archive.cards", "SELECT 1 FROM archive.cards NATURAL JOIN notes"])  # fmt: skip
def test_a_star_or_a_whole_row_names_every_column(sql: str) -> None:
    assert {"archive.cards.id", "archive.cards.acct"} <= set(columns(sql))


def test_labels_come_with_columns_and_relations() -> None:
    statement = one("SELECT account_ref FROM v_cards").statement
    assert [column.labels for column in statement.columns] == [("pan",)]
    assert {relation.name: relation.labels for relation in statement.relations} == {
        "cards": ("cvv", "pan"),
        "v_cards": ("pan",),
    }


def test_views_are_followed_to_what_they_read() -> None:
    assert relations("SELECT x FROM v_cards2") == {
        "public.v_cards2": ("view", ("read",), ()),
        "public.v_cards": ("view", ("read",), ("public.v_cards2",)),
        "public.cards": ("table", ("read",), ("public.v_cards2",)),
    }


def test_reading_and_writing_are_told_apart() -> None:
    assert relations("UPDATE notes SET body = brand FROM cards") == {
        "public.notes": ("table", ("write",), ()),
        "public.cards": ("table", ("read",), ()),
    }
    assert relations("INSERT INTO notes SELECT * FROM notes") == {"public.notes": ("table", ("read", "write"), ())}


def test_what_the_snapshot_does_not_know_is_said() -> None:
    assert relations("SELECT * FROM nosuch") == {"public.nosuch": ("unknown", ("read",), ())}
    assert relations("SELECT * FROM pg_toast.pg_toast_1262") == {"pg_toast.pg_toast_1262": ("system", ("read",), ())}
    assert relations("SELECT * FROM pg_temp.x") == {"pg_temp.x": ("unknown", ("read",), ())}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("INSERT INTO archive.cards(acct) VALUES ('x')", {"archive.cards.acct": ("insert",)}),
        ("INSERT INTO archive.cards VALUES (1, 'x')", {"archive.cards.acct": ("insert",), "archive.cards.id": ("insert",)}),
        ("UPDATE archive.cards SET acct = 'x'", {"archive.cards.acct": ("set",)}),
        ("INSERT INTO num_cards(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET pan = 1", {"public.num_cards.id": ("insert", "where"), "public.num_cards.pan": ("set",)}),
        ("MERGE INTO archive.cards c USING notes n ON true WHEN MATCHED THEN UPDATE SET acct = 'x'", {"archive.cards.acct": ("set",)}),
        ("MERGE INTO archive.cards c USING notes n ON true WHEN NOT MATCHED THEN INSERT (acct) VALUES ('x')", {"archive.cards.acct": ("insert",)}),
        ("MERGE INTO archive.cards c USING notes n ON true WHEN NOT MATCHED THEN INSERT VALUES (1)", {"archive.cards.acct": ("insert",), "archive.cards.id": ("insert",)}),
        ("COPY archive.cards TO STDOUT", {"archive.cards.acct": ("select",), "archive.cards.id": ("select",)}),
        ("COPY archive.cards (acct) FROM STDIN", {"archive.cards.acct": ("insert",)}),
        ("COPY nosuch TO STDOUT", {}),
    ],
)  # fmt: skip
def test_what_is_written_is_named(sql: str, expected: dict[str, tuple[str, ...]]) -> None:
    assert columns(sql) == expected


def test_column_aliases_are_looked_through() -> None:
    assert columns("SELECT x.c FROM cards AS x(a, b, c)") == {"public.cards.pan": ("select",)}
    named = columns("SELECT q FROM pg_stats AS s(a, b, c, d, e, f, g, q)")
    assert named == {"pg_catalog.pg_stats.most_common_vals": ("select",)}


def test_an_outer_query_is_looked_into_only_when_the_inner_one_does_not_know_the_name() -> None:
    assert columns("SELECT 1 FROM customers u WHERE EXISTS (SELECT 1 FROM cards WHERE brand = u.name)") == {
        "public.cards.brand": ("where",),
        "public.customers.name": ("where",),
    }
    assert columns("SELECT 1 FROM cards WHERE EXISTS (SELECT 1 FROM archive.cards WHERE id = 1)") == {
        "archive.cards.id": ("where",)
    }


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT j.a FROM (cards c CROSS JOIN customers u) AS j(a)",
        "SELECT a FROM (cards c CROSS JOIN customers u) AS j(a)",
        "SELECT j FROM (cards c CROSS JOIN customers u) AS j",
        "SELECT j.pan FROM (cards c CROSS JOIN customers u) AS j",
        "SELECT (SELECT pan FROM customers pan LIMIT 1) FROM cards",
        "INSERT INTO cards(id) VALUES (1) ON CONFLICT (pan) DO NOTHING",
    ],
)
def test_a_column_is_a_fact_by_whatever_name_it_goes(sql: str) -> None:
    """Found by holding the facts against the server's own parse trees: test_readers_on_a_server.py."""
    assert "public.cards.pan" in columns(sql)


def test_a_name_that_nothing_has_is_left_for_the_server_to_refuse() -> None:
    found = one("SELECT c.nosuch FROM cards c")
    assert not found.statement.hazards
    assert {"public.cards.pan", "public.cards.cvv"} <= set(columns("SELECT c.nosuch FROM cards c"))


def test_attribute_notation_reads_the_whole_row() -> None:
    assert {"public.cards.pan", "public.cards.cvv"} <= set(columns("SELECT c.row_to_json FROM cards c"))
