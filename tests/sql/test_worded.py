"""Commands that name a relation by words touch it like those that refer to it."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from tests.sql.payments import one


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DROP TABLE cards, archive.cards, nosuch", {"public.cards", "archive.cards", "public.nosuch"}),
        ("DROP VIEW IF EXISTS v_cards CASCADE", {"public.v_cards"}), ("DROP MATERIALIZED VIEW mv_cards", {"public.mv_cards"}), ("DROP TRIGGER t ON cards", {"public.cards"}),
        ("DROP RULE r ON archive.cards", {"archive.cards"}), ("DROP POLICY p ON cards", {"public.cards"}), ("COMMENT ON TABLE cards IS 'x'", {"public.cards"}), ("COMMENT ON COLUMN public.cards.pan IS 'x'", {"public.cards"}),
        ("COMMENT ON CONSTRAINT k ON cards IS 'x'", {"public.cards"}), ("SECURITY LABEL ON TABLE cards IS 'x'", {"public.cards"}), ("ALTER SEQUENCE s OWNED BY cards.id", {"public.cards", "public.s"}),
        ("CREATE SEQUENCE s OWNED BY NONE", {"public.s"}), ("DROP FUNCTION f(int)", set()), ("DROP SCHEMA archive", set()), ("COMMENT ON SCHEMA archive IS 'x'", set()), ("DROP TYPE cards", set()), ("DROP INDEX i", set()),
    ],
)  # fmt: skip
def test_a_relation_named_by_words_is_a_fact(sql: str, expected: set[str]) -> None:
    statement = one(sql).statement
    assert {f"{found.schema}.{found.name}" for found in statement.relations} == expected


def test_it_is_written_and_governed() -> None:
    understood = one("DROP TABLE cards")
    assert [found.access for found in understood.statement.relations] == [("write",)]
    assert understood.governed
    assert not one("DROP TABLE notes").governed
