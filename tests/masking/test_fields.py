"""Rows are cut where PostgreSQL says, and types are read as they print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.masking.fields import Reading, field_spans, reading_of, readings
from tests.masking.test_detect import row


def test_spans_are_where_the_bytes_are() -> None:
    assert field_spans(row(b"ab", None, b"", b"c")) == [(6, 8), (0, 0), (16, 16), (20, 21)]


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\1", b"\0\1\0\0\0\5ab", b"\0\1\xff\xff\xff\xfe", row(b"a") + b"x"])
def test_what_is_no_row_has_no_spans(payload: bytes) -> None:
    assert field_spans(payload) is None


@given(st.binary(max_size=40))
def test_spans_lie_within_the_payload(payload: bytes) -> None:
    for start, end in field_spans(payload) or []:
        assert 0 <= start <= end <= len(payload)


@pytest.mark.parametrize(
    ("oid", "binary", "expected"),
    [
        (25, False, Reading.TEXT),
        (25, True, Reading.TEXT),
        (17, True, Reading.TEXT),
        (114, False, Reading.NUMBER),
        (3802, True, Reading.NUMBER),
        (20, False, Reading.NUMBER),
        (20, True, Reading.SKIP),
        (1700, True, Reading.SKIP),
        (1016, False, Reading.TEXT),
        (30, False, Reading.SKIP),
        (2950, False, Reading.SKIP),
        (999_999, True, Reading.TEXT),
    ],
)
def test_a_type_is_read_as_it_prints(oid: int, *, binary: bool, expected: Reading) -> None:
    assert reading_of(oid, binary=binary) is expected


def test_readings_follow_the_row_description() -> None:
    assert readings([(25, 0), (20, 1)]) == (Reading.TEXT, Reading.SKIP)
