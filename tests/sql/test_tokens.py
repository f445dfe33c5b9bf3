"""The canonical text: no literal gets out, and no quoting, comment or case hides a word."""
# ruff: noqa: S608 -- statements are the test data

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.cards import find_card_numbers
from gateway.sql.tokens import UNAVAILABLE, cut, fold, redact, shown_name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("select Pan  from\tCards", "SELECT pan FROM cards"),
        ("SELECT 'a', E'b\\'', $$c$$, $x$d$x$, B'1', X'F', U&'e', 1, 2.5, 0x1F, 1e3", "SELECT " + " , ".join("?" * 11)),
        ("SELECT N'f'", "SELECT N ?"),
        ("SELECT /* x /* y */ z */ a -- b\nFROM c", "SELECT a FROM c"),
        ('SELECT "pan", "Pan", "a b", "a""b" FROM t', 'SELECT pan , "Pan" , "a b" , "a""b" FROM t'),
        ('SELECT U&"p\\0061n", U&"p!0061n" UESCAPE \'!\' FROM t', "SELECT pan , pan FROM t"),
        ("SELECT pg_terminate_backend/**/(1)", "SELECT pg_terminate_backend ( ? )"),
        ("SELECT a.order, b AS name FROM t a", "SELECT a . order , b AS name FROM t a"),
        ("SELECT $1, :x", "SELECT $1 , : x"),
        ("SELECT 'open", UNAVAILABLE),
    ],
)
def test_a_text_becomes_its_canonical_form(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_card_number_as_a_name_is_blanked_and_hides_nothing_else() -> None:
    assert redact('SELECT pg_sleep(1) AS "4111111111111111"') == 'SELECT pg_sleep ( ? ) AS "****************"'


secret = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map(lambda text: f"ſ{text}ſ")


@given(secret, st.sampled_from(["'{}'", "E'{}'", "U&'{}'", "$q${}$q$", "/*{}*/ 1", "-- {}\n 1"]))
def test_no_literal_or_comment_is_ever_left(hidden: str, form: str) -> None:
    escaped = (
        hidden.replace("\\", "\\\\")
        .replace("'", "''")
        .replace("$q$", "")
        .replace("*/", "")
        .replace("/*", "")
        .replace("\n", " ")
        .replace("\r", " ")
    )
    shown = redact("SELECT " + form.format(escaped) + ", a FROM t")
    assert "ſ" not in shown


@given(st.text(max_size=80))
def test_any_text_has_a_canonical_form_without_card_numbers(text: str) -> None:
    assert find_card_numbers(redact(text).encode()) == []


@given(st.text("abcdefABCDEF_ÄäЖж💳", min_size=1, max_size=80))
def test_names_are_folded_in_ascii_only_and_cut_between_characters(name: str) -> None:
    folded = fold(name)
    assert len(folded.encode()) <= 63
    assert name.translate({upper: upper + 32 for upper in range(65, 91)}).startswith(folded)
    assert fold(folded) == folded
    assert cut(folded) == folded


def test_a_name_is_shown_bare_only_when_it_could_be_written_so() -> None:
    assert [shown_name(name) for name in ("pan", "Pan", 'a"b', "1a", "карта")] == [
        "pan",
        '"Pan"',
        '"a""b"',
        '"1a"',
        '"карта"',
    ]
