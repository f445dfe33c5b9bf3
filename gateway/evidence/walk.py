"""Goes through a log leaf by leaf and checks what the Merkle tree cannot: that nothing was left out of the story.

Numbers in a session run on without a gap, every decision that was let through has an outcome, heartbeats come and know
the same open sessions as the leaves before them, and every leaf is written the one canonical way.
"""

from typing import Final, NamedTuple

from gateway.core.events import EventType
from gateway.evidence.leaf import LeafError, decode_leaf, encode_leaf
from gateway.evidence.ledger import Ledger, Mark

HEARTBEAT_LATE_NS: Final = 15_000_000_000
"""between two heartbeats, or the opening and the first"""
SHREDDED: Final = "body.shredded"
"""type of a leaf that names bodies which may be missing: their destruction was recorded"""
_LET_THROUGH_UNKNOWN: Final = frozenset({"outcome_unknown", "not_forwarded"})


class Finding(NamedTuple):
    """Something an auditor must know. `grave` means that the log does not prove what it should."""

    name: str
    where: str
    text: str
    grave: bool = True


class Walk:
    """Feed it every leaf in order, then ask `finish`."""

    def __init__(self, origin: str) -> None:
        self.findings: list[Finding] = []
        self.bodies = 0
        """how many different bodies the leaves name"""
        self.shredded: set[str] = set()
        self.leaves = self.decisions = self.sessions = self.unknown = 0
        self.last_ns = 0
        self._origin = origin
        self._ledger = Ledger()
        self._next: dict[str, int] = {}
        self._named: set[bytes] = set()
        self._new_bodies: list[tuple[str, int]] = []
        self._beat_ns = 0
        self._open = False

    def leaf(self, index: int, data: bytes) -> None:
        """Take in one leaf."""
        self.leaves += 1
        try:
            leaf = decode_leaf(data)
            if encode_leaf(leaf) != data:
                self._find("leaf.not_canonical", index, "it could have been written in another way")
            time_ns = int(leaf.t)
            for digest in leaf.bodies().values():
                self._name(digest, index)
            if leaf.type in _SPECIAL:
                self._special(index, leaf.type, leaf.facts(), time_ns)
        except (LeafError, ValueError):
            self._find("leaf.unreadable", index, "not a leaf of this log")
            return
        if leaf.scrubbed:
            self._find("leaf.scrubbed", index, f"a card number was blanked in {', '.join(leaf.scrubbed)}", grave=False)
        if time_ns < self.last_ns:
            self._find("time.backwards", index, f"{self.last_ns - time_ns} ns before the leaf in front", grave=False)
        self.last_ns = time_ns
        mark = Mark(leaf.type, leaf.seq, leaf.ok, leaf.sid, leaf.did, leaf.res, leaf.act)
        self._number(index, mark)
        self._outcome(index, mark, leaf.outcome)
        self._ledger.follow(mark)

    def take_bodies(self) -> list[tuple[str, int]]:
        """(hex digest, index of the first leaf that names it) of bodies first named since the last call."""
        taken, self._new_bodies = self._new_bodies, []
        return taken

    def finish(self) -> None:
        """Say what is still open at the end of the log."""
        pending, closed = len(self._ledger.decisions), self._ledger.clean and self.leaves > 0
        if pending:
            text = f"{pending} decisions have no outcome" + ("" if closed else " yet")
            self.findings.append(Finding("decision.unfinished", "the end", text, closed))
        if self._ledger.sessions:
            text = f"{len(self._ledger.sessions)} sessions are open"
            self.findings.append(Finding("session.open", "the end", text, closed))
        if not closed and self.leaves:
            self.findings.append(
                Finding(
                    "log.open", "the end", "the log was not closed: it is being written, or was cut short", grave=False
                )
            )

    def _name(self, digest: str, index: int) -> None:
        raw = bytes.fromhex(digest)
        if raw not in self._named:
            self._named.add(raw)
            self.bodies += 1
            self._new_bodies.append((digest, index))

    def _number(self, index: int, mark: Mark) -> None:
        wanted = self._next.get(mark.sid, 1)
        if mark.seq != wanted:
            name = "session.gap" if mark.seq > wanted else "session.repeated"
            self._find(name, index, f"{mark.sid or 'the gateway'}: number {mark.seq} where {wanted} was due")
        self._next[mark.sid] = mark.seq + 1
        if mark.type == EventType.SESSION_OPENED:
            self.sessions += 1
        elif mark.type == EventType.SESSION_CLOSED:
            for entry in self._ledger.undecided(mark.sid):
                self._find("decision.unfinished", index, f"{entry.did} has no outcome when its session closes")

    def _outcome(self, index: int, mark: Mark, outcome: str) -> None:
        if mark.type == EventType.STATEMENT_DECIDED:
            self.decisions += 1
            if mark.did in self._ledger.decisions:
                self._find("decision.repeated", index, f"{mark.did} was decided before")
        elif mark.type == EventType.STATEMENT_FINISHED:
            self.unknown += outcome in _LET_THROUGH_UNKNOWN
            if mark.did not in self._ledger.decisions:
                self._find("decision.missing", index, f"{mark.did} has an outcome, but no decision let it through")

    def _special(self, index: int, kind: str, facts: dict[str, object], time_ns: int) -> None:
        """Leaves of the log itself."""
        if kind == EventType.LOG_OPENED:
            self._next[""] = 1
            self._beat_ns, self._open = time_ns, True
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
        elif kind == EventType.LOG_DEGRADED:
            text = f"nothing could be recorded from {facts.get('start')} to {facts.get('end')} ({facts.get('cause')})"
            self._find("log.degraded", index, text, grave=bool(facts.get("lost")))
            self._beat_ns = time_ns
        elif kind == EventType.LOG_RECOVERED:
            text = f"the gateway had stopped without closing the log; {facts.get('decisions')} decisions had no outcome"
            self._find("log.recovered", index, text, grave=False)
        elif kind == SHREDDED:
            self.shredded |= {name for name in facts if facts[name] is True}

    def _late(self, index: int, time_ns: int) -> None:
        if self._open and time_ns - self._beat_ns > HEARTBEAT_LATE_NS:
            seconds = (time_ns - self._beat_ns) / 1e9
            self._find("heartbeat.late", index, f"{seconds:.0f} s without a heartbeat", grave=False)

    def _find(self, name: str, index: int, text: str, *, grave: bool = True) -> None:
        self.findings.append(Finding(name, f"leaf {index}", text, grave))


_SPECIAL: Final = frozenset(
    {
        EventType.LOG_OPENED.value,
        EventType.LOG_CLOSED.value,
        EventType.LOG_DEGRADED.value,
        EventType.LOG_RECOVERED.value,
        EventType.HEARTBEAT.value,
        SHREDDED,
    }
)
