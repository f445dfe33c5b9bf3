"""Segments open in their place of their recording with their key, and nowhere else; no length is believed."""

import struct
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.recording.format import (
    CLEAR,
    END,
    MAGIC,
    PLAIN_MAX,
    Clear,
    Opener,
    RecordingError,
    Sealer,
    decode_clear,
    decode_header,
    encode_header,
    unpacked,
)
from tests.evidence.recording.world import KEY, OTHER, SID, header, segments


def opened(parts: list[bytes], front: bytes, key: bytes = KEY, sid: str = SID) -> list[bytes]:
    opener = Opener(key, sid, front)
    return [opener.open(decode_clear(part), part) for part in parts]


def name_of(part: bytes, *before: bytes, key: bytes = KEY, sid: str = SID, front: bytes = b"") -> str:
    with pytest.raises(RecordingError) as caught:
        opened([*before, part], front or segments()[0], key, sid)
    return caught.value.name


def test_segments_open_in_order_to_what_was_sealed() -> None:
    front = encode_header(header())
    sealer = Sealer(KEY, SID, front)
    plains = [b"", b"one", bytes(PLAIN_MAX)]
    parts = [sealer.seal(plain, first=number, statements=2) for number, plain in enumerate(plains)]
    assert opened(parts, front) == plains
    assert decode_clear(parts[2])[:4] == (2, 0, 2, 2)


def test_no_two_segments_of_a_recording_look_alike() -> None:
    _, parts = segments()
    assert parts[1] != parts[2]


def test_a_segment_that_is_too_long_is_not_sealed() -> None:
    with pytest.raises(RecordingError):
        Sealer(KEY, SID, b"").seal(bytes(PLAIN_MAX + 1))


@given(st.data())
def test_each_changed_byte_of_a_segment_is_found(data: st.DataObject) -> None:
    front, (first, *_) = segments()
    at, flip = data.draw(st.integers(0, len(first) - 1)), data.draw(st.integers(1, 255))
    changed = bytearray(first)
    changed[at] ^= flip
    assert name_of(bytes(changed), front=front) in {"recording.changed", "recording.length"}


@given(st.data())
def test_each_changed_byte_of_what_stands_in_front_is_found(data: st.DataObject) -> None:
    front, parts = segments()
    at, flip = data.draw(st.integers(0, len(front) - 1)), data.draw(st.integers(1, 255))
    changed = bytearray(front)
    changed[at] ^= flip
    assert name_of(parts[0], front=bytes(changed)) == "recording.changed"


def test_a_segment_that_was_moved_left_out_or_taken_from_another_session_does_not_open() -> None:
    front, parts = segments()
    assert name_of(parts[1], front=front) == "recording.changed"
    assert name_of(parts[2], parts[0], front=front) == "recording.changed"
    _, others = segments(OTHER)
    assert name_of(others[0], front=front) == "recording.changed"
    assert name_of(parts[0], sid=OTHER, front=front) == "recording.changed"
    assert name_of(parts[0], key=bytes(32), front=front) == "recording.changed"


@pytest.mark.parametrize(
    "clear",
    [
        Clear(0, 2, 0, 0, 1, 20), Clear(0, 0, 0, 0, PLAIN_MAX + 1, 20), Clear(0, 0, 0, 0, 1, 15),
        Clear(0, END, 0, 0, 1, 0xFFFFFFFF),
    ],
)  # fmt: skip
def test_a_length_no_writer_can_make_is_refused_before_anything_is_read(clear: Clear) -> None:
    with pytest.raises(RecordingError) as caught:
        decode_clear(CLEAR.pack(*clear))
    assert caught.value.name == "recording.length"


@pytest.mark.parametrize(
    "packed",
    [
        zstandard.compress(bytes(1 << 28)),  # says so
        zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 28)),  # does not
        zstandard.compress(bytes(10)) * 2,
        zstandard.compress(bytes(9)),
        b"no zstd at all",
        b"",
        zstandard.compress(bytes(10))[:-1],
    ],
)
def test_a_bomb_is_not_unpacked(packed: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError) as caught:
            unpacked(packed, Clear(0, 0, 0, 0, 10, 0))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.name == "recording.bomb"
    assert most < 1 << 20


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MAGIC,
        b"QWWAL" + bytes(40),
        MAGIC + struct.pack(">I", 1 << 31) + b"{}",
        MAGIC + struct.pack(">I", 9) + b"{}",
        MAGIC + struct.pack(">I", 2) + b"{}",
        encode_header(header()).replace(b'"v":1', b'"v":2'),
        encode_header(header()).replace(b"AES-256-GCM", b"NONE-256-GC"),
        encode_header(header()).replace(b'"1000"', b'"soon"'),
    ],
)  # fmt: skip
def test_what_is_no_header_is_named(data: bytes) -> None:
    with pytest.raises(RecordingError) as caught:
        decode_header(data)
    assert caught.value.name == "recording.header"


def test_a_header_comes_back_with_the_place_behind_it() -> None:
    data = encode_header(header())
    assert decode_header(data + b"more") == (header(), len(data))


def test_no_repr_shows_a_key() -> None:
    assert "AESGCM" not in repr(Sealer(KEY, SID, b"")) + repr(Opener(KEY, SID, b""))
