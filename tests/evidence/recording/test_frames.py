"""Frames come back as they were put in, and what is no frame is not read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.recording.frames import FrameError, Note, Piece, What, decode_note, encode_note, pack, unpack

PIECES = st.builds(
    Piece,
    st.sampled_from(What),
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 32) - 1),
    st.binary(max_size=80),
)


@given(st.lists(PIECES, max_size=8))
def test_frames_come_back_as_they_were(pieces: list[Piece]) -> None:
    assert list(unpack(pack(pieces))) == pieces


@given(st.lists(PIECES, min_size=1, max_size=4), st.data())
def test_a_cut_is_found_unless_it_falls_between_frames(pieces: list[Piece], data: st.DataObject) -> None:
    plain = pack(pieces)
    cut = data.draw(st.integers(1, len(plain) - 1))
    whole = {len(pack(pieces[:n])) for n in range(len(pieces))}
    if cut in whole:
        assert list(unpack(plain[:cut])) == pieces[: sorted(whole).index(cut)]
    else:
        with pytest.raises(FrameError):
            list(unpack(plain[:cut]))


def test_a_kind_nobody_knows_is_no_frame() -> None:
    with pytest.raises(FrameError, match="no known kind"):
        list(unpack(b"\x09" + bytes(16)))


def test_notes_come_back_and_others_are_none() -> None:
    note = Note(is_="outcome", did="d", outcome="deny", code="access.denied")
    assert decode_note(encode_note(note)) == note
    for bad in (b"", b"{}", b'{"is":"rumour","did":"d"}', b'{"is":"outcome","did":"d","more":1}', b"\xff"):
        with pytest.raises(FrameError):
            decode_note(bad)


def test_the_repr_of_a_frame_shows_nothing_of_it() -> None:
    assert "secret" not in repr(Piece(What.SENT, 1, 1, b"secret"))
