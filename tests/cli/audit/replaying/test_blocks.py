"""What a person sees: each statement, how it ended and what came back; nothing in it moves the cursor."""

from gateway.cli.audit.replaying.blocks import Block, Blocks
from gateway.cli.audit.replaying.stream import events
from gateway.evidence.recording.frames import Piece, What
from gateway.wire.postgres import server_messages as server
from tests.cli.audit.replaying.world import HOSTILE, note, received, sent, session

DIDS = ("did-one", "did-two", "did-three", "did-four")


def blocks(pieces: list[Piece], rows: int = 50) -> list[Block]:
    return list(Blocks(rows=rows).of(events(pieces)))


def shown(pieces: list[Piece], rows: int = 50) -> str:
    return "".join(block.text for block in blocks(pieces, rows))


def test_statements_their_tables_and_their_outcomes_are_shown() -> None:
    text = shown(list(session(DIDS)))
    for part in (
        "#1 select  did-one", "SELECT id", "#1 done: 2 rows", "$1 = 7, $2 = NULL", "seven", "> 3\\tthree",
        "#3 done: COPY 1",
        "ERROR 42501: no", "hint: ask", "#4 deny: command.blocked", "the agent left", "NULL",
    ):  # fmt: skip
        assert part in text


def test_hostile_text_is_shown_and_never_obeyed() -> None:
    text = shown(list(session(DIDS)))
    assert "\\x1b[2Jgone\\u202e\\x07" in text
    assert all(character.isprintable() or character == "\n" for character in text)
    assert HOSTILE not in text


def test_colours_are_all_that_is_added() -> None:
    plain = shown(list(session(DIDS)))
    coloured = "".join(block.text for block in Blocks(colours=True).of(events(session(DIDS))))
    assert coloured.count("\x1b[2J") == 0
    assert "\x1b[1m" in coloured
    assert len(coloured) > len(plain)


def test_only_so_many_rows_are_shown_and_the_others_counted() -> None:
    rows = [server.data_row([b"%d" % n]) for n in range(10)]
    text = shown([received(0, *rows, server.command_complete("SELECT 10"))], rows=3)
    assert "… 7 more" in text
    assert text.count("\n") == 6


def test_a_block_has_the_time_of_what_it_shows() -> None:
    pieces = [piece._replace(t_ns=number) for number, piece in enumerate(session(DIDS))]
    times = [block.t_ns for block in blocks(pieces)]
    assert times == sorted(times)
    assert len(set(times)) > 10


def test_rows_without_a_description_are_numbered_and_broken_ones_said() -> None:
    text = shown(
        [received(0, server.data_row([b"a", b"b"]), b"D\0\0\0\x06\0\x09", server.command_complete("SELECT 2"))]
    )
    assert "a row that cannot be read" in text
    assert "1 ┃ 2" in text


def test_a_planned_statement_that_went_well_says_so_by_running() -> None:
    parse = b'{"is":"statement","did":"d","act":"select","phase":"parse"}'
    done = Piece(What.NOTE, 0, 1, b'{"is":"outcome","did":"d","outcome":"done"}')
    failed = note(1, "d", outcome="failed", code="42601")
    assert "done" not in shown([Piece(What.NOTE, 0, 1, parse), done])
    assert "failed: 42601" in shown([Piece(What.NOTE, 0, 1, parse), failed])


def test_what_is_sent_without_a_statement_is_passed_over() -> None:
    assert shown([sent(0, b"S\0\0\0\x04H\0\0\0\x04")]) == ""
