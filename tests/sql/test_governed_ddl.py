"""Definitions on governed relations: only forms without an expression or a query."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from gateway.core.errors import Refused
from tests.sql.payments import plan


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE cards ADD COLUMN x int NULL", "ALTER TABLE cards ADD a int, ADD b text", "DROP TABLE cards", "DROP VIEW v_cards", "VACUUM cards",
     "ANALYZE cards (pan)", "LOCK cards", "TRUNCATE num_cards", "COMMENT ON COLUMN cards.pan IS 'x'", "CREATE TABLE x (a int)", "CREATE INDEX ON notes (body)",
     "ALTER TABLE notes RENAME TO n"],
)  # fmt: skip
def test_forms_that_show_and_move_nothing_pass(sql: str) -> None:
    assert plan(sql).text == sql


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE cards ADD COLUMN x int DEFAULT 1", "ALTER TABLE cards ADD COLUMN x int REFERENCES notes(id)", "ALTER TABLE cards ADD CHECK (pan > 'x')",
     "ALTER TABLE cards ADD COLUMN x text GENERATED ALWAYS AS (pan) STORED", "ALTER TABLE cards ALTER brand TYPE text USING pan", "ALTER TABLE cards INHERIT notes",
     "ALTER TABLE notes INHERIT cards", "ALTER TABLE card_parts DETACH PARTITION card_parts_2024", "ALTER TABLE cards DISABLE TRIGGER ALL", "ALTER VIEW v_cards RENAME TO x",
     "ALTER TABLE notes ADD FOREIGN KEY (id) REFERENCES cards(id)", "CREATE INDEX ON cards (lower(pan))", "CLUSTER cards", "REINDEX TABLE cards",
     "CREATE TABLE x PARTITION OF card_parts DEFAULT", "ALTER TABLE cards RENAME TO y",
     "CREATE TEMP VIEW cards AS SELECT 1", "CREATE TEMP TABLE cards AS SELECT 1", "SELECT 1 INTO TEMP cards", "CREATE SCHEMA s CREATE VIEW v AS TABLE cards"],
)  # fmt: skip
def test_anything_else_on_a_governed_relation_is_refused(sql: str) -> None:
    with pytest.raises(Refused, match=r"statement\.governed_ddl"):
        plan(sql)
