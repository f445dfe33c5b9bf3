"""COPY rows lose their card numbers and nothing else, in each of its formats."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from gateway.masking.copy import CopyForm, CopyScanner
from tests.core.test_cards import TEST_NUMBERS
from tests.masking.test_detect import row, texts

VISA = TEST_NUMBERS["visa"]
STARS = b"*" * 16
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!iI", 0, 0)


def test_a_text_row_is_blanked_and_counted() -> None:
    scanner = CopyScanner()
    assert scanner.feed(b"1\t" + VISA + b"\tx\n") == b"1\t" + STARS + b"\tx\n"
    assert scanner.feed(b"2\tnone\tx\n") == b"2\tnone\tx\n"
    assert scanner.found == 1


def test_an_exempt_column_of_a_text_row_is_left_alone() -> None:
    scanner = CopyScanner(exempt=frozenset({1}))
    assert scanner.feed(b"1\t" + VISA + b"\t" + VISA + b"\n") == b"1\t" + VISA + b"\t" + STARS + b"\n"
    assert scanner.columns == {2: 1}


def test_a_csv_row_is_blanked_whatever_is_exempt() -> None:
    scanner = CopyScanner(CopyForm.CSV, exempt=frozenset({0}))
    assert scanner.feed(b'"a,%s",b\n' % VISA) == b'"a,%s",b\n' % STARS


def test_a_bytea_of_a_text_row_stays_hex() -> None:
    line = rb"\\x" + VISA.hex().encode() + b"\n"
    assert CopyScanner().feed(line) == rb"\\x" + STARS.hex().encode() + b"\n"


def test_binary_rows_are_taken_apart_after_the_header_and_the_trailer_passes() -> None:
    scanner = CopyScanner(CopyForm.BINARY, exempt=frozenset({0}))
    assert scanner.feed(HEADER + row(VISA, VISA)) == HEADER + row(VISA, STARS)
    assert scanner.feed(row(VISA, None)) == row(VISA, None)
    assert scanner.feed(b"\xff\xff") == b"\xff\xff"
    assert (scanner.found, scanner.columns) == (1, {1: 1})


@given(st.lists(texts, max_size=5), st.sampled_from(list(CopyForm)), st.frozensets(st.integers(0, 3)))
def test_every_message_keeps_its_length(messages: list[bytes], form: CopyForm, exempt: frozenset[int]) -> None:
    scanner = CopyScanner(form, exempt)
    for message in messages:
        assert len(scanner.feed(message)) == len(message)


@given(st.lists(texts, max_size=5))
def test_however_rows_are_gathered_into_messages_none_keeps_its_number(rows: list[bytes]) -> None:
    one, many = CopyScanner(), CopyScanner()
    whole = one.feed(b"\n".join(rows))
    apart = b"\n".join(many.feed(each) for each in rows)
    assert whole == apart
    assert one.found == many.found
