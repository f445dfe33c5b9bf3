"""What passes between a client and the gateway, put on its session's tape: redacted, and in the order it came.

A message is kept when it is known what it is, for that says whether its values may be. Until then what the client is
shown queues behind it; when that becomes too much, or nobody says, no value of the message is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.core.principal import Json
from gateway.core.statement import Statement
from gateway.evidence.recording.frames import SEGMENT_MAX
from gateway.evidence.recording.store import Recording
from gateway.frontends.postgres.redacting import (
    CopyIn,
    blank_exempt,
    blank_shown,
    keeps_values,
    redact,
    without_content,
)
from gateway.masking.fields import readings
from gateway.session.exchange import Step
from gateway.session.ruling import Leg, Ruling
from gateway.session.shape import Shape
from gateway.session.task import Phase, Settled, Task
from gateway.sql.literals import may_hold_secret
from gateway.wire.postgres.frames import DataRun, Frame, Received
from gateway.wire.postgres.server_messages import parse_copy_response

_BINARY: Final = 1
_NAMES_ONLY: Final = frozenset({b"C", b"D", b"H", b"S", b"X", b"c"})
"""messages of the client in which no value can stand, whatever they belong to"""
_PLAIN: Final = frozenset({b"1", b"2", b"3", b"C", b"I", b"Z", b"c", b"n", b"s", b"t"})
"""messages that hold no word of anybody's"""


class Heard(NamedTuple):
    """A piece of what the client is shown next: to which statement it belongs, and what is kept of it."""

    did: str
    kept: bytes


