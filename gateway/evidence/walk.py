"""Goes through a log leaf by leaf and checks what the Merkle tree cannot: that nothing was left out of the story.

Numbers in a session run on without a gap, every decision that was let through has an outcome, heartbeats come and know
the same open sessions as the leaves before them, and every leaf is written the one canonical way. What a walk knows at
a leaf can be written down (`WalkState`), so that another one goes on from there.
"""

from typing import Final, NamedTuple

import msgspec

from gateway.core.events import EventType
from gateway.evidence.leaf import LeafError, decode_leaf, encode_leaf
from gateway.evidence.ledger import Ledger, OpenState, Told

HEARTBEAT_LATE_NS: Final = 15_000_000_000
"""between two heartbeats, or the opening and the first"""
_LET_THROUGH_UNKNOWN: Final = frozenset({"outcome_unknown", "not_forwarded"})
_NAMED: Final = len("sha256:")
_DECIDED: Final = EventType.STATEMENT_DECIDED.value
_FINISHED: Final = EventType.STATEMENT_FINISHED.value
_OF_STATEMENTS: Final = frozenset({_DECIDED, _FINISHED})
_OF_RECORDINGS: Final = frozenset({EventType.RECORDING_SEALED.value, EventType.RECORDING_SHREDDED.value})
_OPENED: Final = EventType.SESSION_OPENED.value
_CLOSED: Final = EventType.SESSION_CLOSED.value
SHREDDED: Final = EventType.BODY_SHREDDED.value
"""type of a leaf that names bodies which may be missing: their destruction was recorded"""


class Finding(NamedTuple):
    """Something an auditor must know. `grave` means that the log does not prove what it should."""

    name: str
    where: str
    text: str
    grave: bool = True


class Counts(msgspec.Struct, frozen=True):
    """How much there is."""

    leaves: int = 0
    decisions: int = 0
    sessions: int = 0
    unknown: int = 0
    """outcomes nobody knows"""
    recorded: int = 0
    """leaves that tell of recordings"""


class WalkState(msgspec.Struct, frozen=True, kw_only=True):
    """A walk at a leaf, written down."""

    counts: Counts
    open: OpenState
    ended: dict[str, int]
    """sessions that ended lately → their next number, the oldest first"""
    last_ns: str
    """time of the last leaf; text, as in leaves: not every reader of JSON takes so many digits"""
    beat_ns: str
    """time of the last sign of life"""
    running: bool
    """the log was opened and not closed"""
    anchored: dict[str, str] = {}
    """time-stamps that were kept beside the log: name → the token's `sha256:`"""


