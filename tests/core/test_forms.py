"""Each form by itself: what it finds, and where."""

import pytest

from gateway.core import forms
from gateway.core.disguised import find_any
from gateway.core.forms import Hit, Kind
from tests.support.card_forms import behind_length, numeric

VISA = "4111111111111111"


def _nothing(_: bytes) -> list[Hit]:
    return []


def _something(said: bytes) -> list[Hit]:
    return [Hit(0, len(said), Kind.PLAIN)]


def test_what_an_encoding_says_is_judged_by_whoever_looks_inside() -> None:
    data = VISA.encode().hex().encode()
    assert list(forms.hexed(data, [(0, len(data))], _nothing)) == []
    assert list(forms.hexed(data, [(0, len(data))], _something)) == [Hit(0, 32, Kind.HEX)]


def test_the_span_of_an_escaped_number_is_that_of_its_escapes() -> None:
    data = b"a%34" + VISA[1:].encode() + b"b"
    assert list(forms.escaped(data, lambda said: [Hit(1, 17, Kind.PLAIN)] if VISA.encode() in said else [])) == [
        Hit(1, len(data) - 1, Kind.ESCAPED)
    ]


@pytest.mark.parametrize("text", ["&#99999999999;", "&#x110000;", "\\ud800", "%", "=zz", "\\u{ffffff}"])
def test_escapes_that_mean_nothing_end_nothing(text: str) -> None:
    assert list(forms.escaped(text.encode() * 3, _nothing)) == []


def test_a_track_is_one_hit_over_all_of_it_behind_the_number() -> None:
    track = f";{VISA}=27121011234567890?".encode()
    assert Hit(0, len(track), Kind.TRACK) in list(forms.plain(track))


@pytest.mark.parametrize("wrong", ["271312", "27001011"])
def test_a_track_has_a_month_behind_its_number(wrong: str) -> None:
    assert [hit.kind for hit in forms.plain(f"{VISA}={wrong}".encode())] == [Kind.PLAIN]


def test_a_numeric_with_a_fraction_a_sign_or_odd_digits_is_none() -> None:
    good = numeric(VISA)
    assert list(forms.fields(behind_length(good))) == [Hit(4, 20, Kind.BINARY)]
    for at, byte in ((4, 0x40), (7, 2), (3, 1), (8, 0x7F)):
        changed = bytearray(good)
        changed[at] = byte
        assert list(forms.fields(behind_length(bytes(changed)))) == []


def test_a_field_that_ends_too_early_is_none() -> None:
    assert list(forms.fields(behind_length(numeric(VISA))[:-1])) == []


def test_digits_of_any_script_become_ascii() -> None:
    assert forms.ascii_digits("４x١²③") == b"4123"


def test_a_sign_that_begins_an_escape_and_is_none_hides_no_number() -> None:
    assert find_any(b"LIKE '%555%35555555554444%'")
    assert find_any(b"LIKE '%4111111111111111%'")


def test_two_numbers_in_utf_16_side_by_side_are_both_found() -> None:
    number = VISA.encode("utf-16-le")
    assert len(find_any(b"a" + number + b"\0" + number + b"b\0")) == 2
    escaped = "".join(rf"{digit}\u0000" for digit in VISA).encode()
    assert find_any(escaped + b"\0" + escaped)
