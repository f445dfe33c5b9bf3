"""The text that is sent in the place of what the client wrote, and where its characters stand in the original.

Everything between the statements stays byte for byte. In front stands a comment with the decision id of the first, so
that the database's own log names the decision (`evidence.md`, Completeness). What is prepared carries that of its
Parse: the server's log shows it at each Execute, and the leaf of an Execute's decision names it (`mark`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.session.ruling import Ruling
from gateway.sql.plan import Plan


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement: where it starts in the sent and in the original text, in characters from 0."""

    sent: int
    original: int
    length: int
    """of the sent statement"""
    plan: Plan


@dataclass(frozen=True, slots=True)
class Positions:
    """Maps the server's error positions back."""

    pieces: tuple[Piece, ...] = ()

    def original(self, position: int) -> int | None:
        """The 1-based character of the client's text for a 1-based one of the sent text; None when there is none."""
        for piece in self.pieces:
            inside = position - 1 - piece.sent
            if 0 <= inside <= piece.length:
                mapped = piece.plan.original_position(inside + 1)
                return None if mapped is None else piece.original + mapped
        return None


NOWHERE: Final = Positions()


def compose(text: str, rulings: Sequence[Ruling]) -> tuple[str, Positions]:
    """Put each statement's plan in its place. Spans are UTF-8 byte offsets, in order and apart."""
    source = text.encode()
    out = [f"/* querywarden:{rulings[0].did} */ "] if rulings else []
    pieces: list[Piece] = []
    at, sent = 0, sum(map(len, out))
    for ruling in rulings:
        plan = ruling.plan
        if plan is None:
            raise TypeError("a refused statement has no text to send")
        start, stop = ruling.understood.span
        between = source[at:start].decode()
        sent += len(between)
        pieces.append(Piece(sent, len(source[:start].decode()), len(plan.text), plan))
        out += [between, plan.text]
        sent += len(plan.text)
        at = stop
    out.append(source[at:].decode())
    return "".join(out), Positions(tuple(pieces))
