"""Values as a person reads them: what the server itself writes as text for the same binary value."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.audit.replaying.values import shown_value

KNOWN = [
    (16, b"\x01", "true"), (16, b"\0", "false"), (20, struct.pack(">q", -5), "-5"), (21, b"\0\x07", "7"),
    (23, b"\0\0\0\x07", "7"), (26, b"\xff\xff\xff\xff", "4294967295"), (701, struct.pack(">d", 1.5), "1.5"),
    (25, "é".encode(), "é"), (2950, bytes(16), "00000000-0000-0000-0000-000000000000"),
    (1082, struct.pack(">i", 1), "2000-01-02"), (1114, struct.pack(">q", 1_000_000), "2000-01-01 00:00:01.000000"),
    (1184, struct.pack(">q", 0), "2000-01-01 00:00:00.000000+00"), (3802, b"\x01{}", "{}"),
    (1700, struct.pack(">HhHHHH", 2, 1, 0, 0, 12, 34), "120034"),
    (1700, struct.pack(">HhHHHH", 2, 0, 0x4000, 2, 1, 5000), "-1.50"),
    (1700, struct.pack(">HhHH", 0, 0, 0, 2), "0.00"), (1700, struct.pack(">HhHH", 0, 0, 0xC000, 0), "NaN"),
    (1700, struct.pack(">HhHHH", 1, -2, 0, 6, 1234), "0.000012"),
    (1700, struct.pack(">HhHHH", 1, 2, 0, 0, 5), "500000000"),
    (600, b"\x01\x02", "\\x0102"), (23, b"\x01", "\\x01"), (25, b"\xff", "\\xff"),
]  # fmt: skip


@pytest.mark.parametrize(("type_oid", "value", "text"), KNOWN)
def test_binary_values_of_known_types_are_read_and_others_are_hexadecimal(
    type_oid: int, value: bytes, text: str
) -> None:
    assert shown_value(value, type_oid, 1) == text


def test_text_is_text_and_null_is_none() -> None:
    assert shown_value(b"4711", 23, 0) == "4711"
    assert shown_value(b"\xff", 25, 0) == "\N{REPLACEMENT CHARACTER}"
    assert shown_value(None, 23, 1) is None


@given(st.binary(max_size=24), st.sampled_from([16, 20, 21, 23, 25, 700, 701, 1082, 1114, 1184, 1700, 2950, 3802, 9]))
def test_nothing_that_can_stand_in_a_value_is_an_error(value: bytes, type_oid: int) -> None:
    assert isinstance(shown_value(value, type_oid, 1), str)
