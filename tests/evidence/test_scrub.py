"""The last look before storing: canonical bytes, and no card number, wherever it was put."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.disguised import find_any
from gateway.evidence.scrub import canonical, scrub_body, scrub_text, scrub_value
from tests.evidence.world import CARD
from tests.support.card_forms import TEXTS

SPACED, AMEX, HEXED = "5555 5555 5555 4444", "378282246310005", f"\\x{CARD.encode().hex()}"
CARDS = [CARD, SPACED, AMEX, HEXED, *(form(CARD) for form in TEXTS.values())]

texts = st.text(st.characters(codec="utf-8"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53) + 1, (1 << 53) - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_the_fast_encoder_gives_the_bytes_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # any JSON


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_written_as_rfc_8785_says(number: float) -> None:
    assert canonical([number]) == rfc8785.dumps([number])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1 << 53, {1: 2}, object(), [b"\xff", 1.5, object()]])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        canonical(value)


def test_what_is_nested_too_deep_is_refused() -> None:
    value: object = 1
    for _ in range(40):
        value = [value]
    with pytest.raises(ValueError, match="too deep"):
        canonical(value)


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_anywhere_in_a_value_is_blanked(card: str) -> None:
    value = {"a": [f"x {card} y", {card: 1}], "b": card}
    clean = scrub_value(value)
    assert clean.hit
    assert not find_any(clean.data)
    assert json.loads(clean.data).keys() == {"a", "b"}
    assert card.encode() not in clean.data


def test_a_number_that_is_a_card_number_becomes_stars() -> None:
    assert scrub_value({"n": int(CARD), "m": 5}).data == b'{"m":5,"n":"****************"}'


@given(values)
def test_what_holds_no_card_number_is_stored_as_it_is(value: object) -> None:
    clean = scrub_value(value)
    if not find_any(canonical(value)):
        assert clean == (canonical(value), False)


@given(st.lists(st.text("0123456789 -.\\xabcdef", max_size=40), max_size=4))
def test_nothing_that_is_stored_holds_a_card_number(parts: list[str]) -> None:
    assert not find_any(scrub_value(parts).data)
    assert not find_any(scrub_text("\n".join(parts))[0].encode())
    assert not find_any(scrub_body("\n".join(parts).encode()).data)


@pytest.mark.parametrize("card", CARDS)
def test_a_json_body_stays_json_and_another_keeps_its_length(card: str) -> None:
    clean = scrub_body(json.dumps({"text": f"is {card} ok"}).encode())
    assert clean.hit
    assert set(json.loads(clean.data)) == {"text"}
    plain = scrub_body(f"not json {card}".encode())
    assert plain.hit
    assert not find_any(plain.data)
    assert len(plain.data) == len(f"not json {card}".encode())


def test_a_body_without_one_is_the_same_object() -> None:
    body = b'{"a":"0123456789abcdef0123456789abcdef"}'
    assert scrub_body(body).data is body


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert scrub_value({"a": "\ud800"}).data == b'{"a":"?"}'
    assert scrub_text("\ud800") == ("?", False)


def test_numbers_that_are_one_only_beside_each_other_are_blanked_and_stay_numbers() -> None:
    clean = scrub_value({"a": [4111, 1111, 1111, 1111]})
    assert clean.hit
    assert json.loads(clean.data) == {"a": [9999, 9999, 9999, 9999]}