class Walk:
    """Feed it every leaf in order, then ask `finish`."""

    def __init__(self, origin: str, state: WalkState | None = None) -> None:
        self.findings: list[Finding] = []
        self.bodies = 0
        """how many different bodies the leaves of this walk name"""
        self.shredded: set[str] = set()
        counts = state.counts if state else Counts()
        self.leaves, self.decisions, self.sessions = counts.leaves, counts.decisions, counts.sessions
        self.unknown, self.recorded = counts.unknown, counts.recorded
        self.last_ns = int(state.last_ns) if state else 0
        self.previous: tuple[int, str] | None = None
        """size and root of the epoch before, when the first leaf names them"""
        self.anchored: dict[str, str] = dict(state.anchored) if state else {}
        """time-stamps that should lie beside the log: name → the token's `sha256:`"""
        self._origin = origin
        self._ledger = Ledger(state.open, state.ended) if state else Ledger()
        self._named: set[bytes] = set()
        self._new_bodies: list[tuple[str, int]] = []
        self._beat_ns = int(state.beat_ns) if state else 0
        self._open = state.running if state else False

    @property
    def closed(self) -> bool:
        """The last leaf closed the log."""
        return self._ledger.clean and self.leaves > 0

    def state(self) -> WalkState:
        """What it knows now."""
        return WalkState(
            counts=Counts(self.leaves, self.decisions, self.sessions, self.unknown, self.recorded),
            open=self._ledger.state(),
            ended=self._ledger.ended(),
            last_ns=str(self.last_ns),
            beat_ns=str(self._beat_ns),
            running=self._open,
            anchored=dict(self.anchored),
        )

    def leaf(self, index: int, data: bytes) -> None:
        """Take in one leaf."""
        self.leaves += 1
        try:
            leaf = decode_leaf(data)
            if encode_leaf(leaf) != data:
                self._find("leaf.not_canonical", index, "it could have been written in another way")
            time_ns = int(leaf.t)
            for named in (leaf.in_, leaf.out, leaf.body, leaf.moved_data()):
                if named:
                    self._name(named[_NAMED:], index)
            kind = leaf.type
            if kind in _SPECIAL:
                self._special(index, kind, leaf.facts(), time_ns)
        except (LeafError, ValueError):
            self._find("leaf.unreadable", index, "not a leaf of this log")
            return
        if leaf.scrubbed:
            self._find("leaf.scrubbed", index, f"a card number was blanked in {', '.join(leaf.scrubbed)}", grave=False)
        if time_ns < self.last_ns and kind != EventType.CLOCK_JUMPED:
            self._find("time.backwards", index, f"{self.last_ns - time_ns} ns before the leaf in front", grave=False)
        self.last_ns = time_ns
        self._number(index, leaf)
        if kind in _OF_STATEMENTS:
            self._outcome(index, leaf, leaf.outcome)
        elif kind in _OF_RECORDINGS:
            self.recorded += 1
        self._ledger.follow(leaf)

    def take_bodies(self) -> list[tuple[str, int]]:
        """(hex digest, index of the first leaf that names it) of bodies first named since the last call."""
        taken, self._new_bodies = self._new_bodies, []
        return taken

    def finish(self) -> None:
        """Say what is still open at the end of the log."""
        pending, closed = len(self._ledger.decisions), self.closed
        if pending:
            text = f"{pending} decisions have no outcome" + ("" if closed else " yet")
            self.findings.append(Finding("decision.unfinished", "the end", text, closed))
        if self._ledger.sessions:
            text = f"{len(self._ledger.sessions)} sessions are open"
            self.findings.append(Finding("session.open", "the end", text, closed))
        if not closed and self.leaves:
            text = "the log was not closed: it is being written, or was cut short"
            self.findings.append(Finding("log.open", "the end", text, grave=False))

    def _name(self, digest: str, index: int) -> None:
        raw = bytes.fromhex(digest)
        if raw not in self._named:
            self._named.add(raw)
            self.bodies += 1
            self._new_bodies.append((digest, index))

    def _number(self, index: int, leaf: Told) -> None:
        wanted = self._ledger.next_number(leaf.sid)
        if leaf.seq != wanted:
            name = "session.gap" if leaf.seq > wanted else "session.repeated"
            self._find(name, index, f"{leaf.sid or 'the gateway'}: number {leaf.seq} where {wanted} was due")
        if leaf.type == _OPENED:
            self.sessions += 1
        elif leaf.type == _CLOSED:
            for entry in self._ledger.undecided(leaf.sid):
                self._find("decision.unfinished", index, f"{entry.did} has no outcome when its session closes")

    def _outcome(self, index: int, leaf: Told, outcome: str) -> None:
        known = leaf.did in self._ledger.decisions
        if leaf.type == _DECIDED:
            self.decisions += 1
            if known:
                self._find("decision.repeated", index, f"{leaf.did} was decided before")
            return
        self.unknown += outcome in _LET_THROUGH_UNKNOWN
        if not known:
            self._find("decision.missing", index, f"{leaf.did} has an outcome, but no decision let it through")

    def _special(self, index: int, kind: str, facts: dict[str, object], time_ns: int) -> None:
        """Leaves of the log itself."""
        if kind == EventType.LOG_OPENED:
            self._ledger.restart()
            self._beat_ns, self._open = time_ns, True
            if index == 0:
                self._first(facts.get("previous"))
            if facts.get("origin") != (self._origin or facts.get("origin")) or facts.get("size") != index:
                self._find("log.misplaced", index, "the log was opened under another name or at another size")
        elif kind == EventType.LOG_CLOSED:
            self._late(index, time_ns)
            self._open = False
        elif kind == EventType.HEARTBEAT:
            self._late(index, time_ns)
            self._beat_ns = time_ns
            if facts.get("open") != len(self._ledger.sessions) or facts.get("digest") != self._ledger.open_digest():
                self._find("heartbeat.mismatch", index, "it knows other open sessions than the leaves before it")
        elif kind == SHREDDED:
            self.shredded |= {name for name in facts if facts[name] is True}
        elif kind == EventType.LOG_ANCHORED:
            self.anchored[str(facts.get("name"))] = str(facts.get("token"))
        else:
            self._trouble(index, kind, facts, time_ns)

    def _first(self, named: object) -> None:
        """A new epoch says why the one before could not be gone on with."""
        if isinstance(named, dict) and isinstance(named.get("size"), int):
            self.previous = named["size"], str(named.get("root"))
            text = f"a new epoch, because the one before could not be gone on with: {named.get('reason')}"
            self._find("epoch.begun", 0, text, grave=False)

    def _trouble(self, index: int, kind: str, facts: dict[str, object], time_ns: int) -> None:
        """Leaves that say that something was not as it should be."""
        if kind == EventType.LOG_DEGRADED:
            text = f"nothing could be recorded from {facts.get('start')} to {facts.get('end')} ({facts.get('cause')})"
            self._find("log.degraded", index, text, grave=bool(facts.get("lost")))
            self._beat_ns = time_ns
        elif kind == EventType.LOG_RECOVERED:
            text = f"the gateway had stopped without closing the log; {facts.get('decisions')} decisions had no outcome"
            self._find("log.recovered", index, text, grave=False)
        elif kind == EventType.CLOCK_JUMPED:
            text = f"the machine's clock was set {_seconds(facts.get('by_ns'))}; times before and after do not compare"
            self._find("clock.jumped", index, text, grave=False)
            self._beat_ns = time_ns

    def _late(self, index: int, time_ns: int) -> None:
        if self._open and time_ns - self._beat_ns > HEARTBEAT_LATE_NS:
            seconds = (time_ns - self._beat_ns) / 1e9
            self._find("heartbeat.late", index, f"{seconds:.0f} s without a heartbeat", grave=False)

    def _find(self, name: str, index: int, text: str, *, grave: bool = True) -> None:
        self.findings.append(Finding(name, f"leaf {index}", text, grave))


def _seconds(by_ns: object) -> str:
    """A jump in words; the leaf has nanoseconds as text."""
    try:
        seconds = int(str(by_ns)) / 1e9
    except ValueError:
        return "elsewhere"
    return f"{abs(seconds):.1f} s {'back' if seconds < 0 else 'ahead'}"


_SPECIAL: Final = frozenset(
    {
        EventType.LOG_OPENED.value,
        EventType.LOG_CLOSED.value,
        EventType.LOG_DEGRADED.value,
        EventType.LOG_RECOVERED.value,
        EventType.HEARTBEAT.value,
        EventType.CLOCK_JUMPED.value,
        EventType.LOG_ANCHORED.value,
        SHREDDED,
    }
)