@dataclass(eq=False, slots=True)
class Tap:
    """Of one session."""

    recording: Recording
    _open: tuple[int, Frame] | None = None
    """when it came, and a message of which it is not known yet what may be kept"""
    _behind: list[tuple[int, bytes, str]] = field(default_factory=list)
    _behind_size: int = 0
    _about: str = ""
    """the statement whose message is being handled"""
    _next: list[Heard] = field(default_factory=list)
    _copy: CopyIn | None = None
    _binary_copy: bool = False
    """what is being copied out comes in binary"""

    def arrived(self, item: Received) -> None:
        """The client has sent something."""
        self.settled()
        if isinstance(item, DataRun):
            copy = self._copy or CopyIn(values=False)
            self._keep_sent(self.recording.now(), copy.feed(item))
            return
        self._end_copy()
        if item.kind in _NAMES_ONLY:
            self._keep_sent(self.recording.now(), redact(item, values=False))
        else:
            self._open = self.recording.now(), item

    def judged(self, legs: Sequence[Leg], phase: Phase) -> None:
        """It is known what the message says; statements begin with it."""
        then = self._open[0] if self._open is not None else self.recording.now()
        for leg in legs:
            self.recording.tape.begins(then, leg.did, leg.understood.statement.action, phase.value)
        self._about = legs[0].did if legs else ""
        self._close(values=all(keeps_values(leg.understood.statement) for leg in legs))

    def bound(self, statement: Statement | None, text: bytes) -> None:
        """The message gives values to this statement."""
        self._close(values=statement is None or (keeps_values(statement) and not may_hold_secret(text.decode())))

    def settled(self) -> None:
        """The message has been handled."""
        self._close(values=False)
        self._about = ""

    def refused(self, rulings: Iterable[Ruling], code: str = "") -> None:
        """Statements are over before they were sent. `code`: why, when it was not policy."""
        now = self.recording.now()
        for ruling in rulings:
            finding = ruling.refusal
            self.recording.tape.ends(now, ruling.did, ruling.outcome.value, code or (finding.code if finding else ""))

    def failed(self, legs: Sequence[Leg], code: str) -> None:
        """No answer of policy, or no log: nothing was sent."""
        now = self.recording.now()
        for leg in legs:
            self.recording.tape.ends(now, leg.did, "unavailable", code)

    def ended(self, task: Task, how: Settled) -> None:
        """A statement is over."""
        self.recording.tape.ends(self.recording.now(), task.ruling.did, how.value, task.error, task.rows)
        self.recording.kept()

    def piece(self, item: Received, step: Step, said: bytes, *, guarded: bool) -> Heard:
        """What to keep of one message's translation, before it is written."""
        task = step.task or (step.finished[0][0] if step.finished else None)
        did = task.ruling.did if task is not None else ""
        if item.kind in _PLAIN:
            return Heard(did, said)
        if item.kind == b"G" and isinstance(item, Frame) and task is not None:
            text = parse_copy_response(item).format != _BINARY
            self._copy = CopyIn(values=text and keeps_values(task.ruling.understood.statement))
        if item.kind == b"H" and isinstance(item, Frame):
            self._binary_copy = parse_copy_response(item).format == _BINARY
        if not (guarded and isinstance(item, DataRun)):
            return Heard(did, blank_shown(said))
        if item.kind == b"d":
            return Heard(did, _copied(said, task, binary=self._binary_copy))
        return Heard(did, _rows(said, task, step))

    def expect(self, pieces: list[Heard]) -> None:
        """Say what the next `wrote` is made of."""
        self._next = pieces

    def wrote(self, data: bytes) -> None:
        """The client is being sent this."""
        pieces, self._next = self._next, []
        now, tape = self.recording.now(), self.recording.tape
        if not pieces:
            pieces = [Heard(self._about, blank_shown(data))]
        elif len(pieces) > 1:
            pieces = _joined(pieces)
        if self._open is None:
            for did, kept in pieces:
                tape.received(now, kept, did)
        else:
            self._behind += [(now, kept, did) for did, kept in pieces]
            self._behind_size += len(data)
            if self._behind_size > SEGMENT_MAX:
                self._close(values=False)
        self.recording.kept()

    async def close(self) -> dict[str, Json]:
        """Nothing more will come; what the record of the session's end says of its recording."""
        self.settled()
        self._end_copy()
        return await self.recording.close()

    def _close(self, *, values: bool) -> None:
        """Keep the open message, then what queued behind it."""
        if self._open is None:
            return
        (then, frame), self._open = self._open, None
        self._keep_sent(then, redact(frame, values=values), self._about)
        for now, kept, did in self._behind:
            self.recording.tape.received(now, kept, did)
        self._behind.clear()
        self._behind_size = 0

    def _end_copy(self) -> None:
        if self._copy is not None:
            self._keep_sent(self.recording.now(), self._copy.end())

    def _keep_sent(self, then: int, data: bytes, did: str = "") -> None:
        if data:
            self.recording.tape.sent(then, data, did)
            self.recording.kept()


def _copied(said: bytes, task: Task | None, *, binary: bool) -> bytes:
    """COPY data that the net has passed. Of what policy has cleared nothing is kept when it comes in binary."""
    plan = task.ruling.plan if task else None
    if plan is None or not (plan.copy or plan.expected_raw):
        return said
    return without_content(said) if binary and plan.expected_raw else blank_shown(said)


def _rows(said: bytes, task: Task | None, step: Step) -> bytes:
    """Rows that the net has passed, but for the columns it was told to leave alone."""
    about = step.entry.about if step.entry else None
    shape = (about.shape if about else task.shape if task else None) or Shape()
    if not shape.exempt:
        return said
    columns = shape.columns(task.portal.formats if task and task.portal else None)
    binary = frozenset(index for index, (_, form) in enumerate(columns) if form == _BINARY)
    return blank_exempt(said, readings(columns), binary & shape.exempt)


def _joined(pieces: list[Heard]) -> list[Heard]:
    """Neighbours of one statement put together."""
    groups: list[Heard] = []
    about, parts = pieces[0].did, list[bytes]()
    for did, kept in pieces:
        if did != about:
            groups.append(Heard(about, b"".join(parts)))
            about, parts = did, []
        parts.append(kept)
    groups.append(Heard(about, b"".join(parts)))
    return groups
