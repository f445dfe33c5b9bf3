"""The canonical text: no literal gets out, and no quoting, comment or case hides a word."""
# ruff: noqa: S608 -- statements are the test data

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.disguised import find_in_words
from gateway.sql import grammar, tokens
from gateway.sql.tokens import UNAVAILABLE, cut, fixed, fold, redact, shown_name
from tests.support.card_forms import NUMBERS, TEXTS


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


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
def test_no_form_of_a_card_number_is_left_in_a_name(form: Callable[[str], str]) -> None:
    for number in (NUMBERS["visa"], NUMBERS["american express"]):
        name = form(number).replace("\0", "").replace('"', "")
        assert find_in_words(redact(f'SELECT 1 AS "{name}", 2 AS other')) == []
        assert redact(f'SELECT 1 AS "{name}", 2 AS other').endswith(", ? AS other")


@pytest.mark.parametrize("written", ['"{}"', "{}", 'U&"{}"'])
def test_a_card_number_where_a_name_is_cut_leaves_no_digit(written: str) -> None:
    name = written.format("_" * 50 + "4111111111111111")
    assert "4" not in redact(f"SELECT 1 AS {name}")
    assert _fingerprint(f"SELECT {name}") == _fingerprint(f"SELECT {written.format('_' * 50 + '4012888888881881')}")


def test_a_kind_of_token_that_is_not_known_here_leaves_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_SIGNS", frozenset())
    assert redact("SELECT a") == "SELECT a"
    assert redact("SELECT a, b") == UNAVAILABLE


def _fingerprint(text: str) -> str:
    return grammar.fingerprint(fixed(text, grammar.scan(text)))


@pytest.mark.parametrize(
    "text",
    [
        "COMMENT ON TABLE t IS '{}'", "CREATE ROLE u PASSWORD '{}'", "ALTER TYPE t ADD VALUE '{}'", "SELECT '{}'",
        "CREATE TYPE t AS ENUM ('a', E'{}')", "COPY t TO '/tmp/{}'", "SELECT {} FROM t", "FETCH {} FROM c",
        "SELECT U&'{}' UESCAPE '!'", "SELECT $${}$$, 1", 'SELECT "{}" FROM t', 'SELECT U&"{}" FROM t',
        'SELECT x."{}" FROM t AS x', "COMMENT ON COLUMN t.a IS 'x {}'", "SECURITY LABEL ON TABLE t IS '{}'",
        "PREPARE TRANSACTION '{}'", "NOTIFY a, '{}'", "DO $$ {} $$",
        "CREATE SUBSCRIPTION s CONNECTION '{}' PUBLICATION p",
    ],
)  # fmt: skip
def test_no_fingerprint_tells_one_card_number_from_another(text: str) -> None:
    one, other = text.format("4111111111111111"), text.format("4012888888881881")
    if text.startswith("FETCH"):
        one, other = text.format("5"), text.format("6")
    assert _fingerprint(one) == _fingerprint(other) != ""


def test_no_fingerprint_is_made_of_a_card_number_in_unicode_escapes() -> None:
    escaped = [
        "".join(f"\\{ord(digit):04x}" for digit in number) for number in ("4111111111111111", "4012888888881881")
    ]
    one, other = (_fingerprint(f'SELECT U&"{name}" FROM t') for name in escaped)
    assert one == other


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM t WHERE b = 'x' AND c IN (1, 2.5, $1) LIMIT 5", "INSERT INTO t VALUES (E'a', B'1', X'F', N'n')",
        "SELECT count(*) FROM t GROUP BY 1 ORDER BY 2 -- c", "UPDATE t SET a = $$x$$ WHERE b = U&'\\0061'",
        "SELECT a::numeric(10, 2), interval '1 day', extract(year FROM b) FROM t",
    ],
)  # fmt: skip
def test_the_fingerprint_of_an_ordinary_statement_is_that_of_libpg_query(text: str) -> None:
    assert _fingerprint(text) == grammar.fingerprint(text) != ""


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
    assert find_in_words(redact(text)) == []


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


def test_of_a_name_without_end_only_what_the_server_could_see_is_looked_at() -> None:
    shown = redact(f'SELECT 1 AS "{"4111111111111111 " * 60_000}"')
    assert shown == 'SELECT ? AS "' + ("*" * 16 + " ") * 3 + "*" * 12 + '"'
