"""What is still open at a point of the log: sessions and their next number, decisions without an outcome.

The writer numbers leaves by it, a restart learns from it what a crash cut short, the verifier walks the log with it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from gateway.core.events import EventType

MAX_ENDED: Final = 4096
"""sessions that have ended and whose stragglers are still numbered on"""
_ENDS: Final = frozenset({EventType.SESSION_CLOSED.value, EventType.AUTH_FAILED.value})
_LOG_CLOSED: Final = EventType.LOG_CLOSED.value
_OPENED: Final = EventType.SESSION_OPENED.value
_DECIDED: Final = EventType.STATEMENT_DECIDED.value
_FINISHED: Final = EventType.STATEMENT_FINISHED.value


class Told(Protocol):
    """What a ledger must know of a leaf."""

    @property
    def type(self) -> str:
        """As the leaf has it."""
        ...

    @property
    def seq(self) -> int:
        """Number in its session."""
        ...

    @property
    def ok(self) -> bool:
        """Of a decision: it was let through."""
        ...

    @property
    def sid(self) -> str:
        """Session; empty for the gateway itself."""
        ...

    @property
    def did(self) -> str:
        """Decision."""
        ...

    @property
    def res(self) -> str:
        """Connection."""
        ...

    @property
    def act(self) -> str:
        """Action."""
        ...


class Mark(msgspec.Struct, frozen=True, gc=False):
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

    def __init__(self, state: OpenState | None = None, ended: Mapping[str, int] | None = None) -> None:
        self.sessions: dict[str, tuple[int, str]] = dict(state.sessions) if state else {}
        self.decisions: dict[str, Undecided] = {entry.did: entry for entry in state.decisions} if state else {}
        self.own = state.own if state else 1
        self.clean = state.clean if state else True
        """the last leaf closed the log, or there is none"""
        self._ended: OrderedDict[str, int] = OrderedDict(ended or {})

    def next_number(self, sid: str) -> int:
        """The number the session's next leaf must have."""
        if not sid:
            return self.own
        if sid in self.sessions:
            return self.sessions[sid][0]
        return self._ended.get(sid, 1)

    def follow(self, mark: Told) -> None:
        """Take in one leaf."""
        kind, sid = mark.type, mark.sid
        self.clean = kind == _LOG_CLOSED
        if not sid:
            self.own = mark.seq + 1
        elif (known := self.sessions.get(sid)) is not None and kind not in _ENDS:
            self.sessions[sid] = (mark.seq + 1, known[1])
        elif kind == _OPENED:
            self.sessions[sid] = (mark.seq + 1, mark.res)
        else:
            self.sessions.pop(sid, None)
            self._end(mark)
        if kind == _DECIDED and mark.ok:
            self.decisions[mark.did] = Undecided(mark.did, sid, mark.res, mark.act)
        elif kind == _FINISHED:
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

    def ended(self) -> dict[str, int]:
        """Sessions that ended lately → their next number, the oldest first."""
        return dict(self._ended)

    def _end(self, mark: Told) -> None:
        self._ended[mark.sid] = mark.seq + 1
        self._ended.move_to_end(mark.sid)
        while len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)
