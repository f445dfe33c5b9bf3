"""Nothing that looks like a card number goes out, and nothing changes its length."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.cards import find_card_numbers
from gateway.masking.detect import blank, blank_row, suspicious
from gateway.masking.fields import Reading
from tests.core.test_cards import PRINTED, TEST_NUMBERS

VISA = TEST_NUMBERS["visa"]
MASTERCARD = TEST_NUMBERS["mastercard"]


def row(*fields: bytes | None) -> bytes:
    cells = (b"\xff" * 4 if field is None else struct.pack("!i", len(field)) + field for field in fields)
    return struct.pack("!h", len(fields)) + b"".join(cells)


@pytest.mark.parametrize("number", TEST_NUMBERS.values(), ids=TEST_NUMBERS)
@pytest.mark.parametrize("separator", [b"", b" ", b"-", b"."])
def test_each_schemes_number_is_blanked_with_each_separator(number: bytes, separator: bytes) -> None:
    text = separator.join(number[i : i + 4] for i in range(0, len(number), 4))
    stars = separator.join(b"*" * len(number[i : i + 4]) for i in range(0, len(number), 4))
    assert blank(b"pay with " + text + b" today") == (b"pay with " + stars + b" today", 1)


def test_a_text_without_card_numbers_is_the_same_object() -> None:
    text = b"1234567 89 ordinary text, 4111111111111112"
    assert blank(text)[0] == text
    clean = b"nothing here"
    assert blank(clean)[0] is clean


def test_a_bare_number_of_a_json_column_stays_a_number() -> None:
    document = b'{"a": %s, "b": [%s], "c": "x %s", "d": -%s}' % (VISA, MASTERCARD, VISA, VISA)
    shown, found = blank(document, Reading.NUMBER)
    assert found == 4
    assert json.loads(shown) == {
        "a": 9999999999999999,
        "b": [9999999999999999],
        "c": "x " + "*" * 16,
        "d": -9999999999999999,
    }


def test_a_number_in_a_json_string_beside_letters_becomes_stars() -> None:
    assert blank(b'"n%s"' % VISA, Reading.NUMBER) == (b'"n' + b"*" * 16 + b'"', 1)


@pytest.mark.parametrize("number", [b"411111.1111111111", b"-41.11111111111111", b"4111111111.111111"])
def test_a_decimal_of_a_number_column_is_a_measurement(number: bytes) -> None:
    assert blank(number, Reading.NUMBER) == (number, 0)
    assert blank(b'{"avg": %s}' % number, Reading.NUMBER) == (b'{"avg": %s}' % number, 0)


def test_a_card_number_kept_with_decimals_is_found() -> None:
    assert blank(VISA + b".00", Reading.NUMBER) == (b"9999999999999999.00", 1)


def test_a_skipped_field_is_left_alone() -> None:
    assert blank(VISA, Reading.SKIP) == (VISA, 0)


def test_a_bytea_printed_as_hex_stays_hex() -> None:
    printed = rb"\x00" + VISA.hex().encode() + b"00"
    shown, found = blank(printed)
    assert found == 1
    assert bytes.fromhex(shown[2:].decode()) == b"\0" + b"*" * 16 + b"\0"


def test_packed_digits_of_a_bytea_stay_hex() -> None:
    assert blank(rb"\x" + VISA) == (rb"\x" + b"0" * 16, 1)


def test_a_binary_bytea_is_blanked() -> None:
    assert blank_row(row(b"\xff\0" + VISA + b"\xfe")) == (row(b"\xff\0" + b"*" * 16 + b"\xfe"), {0: 1})


def test_hits_are_counted_by_column_and_exempt_columns_are_left_alone() -> None:
    payload = row(b"7", None, VISA + b" and " + MASTERCARD, VISA, b"")
    shown, hits = blank_row(payload, frozenset({3}))
    assert shown == row(b"7", None, b"*" * 16 + b" and " + b"*" * 16, VISA, b"")
    assert hits == {2: 2}


def test_a_number_split_over_two_fields_is_not_joined() -> None:
    payload = row(b"4111111111", b"111111")
    assert blank_row(payload) == (payload, {})


def test_a_length_byte_that_is_a_digit_does_not_hide_the_number() -> None:
    field = VISA + b" " * 32
    assert struct.pack("!i", len(field)).endswith(b"0")
    assert suspicious(row(field))
    assert blank_row(row(field))[1] == {0: 1}


def test_readings_say_how_each_column_is_read() -> None:
    shown, hits = blank_row(row(VISA, VISA, VISA), frozenset(), (Reading.SKIP, Reading.NUMBER))
    assert shown == row(VISA, b"9" * 16, b"*" * 16)
    assert hits == {1: 1, 2: 1}


def test_a_payload_that_is_no_row_is_blanked_as_one_text() -> None:
    assert blank_row(b"\0\1" + VISA) == (b"\0\1" + b"*" * 16, {-1: 1})


pieces = st.sampled_from(
    [*TEST_NUMBERS.values(), *PRINTED, VISA.hex().encode(), rb"\x", b" ", b"-", b".", b",", b"a", b"7"]
)
texts = st.lists(st.one_of(st.binary(max_size=5), pieces), max_size=14).map(b"".join)
ways = st.sampled_from([Reading.TEXT, Reading.NUMBER])


@given(texts, ways)
def test_the_length_never_changes_and_twice_is_once(text: bytes, reading: Reading) -> None:
    shown, found = blank(text, reading)
    assert len(shown) == len(text)
    assert blank(shown, reading) == (shown, 0)
    assert (found == 0) == (shown == text)


@given(texts)
def test_nothing_is_left_to_find(text: bytes) -> None:
    assert find_card_numbers(blank(text)[0]) == []


@given(st.lists(st.none() | texts, max_size=5), st.frozensets(st.integers(0, 4)))
def test_a_row_keeps_its_layout_whatever_its_fields_hold(fields: list[bytes | None], exempt: frozenset[int]) -> None:
    shown, hits = blank_row(row(*fields), exempt)
    expected = [f if f is None or i in exempt else blank(f)[0] for i, f in enumerate(fields)]
    assert shown == row(*expected)
    assert not exempt & hits.keys()


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    assert len(blank_row(data)[0]) == len(data)
