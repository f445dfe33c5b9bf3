"""A statement is found whatever its values, and none of them is recorded."""

import pytest

from gateway.cli.audit.asked import canonical_text, is_statement, recordable


@pytest.mark.parametrize(
    ("typed", "asked", "recorded"),
    [
        ("select * from cards where pan = '4111111111111111' ;", "SELECT * FROM cards WHERE pan = ?", None),
        ("SELECT * FROM cards WHERE pan = ?", "SELECT * FROM cards WHERE pan = ?", None),
        ("SELECT 'open", "SELECT 'open", "statement"),
        ("", "", ""),
    ],
)
def test_a_statement_is_asked_for_without_its_values(typed: str, asked: str, recorded: str | None) -> None:
    assert canonical_text(typed) == asked
    assert recordable(typed) == (asked if recorded is None else recorded)


def test_an_id_has_no_white_space() -> None:
    assert is_statement("SELECT 1")
    assert not is_statement(" 01a21220-14aa-7d31-ab4b-d65726337ff3 ")
