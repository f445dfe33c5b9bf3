"""Frames become messages whatever way they were cut, and bytes that are no messages become none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.audit.replaying.stream import Noted, Said, events
from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.frames import Piece, What
from tests.cli.audit.replaying.world import session

DIDS = ("d1", "d2", "d3", "d4")
PIECES = list(session(DIDS))


def said(pieces: list[Piece]) -> list[tuple[bool, bytes]]:
    return [(event.sent, event.raw) for event in events(pieces) if isinstance(event, Said)]


@given(st.integers(1, 40))
def test_any_cutting_gives_the_same_messages(size: int) -> None:
    cut = []
    for piece in PIECES:
        step = len(piece.data) if piece.what is What.NOTE else size
        cut += [piece._replace(data=piece.data[at : at + step]) for at in range(0, len(piece.data), step)]
    assert said(cut) == said(PIECES)


def test_notes_and_messages_keep_their_order_and_their_statements() -> None:
    found = list(events(PIECES))
    assert [event.note.did for event in found if isinstance(event, Noted) and event.note.is_ == "statement"] == list(
        DIDS
    )
    queries = [event.statement for event in found if isinstance(event, Said) and event.kind == b"Q"]
    assert queries == [1, 3, 4]
    assert [event.t_ns for event in found if isinstance(event, Noted)] == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_message_begun_and_never_ended_is_none() -> None:
    assert said([Piece(What.SENT, 0, 0, b"Q\0\0\0\x20half")]) == []


@pytest.mark.parametrize("data", [b"Q\0\0\0\x03", b"Q\xff\xff\xff\xff"])
def test_bytes_that_are_no_messages_are_named(data: bytes) -> None:
    with pytest.raises(RecordingError) as caught:
        said([Piece(What.SENT, 0, 0, data)])
    assert caught.value.name == "recording.frames"


def test_a_note_that_is_none_is_named() -> None:
    with pytest.raises(RecordingError):
        list(events([Piece(What.NOTE, 0, 0, b"{")]))


def test_a_repr_shows_no_content() -> None:
    assert "secret" not in repr(Said(0, True, 0, b"Q", b"secret"))  # noqa: FBT003 -- a field
