"""Our log beside the database's own: what went round the gateway, and what either of them lacks.

The entry is `reconcile`: records of a PostgreSQL log and what our log says of one connection in, a `Reconciliation`
out. Pure, one pass over the records, in memory that grows with our marks and never with the server's log. A statement
is ours when a mark of ours stands in front of it, in the one server session that carries the name of our session, when
its text is the one we recorded, and when it ran no oftener than was decided. Everything else is named.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from gateway.evidence.reconcile_findings import Finding, Findings, Kind
from gateway.evidence.reconcile_ours import READS, Ours, Seen, Sent, own_hash
from gateway.evidence.reconcile_record import Record, Unread

VERSION: Final = 1
SLACK_NS: Final = 60_000_000_000
MISSING_MAX: Final = 100
OFFSETS_MAX: Final = 100_001
_LATEST: Final = 101
OUR_LOG: Final = "our own log"
OWN_NAMES: Final = frozenset({"querywarden/catalog", "querywarden/doctor"})
REFUSED_TEXT: Final = "querywarden refused"
"""what the gateway sends in a refused statement's place: no server can read it"""
_SESSION: Final = "qw/"
_MARK: Final = re.compile(r"/\* querywarden:([0-9a-f-]{36}) \*/ ")
_SAID: Final = re.compile(
    r"(?:duration: [0-9.]+ ms  )?(?:(?P<kind>statement|fastpath function call)|(?P<step>execute|parse|bind)"
    r"(?: fetch from)? .*?): (?P<text>.*)",
    re.DOTALL,
)
_CAME: Final = re.compile(
    r"(?P<what>(?:replication )?connection) authorized: user=.*?(?: application_name=(?P<application>[ -~]{0,252}?))?"
    r"(?: SSL enabled \(.*\)| GSS \(.*\))?\Z"
)
_REPLICATES: Final = "received replication command: "


class Verdict(StrEnum):
    """What comes of it."""

    COMPLETE = "complete"
    """every statement of the database's log is one of ours, and it has all of ours"""
    ROUND = "went_round"
    """something reached the database that we did not forward as it stands there"""
    INCOMPLETE = "incomplete"
    """nothing went round, as far as can be seen; but the server's log has gaps"""
    UNDECIDABLE = "undecidable"
    """the server's log is not of the kind that could tell; `needs` says what is missing"""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of the server without which its log cannot tell."""

    setting: str
    why: str


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """The server's times less ours, milliseconds, over statements that are in both: latency and clocks together."""

    median_ms: int
    least_ms: int
    most_ms: int
    statements: int


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. Texts in it are redacted, times nanoseconds."""

    v: int = VERSION
    connection: str
    database: str
    first_ns: int
    """of the server's records that were compared; 0 without any"""
    last_ns: int
    verdict: Verdict
    records: int
    """of the server's log"""
    statements: int
    """of that database"""
    matched: int
    own: int
    """the gateway's own: reading the catalog"""
    decisions: int
    """ours, in the time both logs cover"""
    sessions: int
    """ours that the server's log names"""
    findings: tuple[Finding, ...]
    missing: int
    """statements we forwarded that the server's log lacks"""
    missing_examples: tuple[str, ...]
    """their decision ids"""
    unread: int
    """pieces of the server's log that are no records"""
    gaps: int
    """sessions of the server with lines missing between two that are there"""
    unclear: int
    """statements whose text could not be compared: cut, or in another encoding"""
    needs: tuple[Need, ...]
    clocks: Clocks | None

    @property
    def ok(self) -> bool:
        """Nothing went round, and that can be said."""
        return self.verdict is Verdict.COMPLETE


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is compared. `shapes` gives the redacted text of every statement in a text."""

    database: str
    shapes: Callable[[str], tuple[str, ...]]
    own: frozenset[str] = frozenset()
    """`own_hash` of the gateway's own statements, besides those its log names"""
    known_users: frozenset[str] = frozenset()
    """users of the database who may come another way: named, but no reason to say no"""
    since_ns: int = 0
    until_ns: int = 1 << 63
    slack_ns: int = SLACK_NS
    """how far a line may be from its decision when the difference between the clocks is taken off"""
    carries_names: bool = True
    """each record carries application_name"""


def reconcile(records: Iterable[Record | Unread], ours: Ours, question: Question) -> Reconciliation:
    """Compare. `ours` is used up."""
    work = _Work(ours, question)
    for record in records:
        if isinstance(record, Unread):
            work.unread += 1
        else:
            work.take(record)
    return work.answer()


