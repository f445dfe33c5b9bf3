"""Which bytes are card numbers, and which only look like them."""

import random
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.cards import (
    find_card_numbers,
    find_hex_card_numbers,
    is_card_number,
    luhn,
    may_hold_card_number,
)

TEST_NUMBERS = {
    "visa": b"4111111111111111",
    "visa, 13 digits": b"4222222222222",
    "visa, 19 digits": b"4917610000000000003",
    "mastercard": b"5555555555554444",
    "mastercard, first of the 2-series": b"2221000000000009",
    "mastercard, 2-series": b"2223003122003222",
    "mastercard, last of the 2-series": b"2720990000000007",
    "american express": b"378282246310005",
    "diners club": b"30569309025904",
    "diners club, 36": b"36227206271667",
    "discover": b"6011111111111117",
    "jcb": b"3566002020360505",
    "unionpay": b"6200000000000005",
    "unionpay, 19 digits": b"6205500000000000004",
    "maestro": b"6759649826438453",
    "maestro, 50": b"5019717010103742",
    "switch, 16 digits": b"6331101999990016",
    "mir": b"2200000000000004",
}
PRINTED = (
    b"4111 1111 1111 1111",
    b"4111-1111-1111-1111",
    b"4111.1111.1111.1111",
    b"3782 822463 10005",
    b"3056 930902 5904",
    b"4917 6100 0000 0000 003",
    b"411111 1111111111",
    b"4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    b"41-11 11.11 1111 1111",
)
LOOKALIKES = {
    "wrong check digit": b"4111111111111112",
    "no scheme has the prefix": b"1111111111111117",
    "first below the 2-series": b"2220990000000002",
    "eleven digits": b"60000000004",
    "twenty digits": b"41111111111111111118",
    "two spaces between": b"4111  1111  1111  1111",
    "a tab between": b"4111\t1111\t1111\t1111",
    "a fraction": b"0.4111111111111111",
    "an average": b"41.11111111111111",
    "an amount": b"-4111111111.111111",
    "a stretch of a UUID": b"0a8e1b1c-41111111-1111-1111-c0ffee00c0ff",
    "a stretch of a hash": b"d41d8cd98f0a4111111111111111e9800998ecf8",
    "a time": b"2024-01-15 10:30:00.123456+00",
    "an address": b"192.168.100.200",
}


@pytest.mark.parametrize("number", TEST_NUMBERS.values(), ids=TEST_NUMBERS)
def test_the_test_number_of_each_scheme_is_found(number: bytes) -> None:
    assert is_card_number(number)
    assert find_card_numbers(b'{"pan": "' + number + b'"}') == [(9, 9 + len(number))]


@pytest.mark.parametrize("separator", [b"", b" ", b"-", b"."])
@pytest.mark.parametrize("number", TEST_NUMBERS.values(), ids=TEST_NUMBERS)
def test_each_is_found_in_groups_of_four_with_each_separator_and_with_its_expiry_beside_it(
    number: bytes, separator: bytes
) -> None:
    text = separator.join(number[i : i + 4] for i in range(0, len(number), 4))
    assert find_card_numbers(text) == [(0, len(text))]
    beside = find_card_numbers(b"card " + text + b", 12/27")
    assert beside == [(5, 5 + len(text))]


@pytest.mark.parametrize("text", PRINTED)
def test_a_number_is_found_however_it_is_grouped(text: bytes) -> None:
    assert find_card_numbers(text) == [(0, len(text))]


@pytest.mark.parametrize("text", LOOKALIKES.values(), ids=LOOKALIKES)
def test_what_only_looks_like_a_card_number_is_left_alone(text: bytes) -> None:
    assert find_card_numbers(text) == []


def test_numbers_of_a_run_are_found_beside_other_numbers() -> None:
    text = b"7 4111 1111 1111 1111 12/27 123"
    assert find_card_numbers(text) == [(2, 21)]


def test_two_numbers_joined_by_a_separator_are_both_found() -> None:
    assert find_card_numbers(b"4111111111111111.5555555555554444") == [(0, 16), (17, 33)]


def test_letters_beside_a_number_do_not_hide_it() -> None:
    assert find_card_numbers(b"card4111111111111111ok") == [(4, 20)]


def test_the_track_of_a_chip_is_no_hash() -> None:
    track = b"4111111111111111D27121011234567890FFFFFF"
    assert find_card_numbers(track) == [(0, 16)]
    assert find_card_numbers(track.replace(b"D2712", b"D2713")) == []
    assert find_card_numbers(b"ab" + track) == []
    assert find_card_numbers(b"9F02065713" + track + b"5F340101") == [(10, 26)]
    assert find_card_numbers(b"9F02065713" + track.replace(b"1D", b"2D")) == []
    assert find_card_numbers(b"01a20f89-1b56-7668-8413-62d4301412dd") == []


def test_a_number_in_hex_pairs_is_found_where_postgres_prints_a_bytea() -> None:
    number = TEST_NUMBERS["visa"]
    text = rb"a \x00" + number.hex().encode() + b"ff b"
    assert find_card_numbers(text) == []
    assert find_hex_card_numbers(text) == [(6, 38)]
    assert may_hold_card_number(text)


def test_about_one_in_twenty_random_numbers_of_sixteen_digits_looks_like_one() -> None:
    dice = random.Random(20)  # noqa: S311 -- not for secrets
    numbers = [b"%d" % dice.randrange(10**15, 10**16) for _ in range(20_000)]
    rate = sum(bool(find_card_numbers(number)) for number in numbers) / len(numbers)
    assert 0.04 < rate < 0.055


def test_random_uuids_and_hashes_are_left_alone() -> None:
    dice = random.Random(21)  # noqa: S311 -- not for secrets
    uuids = [str(uuid.UUID(int=dice.getrandbits(128), version=4)).encode() for _ in range(10_000)]
    hashes = [b"%064x" % dice.getrandbits(256) for _ in range(10_000)]
    assert [text for text in uuids + hashes if find_card_numbers(text)] == []


digits = st.text("0123456789", min_size=1, max_size=30).map(str.encode)


@given(digits)
def test_luhn_is_the_textbook_sum(number: bytes) -> None:
    total = 0
    for place, digit in enumerate(reversed(number.decode())):
        value = int(digit) * (1 + place % 2)
        total += value if value < 10 else value - 9
    assert luhn(number) == (total % 10 == 0)


texts = st.lists(
    st.one_of(
        st.binary(max_size=6), st.sampled_from([*TEST_NUMBERS.values(), *PRINTED, b" ", b".", b"-", b"4", b"\\x"])
    ),
    max_size=12,
).map(b"".join)


@given(texts)
@example(b"4111111111111111.4111111111111111-4 1")
def test_spans_are_in_order_apart_and_hold_a_card_number(text: bytes) -> None:
    end = 0
    for start, stop in find_card_numbers(text):
        assert start >= end
        assert is_card_number(text[start:stop].translate(None, b" .-"))
        end = stop


@given(texts)
def test_nothing_is_found_where_the_quick_look_says_no(text: bytes) -> None:
    assert may_hold_card_number(text) or not find_card_numbers(text)
