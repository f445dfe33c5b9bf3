"""What our log says must stand in the database's: each mark with the texts that went out under it, and how often.

A mark is the decision id in the comment in front of a text. A simple query has its own; what is prepared has that of
its Parse, and each Execute's leaf names it (`data.mark`), as do further statements of a message with several.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Final

import msgspec

from gateway.core.events import EventType
from gateway.evidence.leaf import NAMED, Leaf, decode_leaf

_TYPES: Final = frozenset(
    {
        EventType.STATEMENT_DECIDED,
        EventType.STATEMENT_FINISHED,
        EventType.SESSION_OPENED,
        EventType.SESSION_CLOSED,
        EventType.CONFIG_LOADED,
    }
)
_PAIRS: Final = re.compile(r"(?:\( \? , \? \) , )+(?=\( \? , \? \))")
_RAN: Final = frozenset({"done", "suspended"})
_MAY_HAVE_RUN: Final = frozenset({"failed", "lost", "outcome_unknown"})
"""A text the server cannot read fails before it is logged."""
_ENDS_LATER: Final = 3600 * 1_000_000_000
"""nanoseconds; how long after its decision the end of a statement is waited for"""
_MADE_EARLIER: Final = 1_000_000_000
"""nanoseconds; an id is made a moment before its leaf"""
READS: Final = frozenset({"select", "show", "explain", "copy_out", "fetch", "begin", "commit", "rollback", "set"})
"""Actions that only log_statement = all logs"""


def own_hash(shapes: Iterable[str]) -> str:
    """What one of the gateway's own statements is known by: 16 hex characters of its redacted text, lists cut short."""
    return hashlib.sha256(_PAIRS.sub("", " ; ".join(shapes)).encode()).hexdigest()[:16]


@dataclass(slots=True)
class Sent:
    """One mark."""

    sid: str
    time_ns: int
    action: str
    refused: bool = False
    plans: list[str] = field(default_factory=list)
    """hex sha256 of the redacted text of each statement that stands behind it"""
    surely: int = 0
    """how often the server ran it, as far as it told us"""
    perhaps: int = 0
    """and how often more it may have"""
    seen: int = 0
    """how often its log has it"""
    timed: bool = False


@dataclass(slots=True)
class Seen:
    """One session of ours."""

    opened_ns: int
    closed_ns: int | None = None
    process: str = ""
    """of the server, the first that named it"""


@dataclass(slots=True)
class Ours:
    """Everything of one connection."""

    connection: str
    database: str = ""
    """its name on the server, as the configuration last said"""
    marks: dict[str, Sent] = field(default_factory=dict)
    sessions: dict[str, Seen] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    """`own_hash` of the gateway's own statements, as it named them when it started"""
    begin_ns: int = 0
    end_ns: int = 0
    """between these everything is there"""
    decisions: int = 0
    _pending: dict[str, Sent] = field(default_factory=dict)

    def covers(self, identifier: str) -> bool:
        """Whether what bears this id (UUIDv7: it begins with its time) would be here."""
        try:
            made_ns = int(identifier.replace("-", "")[:12], 16) * 1_000_000
        except ValueError:
            return True
        return self.begin_ns - _MADE_EARLIER <= made_ns <= self.end_ns

    def take(self, leaf: Leaf, facts: Mapping[str, object]) -> None:
        """One leaf, in the order of the log."""
        match leaf.type:
            case EventType.STATEMENT_DECIDED if leaf.res == self.connection:
                self._decided(leaf, facts)
            case EventType.STATEMENT_FINISHED:
                self._finished(leaf)
            case EventType.SESSION_OPENED if leaf.res == self.connection:
                self.sessions[leaf.sid] = Seen(int(leaf.t))
            case EventType.SESSION_CLOSED if leaf.sid in self.sessions:
                self.sessions[leaf.sid].closed_ns = int(leaf.t)
            case EventType.CONFIG_LOADED:
                self._configured(facts)
            case _:
                return

    def _configured(self, facts: Mapping[str, object]) -> None:
        own, connections = facts.get("own"), facts.get("connections")
        self.own.update(map(str, own) if isinstance(own, list) else ())
        mine = connections.get(self.connection) if isinstance(connections, dict) else None
        if isinstance(mine, dict):
            self.database = str(mine.get("database", ""))

    def _decided(self, leaf: Leaf, facts: Mapping[str, object]) -> None:
        self.decisions += 1
        phase, named = facts.get("phase"), str(facts.get("mark", ""))
        plan = intern(leaf.plan.removeprefix(NAMED))  # few different ones: kept once
        sent = self.marks.get(named or leaf.did)
        if sent is None:
            sent = Sent(intern(leaf.sid), int(leaf.t), intern(leaf.act), refused=not leaf.ok, plans=[plan] * leaf.ok)
            self.marks[named or leaf.did] = sent
        elif named and phase == "query":
            sent.plans.append(plan)
        if leaf.sid not in self.sessions:  # it was opened before what we look at
            self.sessions[leaf.sid] = Seen(0)
        if leaf.ok and phase != "parse" and (phase == "execute" or not named):
            sent.perhaps += 1
            self._pending[leaf.did] = sent

    def _finished(self, leaf: Leaf) -> None:
        sent = self._pending.pop(leaf.did, None)
        if sent is None or leaf.outcome in _MAY_HAVE_RUN:
            return
        sent.perhaps -= 1
        sent.surely += leaf.outcome in _RAN


def ours_of(
    leaves: Iterable[bytes], connection: str, body: Callable[[str], bytes | None], *, until_ns: int = 1 << 63
) -> Ours:
    """Read leaves, oldest first. `body` gives a body by its hex digest, for facts that did not fit into their leaf.

    Raises ValueError.
    """
    ours = Ours(connection)
    for number, data in enumerate(leaves):
        leaf = decode_leaf(data)
        time_ns = int(leaf.t)
        ours.begin_ns = time_ns if number == 0 else ours.begin_ns
        if time_ns > until_ns + _ENDS_LATER:
            break
        ours.end_ns = time_ns
        if leaf.type in _TYPES:
            ours.take(leaf, _facts(leaf, body))
    return ours


def _facts(leaf: Leaf, body: Callable[[str], bytes | None]) -> Mapping[str, object]:
    moved = leaf.moved_data()
    if not moved:
        return leaf.facts()
    stored = body(moved.removeprefix(NAMED))
    if stored is None:
        raise ValueError(f"the facts of a leaf are not there: {moved}")
    return msgspec.json.decode(stored, type=dict[str, object])
