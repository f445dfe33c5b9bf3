"""A tape keeps what it is given, in order, and is cut into segments of a size."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.recording.frames import HEAD, PIECE_MAX, SEGMENT_MAX, Piece, What, decode_note, pack
from gateway.evidence.recording.tape import Draft, Tape, Totals


def all_of(tape: Tape) -> list[Draft]:
    drafts = []
    while (draft := tape.cut()) is not None:
        drafts.append(draft)
    return drafts


SIZES = [0, 1, 30, 70_000, PIECE_MAX, 3 * PIECE_MAX + 5]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(SIZES)), max_size=12))
def test_both_directions_come_out_as_they_went_in_and_no_segment_is_too_long(said: list[tuple[bool, int]]) -> None:
    tape = Tape()
    sent = received = b""
    for number, (by_agent, size) in enumerate(said):
        data = bytes((number,)) * size
        if by_agent:
            tape.sent(number, data)
            sent += data
        else:
            tape.received(number, data)
            received += data
    totals = tape.totals
    drafts = all_of(tape)
    pieces = [piece for draft in drafts for piece in draft.pieces]
    assert stream(pieces, What.SENT) == sent
    assert stream(pieces, What.RECEIVED) == received
    assert [piece.t_ns for piece in pieces] == sorted(piece.t_ns for piece in pieces)
    assert all(len(pack(draft.pieces)) == draft.size <= SEGMENT_MAX + HEAD.size for draft in drafts)
    assert (totals.sent, totals.received, totals.frames, tape.pending) == (len(sent), len(received), len(pieces), 0)


def stream(pieces: list[Piece], what: What) -> bytes:
    return b"".join(piece.data for piece in pieces if piece.what is what)


def test_frames_carry_the_number_of_their_statement_from_its_beginning_to_its_end() -> None:
    tape = Tape()
    tape.sent(0, b"before", "d1")
    tape.begins(1, "d1", "select", "query")
    tape.begins(1, "d2", "insert", "query")
    tape.sent(2, b"both", "d1")
    tape.received(3, b"one", "d1")
    tape.ends(4, "d1", "done", rows=1)
    tape.received(5, b"late", "d1")
    tape.ends(6, "d2", "failed", "22012")
    tape.ends(7, "never begun", "done")
    (draft,) = all_of(tape)
    assert (draft.first, draft.statements) == (1, 2)
    assert [(piece.statement, piece.data) for piece in draft.pieces if piece.what is not What.NOTE] == [
        (0, b"before"), (1, b"both"), (1, b"one"), (0, b"late"),
    ]  # fmt: skip
    notes = [(piece.statement, decode_note(piece.data)) for piece in draft.pieces if piece.what is What.NOTE]
    assert [(number, note.is_, note.outcome, note.code, note.rows) for number, note in notes] == [
        (1, "statement", "", "", 0), (2, "statement", "", "", 0), (1, "outcome", "done", "", 1),
        (2, "outcome", "failed", "22012", 0),
    ]  # fmt: skip
    assert tape.totals == Totals(statements=2, frames=8, sent=10, received=7)


def test_each_segment_says_which_statements_begin_in_it() -> None:
    tape = Tape()
    for number in range(40):
        tape.begins(number, f"d{number}", "select", "query")
        tape.received(number, bytes(20_000), f"d{number}")
    drafts = all_of(tape)
    assert len(drafts) > 2
    begun = [number for draft in drafts for number in range(draft.first, draft.first + draft.statements)]
    assert begun == list(range(1, 41))
