"""One walk: which relation each name means, in which role, under the scopes of CTEs."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest
from postgast import pg_query_pb2 as pb

from gateway.sql import grammar
from gateway.sql.places import Places
from gateway.sql.reader import Reading
from gateway.sql.tree import unwrap
from tests.sql.payments import catalog, hazards, one


def references(sql: str) -> list[tuple[str, str]]:
    return [(".".join(reference.written), reference.role) for reference in one(sql).references]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM cards, public.notes n", [("cards", "from"), ("public.notes", "from")]),
        ("SELECT 1 FROM payments.public.cards", [("payments.public.cards", "from")]),
        ("WITH cards AS (SELECT 1) SELECT 1 FROM cards", []),
        ("WITH cards AS (SELECT 1) SELECT 1 FROM public.cards", [("public.cards", "from")]),
        ("WITH a AS (SELECT 1 FROM cards), cards AS (SELECT 1) SELECT 1 FROM a", [("cards", "from")]),
        ("WITH RECURSIVE a AS (SELECT 1 FROM cards), cards AS (SELECT 1) SELECT 1 FROM a", []),
        ("WITH cards AS (SELECT 1 FROM cards) SELECT 1 FROM cards", [("cards", "from")]),
        ("SELECT 1 FROM (WITH cards AS (SELECT 1) SELECT 1 FROM cards) x, cards", [("cards", "from")]),
        ("(WITH cards AS (SELECT 1) TABLE cards) UNION TABLE cards", [("cards", "from")]),
        ("WITH cards AS (SELECT 1) (TABLE cards) UNION TABLE cards", []),
        ("WITH cards AS (SELECT 1) SELECT (SELECT 1 FROM cards)", []),
        ("WITH notes AS (SELECT 1) INSERT INTO notes SELECT 1 FROM notes", [("notes", "target")]),
        ("WITH notes AS (SELECT 1) DELETE FROM notes USING notes x", [("notes", "target")]),
        ("UPDATE notes SET id = 1 FROM cards", [("notes", "target"), ("cards", "from")]),
        ("MERGE INTO notes n USING cards c ON true WHEN MATCHED THEN DELETE", [("notes", "target"), ("cards", "from")]),
        (
            "MERGE INTO notes n USING (TABLE cards) c ON true WHEN MATCHED THEN DELETE",
            [("notes", "target"), ("cards", "from")],
        ),
        ("COPY cards TO STDOUT", [("cards", "copied")]),
        ("UPDATE notes SET (id, body) = (SELECT 1, brand FROM cards)", [("notes", "target"), ("cards", "from")]),
        ("COPY cards FROM STDIN", [("cards", "ddl")]),
        ("LOCK TABLE cards", [("cards", "ddl")]),
        ("CREATE TABLE x (LIKE cards)", [("x", "ddl"), ("cards", "ddl")]),
        ("CREATE VIEW v AS TABLE cards", [("v", "ddl"), ("cards", "from")]),
        ("SELECT 1 INTO x FROM cards", [("cards", "from"), ("x", "ddl")]),
        ("EXPLAIN ANALYZE INSERT INTO notes TABLE notes", [("notes", "target"), ("notes", "from")]),
    ],
)
def test_every_relation_is_found_in_its_role(sql: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(references(sql)) == sorted(expected)


@pytest.mark.parametrize(
    ("sql", "clauses"),
    [
        ("SELECT a FROM t WHERE b GROUP BY c HAVING d ORDER BY e LIMIT f OFFSET g", "abcdefg"),
        ("SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b ORDER BY c)", "abc"),
        ("SELECT 1 FROM t JOIN u ON a = b JOIN v USING (c)", "abc"),
        ("INSERT INTO t(x) VALUES (a) ON CONFLICT (y) DO UPDATE SET x = b WHERE c RETURNING d", "abcdy"),
        ("SELECT a[b:c].d, CASE a WHEN e THEN f END, (g, h) IN (SELECT i), COALESCE(j, k)", "aabcefghijk"),
        ("MERGE INTO t USING u ON a WHEN MATCHED AND b THEN UPDATE SET x = c WHEN NOT MATCHED THEN INSERT VALUES (d)", "abcd"),
        ("SELECT DISTINCT ON (a) 1 FROM f(b) x, XMLTABLE('/' PASSING c COLUMNS y int), LATERAL (SELECT d) z", "abcd"),
        ("SELECT percentile_cont(a) WITHIN GROUP (ORDER BY b) FILTER (WHERE c), GROUPING(d) GROUP BY GROUPING SETS ((d))", "abcdd"),
    ],
)  # fmt: skip
def test_no_column_reference_is_passed_over(sql: str, clauses: str) -> None:
    assert sorted(named.parts[-1] for named in one(sql).named) == sorted(clauses)


def test_parameters_are_counted() -> None:
    assert len(one("SELECT $2 FROM notes WHERE id = $1").statement.parameters) == 2


def test_a_name_that_does_not_stand_where_the_parser_says_is_not_trusted() -> None:
    assert hazards("SELECT 1 FROM cards") == []


def test_a_node_nobody_listed_is_not_passed_over() -> None:
    reading = Reading(catalog(), ("public",), Places(()))
    reading.read(pb.Var())
    assert [hazard.code for hazard in reading.hazards] == ["statement.unanalysable"]


@pytest.mark.parametrize(
    ("sql", "called"),
    [
        ("SELECT 1 WHERE a BETWEEN b AND c", {("<",), ("<=",), (">",), (">=",)}),
        ("SELECT CASE a WHEN b THEN 1 END", {("=",)}),
        ("SELECT JSON_SCALAR(a)", {("json_scalar",)}),
        ("SELECT JSON_OBJECT('a' VALUE b)", {("json_object",)}),
        ("SELECT * FROM JSON_TABLE(a, '$' COLUMNS (x int))", {("json_table",)}),
        ("SELECT JSON_EXISTS(a, '$')", {("json_exists",)}),
        ("SELECT * FROM t JOIN u USING (id)", {("=",)}),
        ("SELECT a FROM t ORDER BY a USING ####", {("####",)}),
    ],
)
def test_what_the_grammar_calls_by_itself_counts_as_a_call(sql: str, called: set[tuple[str, ...]]) -> None:
    tokens = grammar.scan(sql)
    reading = Reading(catalog(), ("public",), Places(tokens))
    reading.read(unwrap(grammar.parse(sql, tokens)[0].stmt))
    assert called <= {call.parts for call in reading.calls}
