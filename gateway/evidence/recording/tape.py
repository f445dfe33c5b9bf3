"""What one session says, waiting to be sealed: frames in order, cut into segments. It holds bytes and no clock.

The bytes are kept as the objects they came as; nothing is copied before a segment is made of them, in a thread.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from gateway.evidence.recording.frames import HEAD, PIECE_MAX, SEGMENT_MAX, Note, Piece, What, encode_note


class Draft(NamedTuple):
    """One segment to be sealed."""

    pieces: tuple[Piece, ...]
    first: int
    """the first statement that begins in it; 0 for none"""
    statements: int
    size: int
    """bytes"""


class Totals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the whole recording holds: the content of its last segment."""

    statements: int
    frames: int
    sent: int
    received: int
    """bytes"""


@dataclass(eq=False, slots=True)
class Tape:
    """One session's frames that are not sealed yet."""

    pending: int = 0
    """bytes waiting"""
    _sent: int = 0
    _received: int = 0
    _frames: int = 0
    _pieces: deque[Piece] = field(default_factory=deque)
    _numbers: dict[str, int] = field(default_factory=dict)
    """decision id → number, of the statements that are not over"""
    _begun: int = 0

    @property
    def totals(self) -> Totals:
        """What has been kept so far."""
        return Totals(statements=self._begun, frames=self._frames, sent=self._sent, received=self._received)

    def sent(self, t_ns: int, data: bytes, did: str = "") -> None:
        """What the agent sent, redacted."""
        self._sent += len(data)
        self._add(What.SENT, t_ns, self._numbers.get(did, 0), data)

    def received(self, t_ns: int, data: bytes, did: str = "") -> None:
        """What the agent received."""
        self._received += len(data)
        self._add(What.RECEIVED, t_ns, self._numbers.get(did, 0), data)

    def begins(self, t_ns: int, did: str, act: str, phase: str) -> None:
        """A statement begins."""
        self._begun += 1
        self._numbers[did] = self._begun
        self._note(t_ns, Note(is_="statement", did=did, act=act, phase=phase))

    def ends(self, t_ns: int, did: str, outcome: str, code: str = "", rows: int = 0) -> None:
        """How it ended. One that was never begun is passed over."""
        if did in self._numbers:
            self._note(t_ns, Note(is_="outcome", did=did, outcome=outcome, code=code, rows=rows))
            del self._numbers[did]

    def cut(self) -> Draft | None:
        """The next segment's frames; None when there are none."""
        pieces: list[Piece] = []
        size = first = statements = 0
        while self._pieces and (not pieces or size + _size(self._pieces[0]) <= SEGMENT_MAX):
            piece = self._pieces.popleft()
            size += _size(piece)
            pieces.append(piece)
            if piece.what is What.NOTE and piece.data.startswith(_BEGINS):
                first, statements = first or piece.statement, statements + 1
        self.pending -= size
        return Draft(tuple(pieces), first, statements, size) if pieces else None

    def _note(self, t_ns: int, note: Note) -> None:
        self._add(What.NOTE, t_ns, self._numbers[note.did], encode_note(note))

    def _add(self, what: What, t_ns: int, statement: int, data: bytes) -> None:
        size = len(data)
        if size <= PIECE_MAX:
            self._frames += 1
            self._pieces.append(Piece(what, t_ns, statement, data))
            self.pending += _HEAD + size
            return
        for at in range(0, len(data), PIECE_MAX):
            piece = Piece(what, t_ns, statement, data[at : at + PIECE_MAX])
            self._frames += 1
            self._pieces.append(piece)
            self.pending += _size(piece)


_HEAD = HEAD.size
_BEGINS = b'{"is":"statement"'


def _size(piece: Piece) -> int:
    return HEAD.size + len(piece.data)
