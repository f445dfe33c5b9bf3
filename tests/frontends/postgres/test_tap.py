"""What a tap puts on the tape: in the order it came, redacted when it is known what it was, and never more."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from gateway.core.verdict import Outcome
from gateway.evidence.recording.frames import SEGMENT_MAX, Piece, What, decode_note
from gateway.evidence.recording.store import Recording
from gateway.evidence.recording.tape import Tape
from gateway.frontends.postgres.tap import Heard, Tap
from gateway.session.exchange import Entry, Step, Wait
from gateway.session.ruling import Leg
from gateway.session.shape import Shape
from gateway.session.task import Phase, Settled, Task
from gateway.wire.postgres import client_messages as client
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import DataRun, Frame
from tests.session import fakes

CARD = "4111111111111111"
QUERY = client.query("SELECT 'value'")
BLANK = client.query("SELECT '*****'")


@dataclass
class Deck:
    """A recording without a disk: its tape, and a clock that ticks."""

    tape: Tape = field(default_factory=Tape)
    ticks: int = 0
    told: int = 0
    closed: bool = False

    def now(self) -> int:
        self.ticks += 1
        return self.ticks

    def kept(self) -> None:
        self.told += 1

    async def close(self) -> dict[str, object]:
        self.closed = True
        return {"content": "full"}


@pytest.fixture
def deck() -> Deck:
    return Deck()


@pytest.fixture
def tap(deck: Deck) -> Tap:
    return Tap(cast("Recording", deck))


def frame(raw: bytes) -> Frame:
    return Frame(raw[:1], raw)


def pieces(deck: Deck) -> Iterator[Piece]:
    while (draft := deck.tape.cut()) is not None:
        yield from draft.pieces


def said(deck: Deck) -> list[tuple[What, int, bytes]]:
    return [(piece.what, piece.statement, piece.data) for piece in pieces(deck) if piece.what is not What.NOTE]


def test_a_message_keeps_its_values_once_it_is_known_that_it_may(deck: Deck, tap: Tap) -> None:
    tap.arrived(frame(QUERY))
    tap.judged([fakes.leg("SELECT 'value'", "d1")], Phase.QUERY)
    tap.settled()
    assert said(deck) == [(What.SENT, 1, QUERY)]


def test_one_that_nobody_judged_keeps_none(deck: Deck, tap: Tap) -> None:
    tap.arrived(frame(QUERY))
    tap.settled()
    tap.arrived(frame(QUERY))
    tap.arrived(frame(client.SYNC))
    tap.settled()
    assert said(deck) == [(What.SENT, 0, BLANK), (What.SENT, 0, BLANK), (What.SENT, 0, client.SYNC)]


def test_one_of_several_that_may_not_is_enough(deck: Deck, tap: Tap) -> None:
    labelled = fakes.with_facts(fakes.statement(labels=("pan",)))
    legs = [fakes.leg(did="d1"), Leg(labelled, "d2", b"")]
    tap.arrived(frame(QUERY))
    tap.judged(legs, Phase.QUERY)
    assert said(deck) == [(What.SENT, 1, BLANK)]


def test_what_is_shown_while_a_message_is_judged_comes_behind_it(deck: Deck, tap: Tap) -> None:
    tap.arrived(frame(QUERY))
    tap.wrote(server.PARSE_COMPLETE)
    assert said(deck) == []
    tap.judged([fakes.leg("SELECT 'value'", "d1")], Phase.QUERY)
    tap.wrote(server.BIND_COMPLETE)
    kept = said(deck)
    assert kept == [
        (What.SENT, 1, QUERY),
        (What.RECEIVED, 0, server.PARSE_COMPLETE),
        (What.RECEIVED, 1, server.BIND_COMPLETE),
    ]


def test_times_do_not_go_back(deck: Deck, tap: Tap) -> None:
    tap.arrived(frame(QUERY))
    tap.wrote(server.PARSE_COMPLETE)
    tap.judged([fakes.leg()], Phase.QUERY)
    tap.settled()
    times = [piece.t_ns for piece in pieces(deck)]
    assert times == sorted(times)


def test_too_much_behind_a_message_is_not_waited_with(deck: Deck, tap: Tap) -> None:
    tap.arrived(frame(QUERY))
    tap.wrote(client.copy_data(bytes(SEGMENT_MAX)))
    tap.judged([fakes.leg("SELECT 'value'", "d1")], Phase.QUERY)
    assert said(deck)[0] == (What.SENT, 0, BLANK)


def test_statements_begin_and_end_in_notes(deck: Deck, tap: Tap) -> None:
    ruling, refused = fakes.ruling(), fakes.ruling(Outcome.DENY)
    task = Task(ruling, Phase.QUERY, 0, rows=3)
    tap.arrived(frame(QUERY))
    tap.judged([fakes.leg(did=ruling.did)], Phase.QUERY)
    tap.ended(task, Settled.DONE)
    tap.judged([fakes.leg(did=refused.did)], Phase.PARSE)
    tap.refused([refused])
    tap.judged([fakes.leg(did="late")], Phase.EXECUTE)
    tap.failed([fakes.leg(did="late")], "evidence.unavailable")
    notes = [decode_note(piece.data) for piece in pieces(deck) if piece.what is What.NOTE]
    assert [(note.act, note.phase, note.outcome, note.code, note.rows) for note in notes] == [
        ("select", "query", "", "", 0), ("", "", "done", "", 3), ("select", "parse", "", "", 0),
        ("", "", "deny", "policy.denied", 0), ("select", "execute", "", "", 0),
        ("", "", "unavailable", "evidence.unavailable", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "text", "kept"), [((), b"", b"value"), (("pan",), b"", b"*****"), ((), b"SET password = $1", b"*****")]
)
def test_parameters_are_kept_as_their_statement_allows(
    deck: Deck, tap: Tap, labels: tuple[str, ...], text: bytes, kept: bytes
) -> None:
    tap.arrived(frame(client.bind("", "", [b"value"])))
    tap.bound(fakes.statement(labels=labels), text)
    assert said(deck) == [(What.SENT, 0, client.bind("", "", [kept]))]


def test_pieces_of_one_statement_that_follow_each_other_are_one_frame(deck: Deck, tap: Tap) -> None:
    tap.judged([fakes.leg(did="d1"), fakes.leg(did="d2")], Phase.QUERY)
    tap.expect([Heard("d1", b"a"), Heard("d1", b"b"), Heard("d2", b"c"), Heard("", b"z")])
    tap.wrote(b"abcz")
    tap.settled()
    tap.wrote(b"Z\0\0\0\x05I")
    assert said(deck) == [
        (What.RECEIVED, 1, b"ab"), (What.RECEIVED, 2, b"c"), (What.RECEIVED, 0, b"z"),
        (What.RECEIVED, 0, b"Z\0\0\0\x05I"),
    ]  # fmt: skip


def test_rows_of_an_open_connection_are_looked_at_here(tap: Tap) -> None:
    row = server.data_row([CARD.encode()])
    step = Step(task=Task(fakes.ruling(), Phase.QUERY, 0))
    run = DataRun(b"D", row, 1)
    assert tap.piece(run, step, row, guarded=True) == Heard("did-1", row), "the net has passed them"
    assert tap.piece(run, step, row, guarded=False) == Heard("did-1", server.data_row([b"*" * 16]))


def test_of_columns_the_net_left_alone_no_card_number_is_kept(tap: Tap) -> None:
    row = server.data_row([CARD.encode(), b"visa"])
    seen = Task(fakes.ruling(), Phase.QUERY, 0, shape=Shape(frozenset({0}), (25, 25), (0, 0)))
    heard = tap.piece(DataRun(b"D", row, 1), Step(Entry(Wait.QUERY), seen), row, guarded=True)
    assert heard.kept == server.data_row([b"*" * 16, b"visa"])


def test_copy_data_is_kept_as_its_statement_allows_and_held_until_what_follows_is_known(deck: Deck, tap: Tap) -> None:
    answer = server.copy_response(b"G", 0, [0])
    entry = Entry(Wait.QUERY)
    tap.piece(frame(answer), Step(entry, Task(fakes.ruling(), Phase.QUERY, 0)), answer, guarded=True)
    for part in (CARD[:5], CARD[5:]):
        tap.arrived(DataRun(b"d", client.copy_data(part.encode()), 1))
    tap.arrived(frame(client.COPY_DONE))
    tap.settled()
    kept = b"".join(data for _, _, data in said(deck))
    assert kept == client.copy_data(b"*****") + client.copy_data(b"*" * 11) + client.COPY_DONE


def test_of_copy_data_nobody_asked_for_only_the_length_is_kept(deck: Deck, tap: Tap) -> None:
    tap.arrived(DataRun(b"d", client.copy_data(b"12 ab"), 1))
    assert said(deck) == [(What.SENT, 0, client.copy_data(bytes(5)))]


async def test_at_its_end_everything_is_on_the_tape(deck: Deck, tap: Tap) -> None:
    tap.arrived(frame(client.TERMINATE))
    tap.wrote(server.error_response(severity="FATAL", sqlstate="57P01", message="good-bye"))
    assert await tap.close() == {"content": "full"}
    assert [what for what, _, _ in said(deck)] == [What.SENT, What.RECEIVED]
    assert deck.closed
    assert deck.told > 0