@dataclass(slots=True)
class _Work:
    """What has been seen."""

    ours: Ours
    asked: Question
    findings: Findings = field(default_factory=Findings)
    records: int = 0
    statements: int = 0
    matched: int = 0
    own: int = 0
    unread: int = 0
    unclear: int = 0
    beyond: int = 0
    gaps: set[str] = field(default_factory=set)
    first_ns: int = 0
    last_ns: int = 0
    _shifted: int = 0
    _numbers: dict[str, int] = field(default_factory=dict)
    _offsets: list[int] = field(default_factory=list)
    _last_text: dict[str, int] = field(default_factory=dict)
    _lives: dict[str, int] = field(default_factory=dict)
    """how often a process id has begun anew"""

    def take(self, record: Record) -> None:
        """One record."""
        self.records += 1
        if not self.asked.since_ns <= record.time_ns <= self.asked.until_ns:
            return
        self._count(record)
        self.first_ns = min(self.first_ns or record.time_ns, record.time_ns)
        self.last_ns = max(self.last_ns, record.time_ns)
        if record.message.startswith("connection received: "):
            if "." not in record.process:  # a process id comes again; a session's id (%c) does not
                self._lives[record.process] = self._lives.get(record.process, 0) + 1
            return
        if (came := _CAME.match(record.message)) is not None:
            self._came(record, came)
        elif record.message.startswith(_REPLICATES):
            self.findings.add(Kind.REPLICATION, record, "", known=self._is_known(record))
        elif record.database == self.asked.database:
            self._statement(record)

    def _count(self, record: Record) -> None:
        """Lines of a session are numbered in csv and json: none may be missing between two."""
        if record.number:
            before = self._numbers.get(record.process)
            if before is not None and record.number > before + 1:
                self.gaps.add(record.process)
            self._numbers[record.process] = record.number

    def _came(self, record: Record, came: re.Match[str]) -> None:
        """A connection: one of ours says so."""
        if came["what"].startswith("replication"):
            self.findings.add(Kind.REPLICATION, record, "", known=self._is_known(record))
            return
        if record.database != self.asked.database:
            return
        name = came["application"] or ""
        if name in OWN_NAMES:
            return
        if not name.startswith(_SESSION):
            self.findings.add(Kind.CONNECTION, record, "", known=self._is_known(record), name=name)
        elif not self._is_session(record, name):
            self.findings.add(Kind.CLAIMED, record, "", name=name)

    def _is_session(self, record: Record, name: str) -> bool:
        """Whether this is the one server session that carries the name of a session of ours."""
        sid = name.removeprefix(_SESSION)
        session = self.ours.sessions.get(sid)
        if session is None:
            if self.ours.covers(sid):
                return False
            session = self.ours.sessions[sid] = Seen(0)
        life = self._lives.get(record.process, 0)
        process = f"{record.process}/{life}"
        session.process = session.process or process
        return session.process == process and not self._is_late(record, session.closed_ns)

    def _is_late(self, record: Record, closed_ns: int | None) -> bool:
        """Whether the session was over by then. The clocks may differ: by how much, statements in both logs tell."""
        if closed_ns is None or record.time_ns <= closed_ns + self.asked.slack_ns:
            return False
        return record.time_ns - self._shift() > closed_ns + self.asked.slack_ns

    def _shift(self) -> int:
        """The server's clock less ours, about."""
        found = sorted(self._offsets[-_LATEST:])
        return found[len(found) // 2] if found else 0

    def _statement(self, record: Record) -> None:
        said = _SAID.fullmatch(record.message)
        if said is not None and said["kind"] != "fastpath function call":
            self._last_text[record.process] = hash(said["text"])
            self._judge(record, said["text"], counts=said["step"] not in {"parse", "bind"}, named=bool(said["step"]))
        elif said is not None:
            self.statements += 1
            self.findings.add(Kind.UNMARKED, record, "", known=self._is_known(record))
        if record.statement and hash(record.statement) != self._last_text.pop(record.process, 0):
            self._judge(record, record.statement, counts=False)

    def _judge(self, record: Record, text: str, *, counts: bool, named: bool = False) -> None:
        """One statement of the server's log. `named`: a name stands before it, with all the colons it may have."""
        self.statements += counts
        name = record.application
        mark = _MARK.match(text)
        if mark is not None and counts:
            self._time(record, self.ours.marks.get(mark[1]))
        if name in OWN_NAMES:
            self._our_own(record, text)
        elif name is not None and name.startswith(_SESSION) and not self._is_session(record, name):
            self.findings.add(Kind.CLAIMED, record, self._shown(text))
        elif mark is None:
            self._unmarked(record, text, counts=counts, named=named)
        else:
            self._marked(record, mark[1], text[mark.end() :], counts=counts)

    def _our_own(self, record: Record, text: str) -> None:
        if self._is_own(text):
            self.own += 1
        else:
            self.findings.add(Kind.PRETENDED, record, self._shown(text))

    def _is_own(self, text: str) -> bool:
        """The gateway asks it for itself."""
        shape = own_hash(self.asked.shapes(text))
        return shape in self.asked.own or shape in self.ours.own

    def _time(self, record: Record, sent: Sent | None) -> None:
        """What ran once tells how far the clocks are apart."""
        if sent is not None and not sent.timed and sent.surely + sent.perhaps == 1 and len(self._offsets) < OFFSETS_MAX:
            sent.timed = True
            self._offsets.append(record.time_ns - sent.time_ns)

    def _unmarked(self, record: Record, text: str, *, counts: bool, named: bool) -> None:
        if record.application is not None and record.application.startswith(_SESSION):
            if text == REFUSED_TEXT or not text.strip(" \t\r\n;"):
                self.matched += counts
                return
            if self._is_own(text):
                self.own += 1
                return
            if named and (inside := self._behind_a_name(record, text)) is not None:
                self._marked(record, inside[1], text[inside.end() :], counts=counts)
                return
        self.findings.add(Kind.UNMARKED, record, self._shown(text), known=self._is_known(record))

    def _behind_a_name(self, record: Record, text: str) -> re.Match[str] | None:
        """The mark behind a statement's name with a colon of its own. Only in a session of ours, and if all fits."""
        for mark in _MARK.finditer(text):
            sent = self.ours.marks.get(mark[1])
            if sent is None or self._trouble(record, sent) is not None:
                continue
            if record.cut or self._compare(record, text[mark.end() :], sent) is None:
                return mark
        return None

    def _marked(self, record: Record, did: str, text: str, *, counts: bool) -> None:
        sent = self.ours.marks.get(did)
        if sent is None and not self.ours.covers(did):
            self.beyond += 1
            return
        kind = Kind.UNKNOWN if sent is None else self._trouble(record, sent) or self._compare(record, text, sent)
        if sent is not None and kind is None and counts:
            kind = self._counted(sent)
        if kind is not None:
            self.findings.add(kind, record, self._shown(text), mark=did)

    def _counted(self, sent: Sent) -> Kind | None:
        sent.seen += 1
        if sent.seen > sent.surely + sent.perhaps:
            return Kind.REUSED
        self.matched += 1
        return None

    def _trouble(self, record: Record, sent: Sent) -> Kind | None:
        if sent.refused:
            return Kind.REFUSED
        if record.application is not None and record.application != _SESSION + sent.sid:
            return Kind.FOREIGN
        return None

    def _compare(self, record: Record, text: str, sent: Sent) -> Kind | None:
        if record.cut:
            self.unclear += 1
            return None
        found = [hashlib.sha256(shape.encode()).hexdigest() for shape in self.asked.shapes(text)]
        return None if found == sent.plans else Kind.ALTERED

    def _is_known(self, record: Record) -> bool:
        return record.user in self.asked.known_users

    def _shown(self, text: str) -> str:
        return "; ".join(self.asked.shapes(text))

    def answer(self) -> Reconciliation:
        """What comes of it."""
        self._shifted = self._shift()
        missing = self._missing()
        needs = tuple(self._needs(missing))
        return Reconciliation(
            connection=self.ours.connection, database=self.asked.database, first_ns=self.first_ns,
            last_ns=self.last_ns, verdict=self._verdict(len(missing), needs), records=self.records,
            statements=self.statements, matched=self.matched, own=self.own, decisions=self._decisions(),
            sessions=sum(1 for session in self.ours.sessions.values() if session.process),
            findings=self.findings.sorted(), missing=sum(sent.surely - sent.seen for _, sent in missing),
            missing_examples=tuple(did for did, _ in missing[:MISSING_MAX]), unread=self.unread, gaps=len(self.gaps),
            unclear=self.unclear, needs=needs, clocks=self._clocks(),
        )  # fmt: skip

    def _covered(self, sent: Sent) -> bool:
        """Whether the server's log covers the time of a mark."""
        slack = self.asked.slack_ns
        return self.first_ns + slack <= sent.time_ns + self._shifted <= self.last_ns - slack

    def _missing(self) -> list[tuple[str, Sent]]:
        lacking = ((did, sent) for did, sent in self.ours.marks.items() if sent.seen < sent.surely)
        return [(did, sent) for did, sent in lacking if self._covered(sent)]

    def _decisions(self) -> int:
        return sum(sent.surely + sent.perhaps for sent in self.ours.marks.values() if self._covered(sent))

    def _needs(self, missing: list[tuple[str, Sent]]) -> Iterable[Need]:
        if not self.records:
            yield Need(setting="log_destination", why="there is no record in that time")
        elif not self.statements:
            yield Need(setting="log_statement = all", why="no statement of that database is in its log")
        elif missing and not any(sent.seen and sent.action in READS for sent in self.ours.marks.values()):
            yield Need(setting="log_statement = all", why="none of the reading statements we forwarded is in its log")
        if self.beyond:
            why = f"{self.beyond} statements bear marks from before or after what our log covers"
            yield Need(setting=OUR_LOG, why=why)
        if not self.asked.carries_names:
            why = "without %a a stolen mark is told from ours by its text and its number only"
            yield Need(setting="log_line_prefix", why=why)

    def _verdict(self, missing: int, needs: tuple[Need, ...]) -> Verdict:
        if self.findings.say_no:
            return Verdict.ROUND
        if any(need.setting != "log_line_prefix" for need in needs):
            return Verdict.UNDECIDABLE
        return Verdict.INCOMPLETE if missing or self.unread or self.gaps else Verdict.COMPLETE

    def _clocks(self) -> Clocks | None:
        if not self._offsets:
            return None
        found = sorted(self._offsets)
        return Clocks(
            median_ms=found[len(found) // 2] // 1_000_000, least_ms=found[0] // 1_000_000,
            most_ms=found[-1] // 1_000_000, statements=len(found),
        )  # fmt: skip
