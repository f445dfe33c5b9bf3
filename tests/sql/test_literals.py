"""Values blanked in their places: the length stays, and so does everything that is no value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.sql import grammar
from gateway.sql.literals import blank_literals, may_hold_secret

TEXTS = {
    "SELECT 'a''b', 42, 1.5e3 FROM t": b"SELECT '****', 00, 00000 FROM t",
    "SELECT E'x\\'y', B'101', X'1F', N'ab'": b"SELECT E'****', B'000', X'00', N'**'",
    "SELECT $$one$$, $t$x$y$t$, $1": b"SELECT $$***$$, $t$***$t$, $1",
    "SELECT U&'d\\0061t' UESCAPE '!'": b"SELECT U&'*******' UESCAPE '*'",
    'SELECT "4711" -- 4711': b'SELECT "4711" --*****',
    "/* 1 /* 2 */ '3' */ SELECT 4": b"/*****************/ SELECT 0",
    "SELECT 'one\ntwo'": b"SELECT '***\n***'",
    "SELECT 'é'": b"SELECT '**'",
    "not 'SQL": b"*** ****",
    "": b"",
}


@pytest.mark.parametrize(("text", "kept"), TEXTS.items())
def test_every_kind_of_value_is_blanked_in_its_place(text: str, kept: bytes) -> None:
    assert blank_literals(text) == kept


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
def test_whatever_is_sent_keeps_its_length_and_what_it_holds_of_digits_in_quotes_goes(text: str) -> None:
    assert len(blank_literals(f"SELECT '{text}'")) == len(f"SELECT '{text}'".encode())


@given(st.lists(st.sampled_from(["SELECT", "'a'", "4", "-- x\n", "/* y */", "$$z$$", "f(", ")", ",", "::int"])))
def test_what_is_kept_is_cut_into_the_same_kinds_of_tokens(words: list[str]) -> None:
    text = " ".join(words)
    try:
        before = [token.token for token in grammar.scan(text)]
    except Refused:
        return
    assert [token.token for token in grammar.scan(blank_literals(text).decode())] == before


@pytest.mark.parametrize(
    "text",
    [
        "ALTER ROLE a PASSWORD 'x'", "SELECT dblink('postgresql://u:p@h/d')", "SET x.token = 'y'",
        "SELECT 'eyJhbGciOiJIUzI1NiJ9.e30.x'", "CREATE USER u IDENTIFIED BY 'z'",
    ],
)  # fmt: skip
def test_what_speaks_of_secrets_is_known(text: str) -> None:
    assert may_hold_secret(text)


def test_plain_statements_speak_of_none() -> None:
    assert not may_hold_secret("SELECT id, name FROM customers WHERE id = 17 AND name = 'Dana'")
