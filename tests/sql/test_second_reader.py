"""A second reader agrees on the relations, or a governed statement is not let through."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from gateway.core.statement import Hazard
from gateway.sql import grammar
from gateway.sql.places import Places
from gateway.sql.reader import Reading
from gateway.sql.second_reader import compare
from gateway.sql.tree import unwrap
from tests.sql.payments import catalog, hazards

AGREED = (
    "SELECT pan FROM cards", "SELECT pan FROM CARDS c JOIN public.notes USING (id)", "WITH cards AS (SELECT 1) SELECT 1 FROM cards, archive.cards",
    "WITH a AS (SELECT pan FROM cards), cards AS (SELECT 1) SELECT 1 FROM a", "INSERT INTO cards(id) SELECT id FROM cards", "TABLE cards",
    "UPDATE num_cards SET id = 1 FROM archive.cards c", "DELETE FROM num_cards USING cards", "SELECT pan FROM cards FOR UPDATE OF cards",
    "MERGE INTO num_cards n USING cards c ON n.id = c.id WHEN MATCHED THEN DELETE", "SELECT id FROM cards TABLESAMPLE SYSTEM (1)",
    "EXPLAIN SELECT pan FROM cards", "PREPARE p AS SELECT pan FROM cards WHERE id = $1", "DECLARE c CURSOR FOR SELECT pan FROM cards",
    "COPY (SELECT pan FROM cards) TO STDOUT", "CREATE TEMP TABLE t AS SELECT pan FROM cards", "CREATE VIEW v AS SELECT pan FROM cards",
    "SELECT pan INTO TEMP t FROM cards", 'SELECT "Cards".pan FROM cards AS "Cards"', "SELECT pan FROM cards WHERE pan = $1 LIMIT $2",
    'SELECT pan FROM U&"c\\0061rds"', "SELECT pan FROM ONLY (cards)",
)  # fmt: skip


@pytest.mark.parametrize("sql", AGREED)
def test_both_readers_agree_on_plain_statements(sql: str) -> None:
    assert "statement.parser_disagreement" not in hazards(sql)


def reading_of(sql: str) -> Reading:
    tokens = grammar.scan(sql)
    reading = Reading(catalog(), ("public",), Places(tokens))
    reading.read(unwrap(grammar.parse(sql, tokens)[0].stmt))
    return reading


def test_another_multiset_of_relations_is_a_disagreement() -> None:
    (statement,) = grammar.read("SELECT pan FROM cards")
    for other in ("SELECT pan FROM notes", "SELECT pan FROM cards a, cards b", "SELECT 1"):
        found = compare("SELECT pan FROM cards", unwrap(statement.stmt), reading_of(other))
        assert found == {Hazard(code="statement.parser_disagreement")}


def test_what_the_second_reader_cannot_read_is_said() -> None:
    assert hazards("LOCK TABLE cards") == ["second_reader_unread"]
    assert hazards("LOCK TABLE notes") == []


def test_a_column_our_walk_has_not_met_is_a_disagreement() -> None:
    sql = "SELECT pan FROM cards"
    (statement,) = grammar.read(sql)
    assert compare(sql, unwrap(statement.stmt), reading_of(sql)) == set()
    found = compare(sql, unwrap(statement.stmt), reading_of("SELECT brand FROM cards"))
    assert found == {Hazard(code="statement.parser_disagreement")}


@pytest.mark.parametrize(
    "sql",
    ["SELECT @num_cards.pan FROM num_cards", "SELECT pan FROM cards ORDER BY pan COLLATE pg_catalog.default",
     "UPDATE num_cards SET pan.x = 1", "INSERT INTO cards(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET brand = excluded.brand"],
)  # fmt: skip
def test_what_only_looks_different_is_none(sql: str) -> None:
    assert "statement.parser_disagreement" not in hazards(sql)
