"""The coarse form of a statement, and classes of parameters."""

import pytest

from gateway.core.statement import Shape
from gateway.sql.shapes import parameter_class
from tests.sql.payments import one


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ("SELECT 1", Shape()),
        ("SELECT 1 FROM notes WHERE id = 1 LIMIT 1", Shape(has_where=True, limit=True)),
        ("SELECT 1 FROM notes JOIN cards USING (id)", Shape(joins=1)),
        ("SELECT 1 FROM notes CROSS JOIN cards", Shape(joins=1, cartesian=True)),
        ("SELECT 1 FROM notes, cards", Shape(cartesian=True)),
        ("SELECT 1 UNION SELECT 2", Shape(set_operation=True)),
        ("SELECT 1 FROM notes FOR UPDATE", Shape(locking=True)),
        ("DELETE FROM notes", Shape()),
        ("DELETE FROM notes WHERE true", Shape(has_where=True)),
        ("WITH d AS (DELETE FROM notes) SELECT 1 FROM cards WHERE true", Shape()),
        ("EXPLAIN UPDATE notes SET id = 1 WHERE true", Shape(has_where=True)),
        ("COPY (SELECT 1 LIMIT 1) TO STDOUT", Shape(limit=True)),
        ("COPY notes TO STDOUT", Shape()),
        ("SET a.b = 1", Shape()),
    ],
)
def test_a_statement_has_its_shape(sql: str, shape: Shape) -> None:
    assert one(sql).statement.shape == shape


def test_types_have_classes() -> None:
    given = [
        ("int8", "N"),
        ("text", "S"),
        ("bytea", "U"),
        ("jsonb", "U"),
        ("uuid", "U"),
        ("_text", "A"),
        ("unknown", ""),
        ("x", "E"),
    ]
    assert [parameter_class(*pair) for pair in given] == [
        "number",
        "text",
        "binary",
        "json",
        "uuid",
        "array",
        "unknown",
        "other",
    ]
