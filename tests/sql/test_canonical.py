"""A past text is cut into its statements, each without its values, as each was when it was judged."""

import hashlib

import pytest

from gateway.sql.canonical import canonical
from gateway.sql.tokens import UNAVAILABLE, redact
from tests.sql.payments import OPEN, read

TEXTS = [
    "SELECT 1",
    "SELECT 'a;b'; ;UPDATE t SET x = 2 -- c",
    "/* x */ begin ;; COMMIT",
    "SELECT 'ü', \"Ä\"; SELECT $$;$$",
]


@pytest.mark.parametrize("text", TEXTS)
def test_each_statement_reads_as_it_did_when_it_was_judged(text: str) -> None:
    judged = [found.statement.sha256 for found in read(text, OPEN)]
    assert [hashlib.sha256(shape.encode()).hexdigest() for shape in canonical(text)] == judged


def test_a_text_that_cannot_be_cut_is_one() -> None:
    assert canonical("SELEC 1; SELECT 2") == (redact("SELEC 1; SELECT 2"),)
    assert canonical("SELECT 'x") == (UNAVAILABLE,)
    assert canonical("") == ()


def test_no_value_is_left() -> None:
    assert canonical("SELECT 4111111111111111; SELECT '123'") == ("SELECT ?", "SELECT ?")
