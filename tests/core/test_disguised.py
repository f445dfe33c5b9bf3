"""Numbers in other scripts, in encodings and in binary fields: found, and what only resembles them is left alone."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import forms, sieve
from gateway.core.disguised import Hit, Kind, find_any, find_in_words
from tests.support.card_forms import BINARY, NUMBERS, TEXTS, behind_length, packed
from tests.support.card_rates import RATES, SEED

EIGHT_BYTES_MAX = 17
"""digits: above it eight bytes are as often text"""
IN_LETTERS = {("mastercard", "packed"), ("visa, 13 digits", "packed")}
"""packed, these are eight printable letters (UUUUUUDD): text"""


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_is_found_in_every_form_with_text_beside_it(number: str, form: Callable[[str], str]) -> None:
    written = form(number)
    text = f'{{"a":"{written}","b":2}}'
    first, last = len(b'{"a":"'), len(f'{{"a":"{written}'.encode())
    hits = find_any(text.encode())
    assert hits
    assert all(first <= hit.start and hit.end <= last for hit in hits)
    assert find_in_words(f"paid with {written} twice")


@pytest.mark.parametrize("form", BINARY.values(), ids=BINARY)
@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_is_found_in_every_binary_form(
    number: str, form: Callable[[str], bytes], request: pytest.FixtureRequest
) -> None:
    name, how = next(
        (name, how)
        for name, digits in NUMBERS.items()
        for how, each in BINARY.items()
        if digits == number and each is form
    )
    data = b"\x01\x02" + form(number) + b"\xff\x00"
    hits = find_any(data, wire=True)
    lost = (len(number) > EIGHT_BYTES_MAX and how in {"int8", "float8"}) or (name, how) in IN_LETTERS
    assert bool(hits) is not lost, request.node.name
    assert bool(find_any(data)) is how.startswith(("UTF", "LATIN1"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cvv: 123", "123"), ('"cvv2":"1234"', "1234"), ("CVC is 123", "123"), ("security_code=999", "999"),
        ("4111111111111111 12/27 123", "123"), ("4111 1111 1111 1111, exp 12/2027, 1234", "1234"),
    ],
)  # fmt: skip
def test_a_security_code_is_found_where_it_is_called_one_or_stands_behind_a_number(text: str, code: str) -> None:
    assert [text[hit.start : hit.end] for hit in find_any(text.encode()) if hit.kind is Kind.CODE] == [code]


@pytest.mark.parametrize(
    "text",
    [
        "cvv", '"name":"cvv","labels":["cvv"]', "cvv 12", "cvv: 12345", "b64:CaV568xrKpZBi83vzbuq0Q==",
        "cvv123", "a security question 2", "4111111111111112",
        "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦", "34313131313131313131313131313132", "NDExMTExMTExMTExMTExMg==", "%34%31%31",
        ";4111111111111112=27121011234567890?", "1111//1111//1111//1117", "6514-7524-8401-94597fc12fae-01ba60d3",
        "database", "0x34, 0x31", "[4,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]",
    ],
)  # fmt: skip
def test_what_only_resembles_one_is_left_alone(text: str) -> None:
    assert find_any(text.encode()) == []


@pytest.mark.parametrize("word", [b"database", b"UUUUUUDD", b"customer", b'CL{"data'])
def test_eight_letters_behind_a_length_are_text(word: bytes) -> None:
    assert find_any(behind_length(word), wire=True) == []


@pytest.mark.parametrize(
    "field", [b"\x00" * 7 + b"\x05", b"\xff" * 8, packed("4111111111111112"), b"\x00\x04" + b"\xff" * 12]
)
def test_other_fields_are_left_alone(field: bytes) -> None:
    assert find_any(b"\x00\x02" + behind_length(field), wire=True) == []


@pytest.mark.parametrize(
    "text",
    [
        "99994111111111111111999", "4111.111111111111", "abcdef4111111111111111abcdefabcdefabcdef",
        "4-1-1-1 (1111) [1111] 1111", "411111111.1111111",
        "4111\n1111\t1111;1111", "_4_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1",
    ],
)  # fmt: skip
def test_in_words_that_somebody_chose_nothing_beside_a_number_excuses_it(text: str) -> None:
    assert find_in_words(text)


@pytest.mark.parametrize(
    "text", ["psql", "JIRA-1234", "2026-11-25T10:09:01.123456Z", "$1 , $2 , $10 , $11 , $12", "pg_toast_16384"]
)
def test_words_without_a_number_are_left_alone(text: str) -> None:
    assert find_in_words(text) == []


def test_a_number_that_a_piece_cuts_is_found_once_and_in_its_place() -> None:
    for shift in range(40):
        data = b"x" * (sieve.PIECE - shift) + b"4111 1111 1111 1111" + b"y" * 300
        assert find_any(data) == [Hit(sieve.PIECE - shift, sieve.PIECE - shift + 19, Kind.PLAIN)]


def test_a_longer_run_that_a_piece_cuts_behind_a_number_is_none() -> None:
    for shift in range(12, 20):
        assert find_any(b"x" * (sieve.PIECE - shift) + b"4111111111111111222222222" + b"y" * 300) == []


def test_two_numbers_of_many_are_found_far_apart() -> None:
    data = b"a4111111111111111b" + b"-" * 3 * sieve.PIECE + b"c378282246310005d"
    assert [(hit.start, hit.end) for hit in find_any(data)] == [(1, 17), (len(data) - 16, len(data) - 1)]


scraps = st.lists(
    st.one_of(
        st.binary(max_size=5),
        st.sampled_from([form(number).encode() for number in NUMBERS.values() for form in TEXTS.values()]),
        st.sampled_from([form(number) for number in NUMBERS.values() for form in BINARY.values()]),
        st.sampled_from(
            [b"4", b"1111", b"0", b" ", b".", b"%3", b"\\x3", b"&#", b"\x00", "１".encode(), b"cvv 123", b"NDEx"]
        ),
        st.integers(1, 400).map(lambda length: b"x" * length),
    ),
    max_size=10,
).map(b"".join)


@given(scraps)
def test_the_sieve_leaves_out_nothing_that_a_pattern_would_find(data: bytes) -> None:
    found = find_any(data, wire=True)
    whole = [(0, len(data))]
    named = [*forms.plain(data), *forms.wide(data), *forms.scripted(data), *forms.called(data)]
    named += [*forms.grouped(data), *forms.fields(data)]
    encoded = [*forms.escaped(data, _inside), *forms.listed(data, _inside)]
    runs = [*forms.hexed(data, whole, _inside), *forms.based(data, whole, _inside)]
    for hit in [*named, *encoded, *runs]:
        assert any(each.start <= hit.start and hit.end <= each.end for each in found), hit
    assert not (found and sieve.is_clean(data))


def _inside(said: bytes) -> list[Hit]:
    return find_any(said, 1)


@given(scraps)
def test_hits_are_in_order_and_apart(data: bytes) -> None:
    end = 0
    for hit in find_any(data, wire=True):
        assert end <= hit.start < hit.end <= len(data)
        end = hit.end


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_the_rates_of_false_alarms_are_as_stated(rate: tuple[Callable[[random.Random], str], float, float]) -> None:
    make, stated, in_words = rate
    dice = random.Random(SEED)  # noqa: S311 -- not for secrets
    samples = [make(dice) for _ in range(2000)]
    plain = sum(bool(find_any(sample.encode())) for sample in samples)
    strict = sum(bool(find_in_words(sample)) for sample in samples)
    assert (round(plain / 20, 1), round(strict / 20, 1)) == (stated, in_words)


def test_a_very_long_run_of_digits_in_words_is_taken_for_one_unseen() -> None:
    assert find_in_words("1 " * 1001)
    assert not find_in_words("1 " * 900)
