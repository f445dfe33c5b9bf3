"""What goes through here holds no card number any more, whatever was put in."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.blanking import (
    clean_bytes,
    clean_name,
    clean_text,
    clean_value,
    clean_words,
    is_clean,
    without_digits,
)
from gateway.core.disguised import find_any, find_in_words
from tests.support.card_forms import BINARY, NUMBERS, TEXTS

VISA = NUMBERS["visa"]
SOME = ("visa", "american express", "unionpay, 19 digits")


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("name", SOME)
def test_a_number_in_any_form_is_gone_and_the_words_beside_it_stay(name: str, form: Callable[[str], str]) -> None:
    said = f"paid with {form(NUMBERS[name])} twice"
    for clean in (clean_words(said), clean_text(said)):
        assert clean.startswith("paid with ")
        assert clean.endswith(" twice")
        assert not find_any(clean.encode())
    assert not find_in_words(clean_words(said))


@pytest.mark.parametrize("form", BINARY.values(), ids=BINARY)
def test_bytes_keep_their_length_and_what_stands_beside_a_number(form: Callable[[str], bytes]) -> None:
    data = b"\x01abc" + form(VISA) + b"xyz\xff"
    clean = clean_bytes(data)
    assert len(clean) == len(data)
    assert clean.startswith(b"\x01abc")
    assert clean.endswith(b"xyz\xff")
    assert not find_any(clean, wire=True)


texts = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=()), max_size=6),
        st.sampled_from([form(number) for number in NUMBERS.values() for form in TEXTS.values()]),
        st.text("0123456789 .-", max_size=20),
    ),
    max_size=4,
).map("".join)


@given(texts)
def test_nothing_is_found_in_what_is_clean_and_cleaning_it_again_changes_nothing(text: str) -> None:
    for clean, find in ((clean_words, find_in_words), (clean_text, lambda said: find_any(said.encode()))):
        once = clean(text)
        assert not find(once)
        assert clean(once) == once


@given(texts.map(lambda text: text.encode("utf-8", "replace")))
def test_clean_bytes_are_as_many(data: bytes) -> None:
    clean = clean_bytes(data)
    assert len(clean) == len(data)
    assert not find_any(clean, wire=True)


def test_keys_texts_and_numbers_of_a_value_are_clean() -> None:
    value = {"a": [VISA, int(VISA), 7, None, True, 1.5], VISA: {"b": "x"}}
    stars = "*" * 16
    assert clean_value(value) == {"a": [stars, stars, 7, None, True, 1.5], stars: {"b": "x"}}


def test_numbers_beside_each_other_stay_json() -> None:
    data = without_digits(b'{"a":[4111,1111,1111,1111]}')
    assert json.loads(data) == {"a": [9999, 9999, 9999, 9999]}
    assert without_digits(b'{"a":[1,2]}') == b'{"a":[1,2]}'


def test_what_holds_none_comes_back_as_it_is() -> None:
    assert clean_words("psql") == "psql"
    assert clean_text("0193e4a1-4111-7111-8111-0123456789ab") == "0193e4a1-4111-7111-8111-0123456789ab"
    assert clean_text("half a pair \ud800") == "half a pair ?"


def test_names_are_clean_or_not() -> None:
    assert is_clean("cards")
    assert not is_clean(f"cards_{VISA}")


@pytest.mark.parametrize("clean", [clean_words, clean_name])
def test_short_and_long_texts_are_cleaned_alike(clean: Callable[[str], str]) -> None:
    for length in (1, 255, 256, 257, 5000):
        text = ("x" * length)[:-16] + VISA if length > 16 else "x"
        assert clean(text) == clean(text) == text.replace(VISA, "*" * 16)
