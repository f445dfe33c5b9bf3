"""What is still open at a point of the log: sessions and their next number, decisions without an outcome.

The writer numbers leaves by it, a restart learns from it what a crash cut short, the verifier walks the log with it.
"""

import hashlib
from collections import OrderedDict
from typing import Final

import msgspec

from gateway.core.events import EventType

MAX_ENDED: Final = 4096
"""sessions that have ended and whose stragglers are still numbered on"""
_ENDS: Final = frozenset({EventType.SESSION_CLOSED.value, EventType.AUTH_FAILED.value})


class Mark(msgspec.Struct, frozen=True):
    """The part of a leaf that says what is open. Other fields are passed over."""

    type: str
    seq: int
    ok: bool
    sid: str = ""
    did: str = ""
    res: str = ""
    act: str = ""


_MARKS: Final = msgspec.json.Decoder(Mark)


def mark_of(leaf: bytes) -> Mark:
    """Read what matters here. Raises msgspec.DecodeError."""
    return _MARKS.decode(leaf)


class Undecided(msgspec.Struct, frozen=True, array_like=True):
    """A decision that was let through and has no outcome yet."""

    did: str
    sid: str
    res: str
    act: str


class OpenState(msgspec.Struct, frozen=True, array_like=True):
    """A ledger, written down."""

    sessions: dict[str, tuple[int, str]]
    """session → its next number, its connection"""
    decisions: tuple[Undecided, ...]
    own: int
    """next number of the gateway's own leaves"""
    clean: bool


class Ledger:
    """Follows the leaves one by one."""

    def __init__(self, state: OpenState | None = None) -> None:
        self.sessions: dict[str, tuple[int, str]] = dict(state.sessions) if state else {}
        self.decisions: dict[str, Undecided] = {entry.did: entry for entry in state.decisions} if state else {}
        self.own = state.own if state else 1
        self.clean = state.clean if state else True
        """the last leaf closed the log, or there is none"""
        self._ended: OrderedDict[str, int] = OrderedDict()

    def next_number(self, sid: str) -> int:
        """The number the session's next leaf must have."""
        if not sid:
            return self.own
        if sid in self.sessions:
            return self.sessions[sid][0]
        return self._ended.get(sid, 1)

    def follow(self, mark: Mark) -> None:
        """Take in one leaf."""
        self.clean = mark.type == EventType.LOG_CLOSED
        if not mark.sid:
            self.own = mark.seq + 1
        elif mark.type == EventType.SESSION_OPENED or (mark.sid in self.sessions and mark.type not in _ENDS):
            known = self.sessions.get(mark.sid)
            self.sessions[mark.sid] = (mark.seq + 1, known[1] if known else mark.res)
        else:
            self.sessions.pop(mark.sid, None)
            self._end(mark)
        if mark.type == EventType.STATEMENT_DECIDED and mark.ok:
            self.decisions[mark.did] = Undecided(mark.did, mark.sid, mark.res, mark.act)
        elif mark.type == EventType.STATEMENT_FINISHED:
            self.decisions.pop(mark.did, None)

    def restart(self) -> None:
        """A new run of the log begins: its own leaves are numbered from 1 again."""
        self.own = 1

    def undecided(self, sid: str) -> list[Undecided]:
        """Decisions of one session without an outcome."""
        return [entry for entry in self.decisions.values() if entry.sid == sid]

    def open_digest(self) -> str:
        """`sha256:` over a line `sid next` for every open session, sorted: what a heartbeat says of them."""
        lines = "".join(f"{sid} {number}\n" for sid, (number, _) in sorted(self.sessions.items()))
        return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"

    def state(self) -> OpenState:
        """To be written down."""
        return OpenState(dict(self.sessions), tuple(self.decisions.values()), self.own, self.clean)

    def _end(self, mark: Mark) -> None:
        self._ended[mark.sid] = mark.seq + 1
        self._ended.move_to_end(mark.sid)
        while len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)
