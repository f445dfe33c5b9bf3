"""What is written for people is safe for their terminal, and times are read the way they are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.audit import words
from gateway.cli.audit.words import instant, moment, printable, rows
from gateway.core.errors import ConfigError

NOON = 1_900_000_000_123_456_789


@given(st.text())
def test_nothing_that_moves_a_cursor_or_turns_a_line_round_is_printed(text: str) -> None:
    assert printable(text).isprintable() or printable(text) == ""


def test_characters_that_are_hidden_are_shown_as_escapes() -> None:
    assert printable("a\x1b[2J\u202eb\nc é") == "a\\x1b[2J\\u202eb\\nc é"


def test_a_moment_is_utc_to_the_microsecond() -> None:
    assert moment(NOON) == "2030-03-17 17:46:40.123456Z"
    assert moment(0) == "1970-01-01 00:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2030-03-17T17:46", 1_899_999_960),
        ("2030-03-17T18:46:40+01:00", 1_900_000_000),
        ("2030-03-17", 1_899_936_000),
        ("15m", 1_900_000_000 - 900),
        ("1h30m", 1_900_000_000 - 5400),
    ],
)
def test_a_time_or_an_age_is_an_instant(text: str, seconds: int) -> None:
    assert instant(text, NOON, "--since") // 1_000_000_000 == seconds


@given(st.integers(0, 1 << 60))
def test_a_moment_is_read_back_to_the_microsecond(time_ns: int) -> None:
    assert instant(moment(time_ns), NOON, "--since") == time_ns // 1000 * 1000


def test_what_is_neither_is_a_usage_error_that_names_the_option() -> None:
    with pytest.raises(ConfigError, match="--until: neither"):
        instant("soon", NOON, "--until")


def test_lines_stand_under_each_other_and_empty_ones_are_left_out() -> None:
    assert rows([("a", "one\ntwo"), ("long", ""), ("b", "three")]) == "a     one\n      two\nb     three\n"


HOSTILE = "\x1b[2J \x9b \u202e \u2066 \u200b \x7f \ue000 \U000e0001 \r ü"


def test_what_is_printed_cannot_move_a_cursor_in_words_or_as_json() -> None:
    for text in (words.harmless(HOSTILE), words.json_line({"a": HOSTILE}), words.as_json([HOSTILE])):
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "ü" in text
    assert json.loads(words.json_line({"a": HOSTILE})) == {"a": HOSTILE}
    assert json.loads(words.as_json([HOSTILE])) == [HOSTILE]
    assert words.harmless("a\nb\tc") == "a\nb\\tc"
