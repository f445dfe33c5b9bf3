"""Frames: any chunking gives the same ones, lengths that lie are refused, nothing in them is shown."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ProtocolError
from gateway.wire.postgres.fields import message
from gateway.wire.postgres.frames import (
    PASSWORD_MAX,
    ClientReader,
    DataRun,
    Frame,
    FrameReader,
    Received,
    ServerReader,
)

CONTENT = st.binary(max_size=40)
SERVER_FRAMES = st.lists(
    st.builds(message, st.sampled_from([b"D", b"d", b"T", b"C", b"Z", b"N"]), CONTENT), max_size=30
)


def chunked(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for cut in cuts:
        yield data[at : at + cut]
        at += cut
    yield data[at:]


def single_frames(items: Sequence[Received]) -> list[tuple[bytes, bytes]]:
    """Runs taken apart, because how rows are bundled depends on the chunks."""
    found: list[tuple[bytes, bytes]] = []
    for item in items:
        match item:
            case Frame():
                found.append((item.kind, bytes(item.payload)))
            case DataRun():
                payloads = [bytes(payload) for payload in item.payloads()]
                assert len(payloads) == item.count
                found.extend((item.kind, payload) for payload in payloads)
    return found


def opened(limit: int = 1 << 20) -> ClientReader:
    reader = ClientReader(limit)
    reader.open()
    return reader


def everything(reader: FrameReader, *chunks: bytes) -> list[Received]:
    return [item for chunk in chunks for item in reader.receive_data(chunk)]


@given(frames=SERVER_FRAMES, cuts=st.lists(st.integers(min_value=0, max_value=50), max_size=60))
def test_any_chunking_yields_the_same_frames(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    whole = everything(ServerReader(), data)
    pieces = everything(ServerReader(), *chunked(data, cuts))
    assert single_frames(pieces) == single_frames(whole) == [(frame[:1], frame[5:]) for frame in frames]


@given(frames=SERVER_FRAMES, cuts=st.lists(st.integers(min_value=0, max_value=50), max_size=60))
def test_no_byte_is_lost_or_changed(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    assert b"".join(item.raw for item in everything(ServerReader(), *chunked(data, cuts))) == data


@given(frames=SERVER_FRAMES, taken=st.integers(min_value=0, max_value=30), tail=st.binary(max_size=4))
def test_what_was_not_taken_comes_with_the_next_call_or_is_the_rest(
    frames: list[bytes], taken: int, tail: bytes
) -> None:
    data, reader = b"".join(frames) + tail, ServerReader()
    first = list(islice(reader.receive_data(data), taken))
    assert b"".join(item.raw for item in first) + reader.rest() == data
    second = everything(reader, b"")
    assert b"".join(item.raw for item in [*first, *second]) == b"".join(frames)
    assert reader.rest() == tail


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(min_value=0, max_value=20), max_size=20))
def test_arbitrary_bytes_never_raise_anything_but_a_protocol_error(data: bytes, cuts: list[int]) -> None:
    for reader in (ServerReader(64), opened(64), ClientReader(64)):
        with suppress(ProtocolError):
            everything(reader, *chunked(data, cuts))


@given(length=st.one_of(st.integers(0, 3), st.integers(1025, 2**32 - 1)))
def test_a_length_that_lies_is_refused_when_the_header_is_there(length: int) -> None:
    header = b"Q" + length.to_bytes(4, "big")
    reader = opened(1024)
    assert everything(reader, header[:4]) == []
    with pytest.raises(ProtocolError) as refused:
        everything(reader, header[4:])
    assert refused.value.code == ("wire.message_too_long" if length > 3 else "wire.malformed")


def test_frames_before_a_lying_one_are_given_and_none_after() -> None:
    reader = opened()
    items = reader.receive_data(message(b"Q", b"a\0") + b"Q\0\0\0\0" + message(b"Q", b"b\0"))
    assert isinstance(next(items), Frame)
    with pytest.raises(ProtocolError):
        next(items)
    with pytest.raises(ProtocolError):
        everything(reader, message(b"Q", b"c\0"))


def test_consecutive_rows_are_one_run_and_other_frames_end_it() -> None:
    row, tag = message(b"D", b"\0\1\0\0\0\1x"), message(b"C", b"SELECT 3\0")
    items = everything(ServerReader(), row * 3 + tag + row + message(b"d", b"y"))
    assert [(item.kind, getattr(item, "count", 0)) for item in items] == [(b"D", 3), (b"C", 0), (b"D", 1), (b"d", 1)]
    assert items[0].raw == row * 3


def test_a_chunk_of_rows_only_is_handed_on_without_a_copy() -> None:
    chunk = message(b"D", b"\0\0") * 100
    (run,) = everything(ServerReader(), chunk)
    assert run.raw is chunk


@given(count=st.integers(min_value=0, max_value=12))
def test_a_run_can_be_cut_after_any_number_of_rows(count: int) -> None:
    rows = [message(b"D", bytes(size)) for size in range(10)]
    run = DataRun(b"D", b"".join(rows), 10)
    cut = run.first(count)
    assert cut.raw == b"".join(rows[:count])
    assert cut.count == min(count, 10)


def test_before_the_client_is_authenticated_only_a_password_is_accepted() -> None:
    reader = ClientReader()
    (frame,) = everything(reader, message(b"p", b"secret\0"))
    assert frame.kind == b"p"
    with pytest.raises(ProtocolError, match=r"wire\.unknown_message"):
        everything(reader, message(b"Q", b"SELECT 1\0"))


def test_a_password_longer_than_64_kib_is_refused_by_its_header() -> None:
    with pytest.raises(ProtocolError, match=r"wire\.message_too_long"):
        everything(ClientReader(), b"p" + (PASSWORD_MAX + 1).to_bytes(4, "big"))


def test_once_open_a_password_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"wire\.unknown_message"):
        everything(opened(), message(b"p", b"secret\0"))


@pytest.mark.parametrize("kind", [b"S", b"H", b"X", b"c"])
def test_a_message_without_content_may_claim_none(kind: bytes) -> None:
    assert everything(opened(), message(kind))[0].raw == message(kind)
    with pytest.raises(ProtocolError):
        everything(opened(), message(kind, b"x"))


def test_a_large_frame_in_many_chunks_is_put_together_once() -> None:
    frame = message(b"Q", bytes(3_000_000))
    reader = opened(4_000_000)
    items = everything(reader, *(frame[at : at + 1000] for at in range(0, len(frame), 1000)))
    assert [item.raw for item in items] == [frame]


def test_reprs_show_no_content() -> None:
    secret = b"4111111111111111"
    shown = repr((Frame(b"Q", message(b"Q", secret)), DataRun(b"D", message(b"D", secret), 1)))
    assert "4111" not in shown
    assert Frame(b"Q", secret).__rich_repr__() == []
