"""Fields: a message is read to its last byte or refused."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ProtocolError
from gateway.wire.postgres.fields import Fields, message, text

READS: list[Callable[[Fields], object]] = [
    Fields.int16,
    Fields.uint16,
    Fields.int32,
    Fields.uint32,
    Fields.value,
    Fields.rest,
    Fields.string,
    Fields.string_bytes,
    Fields.loose_string,
    Fields.end,
    lambda fields: fields.numbers("h"),
    lambda fields: fields.numbers("I"),
    lambda fields: fields.count(4),
    lambda fields: fields.take(3),
]


@given(data=st.binary(max_size=60), reads=st.lists(st.sampled_from(READS), max_size=20))
def test_reading_anything_from_arbitrary_bytes_ends_in_a_protocol_error_at_worst(
    data: bytes, reads: list[Callable[[Fields], object]]
) -> None:
    fields = Fields(data, 0)
    for read in reads:
        with suppress(ProtocolError):
            read(fields)
        assert 0 <= fields.left <= len(data)


@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_strings_come_back_as_they_were_sent(value: str) -> None:
    assert Fields(text(value), 0).string() == value


def test_a_string_with_nul_is_never_sent() -> None:
    with pytest.raises(ValueError, match="NUL"):
        text("a\0b")


def test_a_count_larger_than_the_message_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ProtocolError, match="count"):
        Fields(b"\xff\xff" + bytes(100), 0).numbers("I")


def test_a_negative_length_other_than_null_is_refused() -> None:
    with pytest.raises(ProtocolError):
        Fields(b"\xff\xff\xff\xfe", 0).value()
    assert Fields(b"\xff\xff\xff\xff", 0).value() is None


def test_invalid_utf8_has_its_own_code_and_can_be_read_loosely() -> None:
    with pytest.raises(ProtocolError, match=r"wire\.encoding"):
        Fields(b"\xff\0", 0).string()
    assert Fields(b"a\xff\0", 0).loose_string() == "a\N{REPLACEMENT CHARACTER}"


@given(parts=st.lists(st.binary(max_size=9), max_size=5))
def test_a_message_says_its_own_length(parts: list[bytes]) -> None:
    built = message(b"Q", *parts)
    assert int.from_bytes(built[1:5], "big") == len(built) - 1
    assert built[5:] == b"".join(parts)
