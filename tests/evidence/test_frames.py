"""Frames of the write-ahead log: what is good comes back, and the first that is not ends the reading."""

import struct

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.frames import MAGIC, MAX_PAYLOAD, Kind, pack_frame, read_frames

frames = st.lists(st.tuples(st.sampled_from(Kind), st.integers(0, (1 << 64) - 1), st.binary(max_size=50)), max_size=8)


def pack(parts: list[tuple[Kind, int, bytes]]) -> bytes:
    return MAGIC + b"".join(pack_frame(*part) for part in parts)


def read(data: bytes) -> list[tuple[Kind, int, bytes]]:
    return [frame[:3] for frame in read_frames(data)]


def test_a_frame_is_laid_out_as_documented() -> None:
    crc = google_crc32c.value(struct.pack(">Q", 7) + b"Lleaf")
    assert pack_frame(Kind.LEAF, 7, b"leaf") == struct.pack(">IIQ", 5, crc, 7) + b"Lleaf"
    assert google_crc32c.value(b"123456789") == 0xE3069283  # the check value of CRC-32C


@given(frames)
def test_frames_come_back_and_say_where_they_end(parts: list[tuple[Kind, int, bytes]]) -> None:
    data = pack(parts)
    assert read(data) == parts
    assert [frame.end for frame in read_frames(data)] == [len(pack(parts[: n + 1])) for n in range(len(parts))]


def test_a_tail_torn_at_any_byte_leaves_every_frame_before_it() -> None:
    parts = [(Kind.START, 0, b"start"), (Kind.BODY, 0, b"body"), (Kind.LEAF, 0, b"leaf"), (Kind.LEAF, 1, b"")]
    ends = [len(pack(parts[:count])) for count in range(len(parts) + 1)]
    whole = pack(parts)
    for cut in range(len(MAGIC), len(whole)):
        assert read(whole[:cut]) == parts[: sum(end <= cut for end in ends) - 1]


@given(frames.filter(bool), st.data())
def test_a_changed_byte_ends_the_reading_at_its_frame(
    parts: list[tuple[Kind, int, bytes]], data: st.DataObject
) -> None:
    whole = bytearray(pack(parts))
    at = data.draw(st.integers(len(MAGIC), len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    good = sum(frame.end <= at for frame in read_frames(pack(parts)))
    assert read(bytes(whole)) == parts[:good]


@pytest.mark.parametrize("length", [0, 1, 4, 6, 1 << 20, MAX_PAYLOAD + 1, (1 << 32) - 1])
def test_a_lying_length_ends_the_reading(length: int) -> None:
    content = b"Lleaf"
    crc = google_crc32c.value(struct.pack(">Q", 0) + content[: max(length, 1)])
    lying = struct.pack(">IIQ", length, crc if length else google_crc32c.value(bytes(8)), 0) + content
    found = read(pack([(Kind.START, 0, b"")]) + lying)
    assert found[:1] == [(Kind.START, 0, b"")]
    assert found[1:] in ([], [(Kind.LEAF, 0, content[1:length])])
    assert length in {1, 4} or found[1:] == []


def test_an_unknown_kind_ends_the_reading() -> None:
    content = b"Xwhat"
    crc = google_crc32c.value(bytes(8) + content)
    assert read(MAGIC + struct.pack(">IIQ", 5, crc, 0) + content) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    assert all(frame.end <= len(data) for frame in read_frames(data, 0))
