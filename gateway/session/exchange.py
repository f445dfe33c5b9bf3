"""What the server still owes: one entry for each message sent to it, in order, and what each answer settles.

The backend answers in order (PostgreSQL 18, §54.2.3). A simple Query owes everything up to its ReadyForQuery; an
extended message owes one answer; after an ErrorResponse the backend skips to the next Sync, so the entries between are
settled as skipped, and until a Sync is sent nothing else needs to be. A refused statement is not left out of the
stream: a message that the server itself rejects takes its place (`refusal` in its entry), and the ErrorResponse that
comes back is replaced by ours. So the order of answers and the state of the transaction are always the real server's.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from gateway.core.errors import ProtocolError
from gateway.session.composition import NOWHERE, Positions
from gateway.session.registry import Change, Prepared
from gateway.session.task import Settled, Task


class Wait(Enum):
    """What an entry waits for."""

    QUERY = "Query"
    PARSE = "Parse"
    BIND = "Bind"
    DESCRIBE = "Describe"
    EXECUTE = "Execute"
    CLOSE = "Close"
    SYNC = "Sync"
    PROBE = "Sync, Close, Sync"
    """the gateway asks, behind a COPY that failed, which of the Syncs before it the server has heeded"""


@dataclass(slots=True, eq=False)
class Entry:
    """One message the server owes an answer to. `tasks` are the statements it carries, in order."""

    wait: Wait
    tasks: tuple[Task, ...] = ()
    hidden: bool = False
    """the gateway sent it for itself: its answer is not shown"""
    refusal: bytes = b""
    """our ErrorResponse, to be shown in the place of the server's"""
    change: Change | None = None
    """what the session mirrors once the server has answered"""
    about: Prepared | None = None
    """the prepared statement this message is about"""
    positions: Positions = NOWHERE
    """where the server's error positions stand in what the client wrote"""
    segment: int = 0
    at: int = 0
    extended: bool = False
    """of a probe: it was an Execute that failed"""
    heeded: int = 0
    """of a probe: ReadyForQuery that came before its CloseComplete"""
    told: bool = False
    """of a probe: its CloseComplete has come"""

    @property
    def task(self) -> Task | None:
        """The statement whose answer is coming; None when all have been answered."""
        return self.tasks[self.at] if self.at < len(self.tasks) else None


@dataclass(slots=True)
class Step:
    """What one message of the server meant."""

    entry: Entry | None = None
    task: Task | None = None
    """the statement it belongs to"""
    finished: list[tuple[Task, Settled]] = field(default_factory=list)
    settled: list[tuple[Entry, Settled]] = field(default_factory=list)
    ready: bool = False
    hidden: bool = False
    """the message answers one of the gateway's own"""
    probe: bool = False
    """COPY from the client failed with Syncs around it: a probe has to be sent now, and nothing else before its end"""


_ASYNCHRONOUS: Final = frozenset({b"N", b"S", b"A"})
_COMPLETES: Final = {b"1": Wait.PARSE, b"2": Wait.BIND, b"3": Wait.CLOSE}
_STREAMS: Final = frozenset({b"D", b"d", b"c", b"H"})
_ROWS_OF: Final = (Wait.QUERY, Wait.EXECUTE)
_ENDS: Final = (Wait.SYNC, Wait.QUERY, Wait.PROBE)


class Exchange:
    """The queue of entries, and the segment (messages up to a Sync or a Query) now being sent."""

    def __init__(self) -> None:
        self._owed: deque[Entry] = deque()
        self.segment = 0
        self.ran = -1
        """the last segment in which something was sent that runs a statement"""
        self.synced = True
        """the server has said ReadyForQuery since the last message was sent: nothing is half done"""
        self.skipping = False
        """the server ignores everything up to a Sync that has not been sent yet"""
        self.copying_in = False
        self._copy_syncs = 0
        """Syncs sent where COPY from the client ignores them, unless it had failed before the server read them"""
        self._copy_ends = False
        """the end of such a COPY was sent, its outcome is not known"""
        self._probing = False

    @property
    def idle(self) -> bool:
        """Nothing is owed and no implicit transaction is open: a local answer keeps the order."""
        return not self._owed and self.synced

    @property
    def will_be_ready(self) -> bool:
        """A ReadyForQuery is on its way, and nothing was sent behind what it answers."""
        return bool(self._owed) and self._owed[-1].wait in _ENDS

    @property
    def held(self) -> bool:
        """Nothing may be sent now: it would not be known to which message the next answers belong."""
        return self._copy_ends or self._probing

    @property
    def head(self) -> Entry | None:
        """The entry being answered."""
        return self._owed[0] if self._owed else None

    def sent(self, entry: Entry) -> Entry:
        """Note a message that is about to be written to the server."""
        entry.segment = self.segment
        self._owed.append(entry)
        self.synced = False
        if entry.wait is Wait.SYNC:
            self.skipping = False
        if entry.wait in _ROWS_OF:
            self.ran = self.segment
        if entry.wait in _ENDS:
            self.segment += 1
        return entry

    @property
    def owes_earlier(self) -> bool:
        """An earlier segment is not over."""
        return bool(self._owed) and self._owed[0].segment != self.segment

    def sync_in_copy(self) -> None:
        """Note a Sync sent during COPY from the client. The server ignores it, but not when COPY has failed by then."""
        self._copy_syncs += 1

    def end_copy(self) -> None:
        """Note that the client's end of COPY was sent."""
        self.copying_in = False
        self._copy_ends = self._copy_syncs > 0

    def abandon(self) -> list[Entry]:
        """The connection is gone: everything still owed."""
        lost = list(self._owed)
        self._owed.clear()
        return lost

    def receive(self, kind: bytes) -> Step:
        """Say what a message of type `kind` means. Raises ProtocolError when nothing can mean it."""
        if kind in _ASYNCHRONOUS:
            return Step(self.head, self.head.task if self.head else None)
        if not self._owed:
            if kind == b"E":
                return Step()
            raise ProtocolError("upstream.unexpected_message", f"{kind!r} while nothing was asked")
        head = self._owed[0]
        step = Step(head, head.task, hidden=head.hidden)
        if not self._advance(kind, head, step):
            raise ProtocolError("upstream.unexpected_message", f"{kind!r} in answer to {head.wait.value}")
        return step

    def _advance(self, kind: bytes, head: Entry, step: Step) -> bool:
        """Move on by one message; False when `kind` cannot come here."""
        if head.wait is Wait.PROBE:
            return self._probed(kind, head, step)
        if kind == b"E":
            self._fail(head, step)
            return True
        if kind == b"Z":
            return self._ready(head, step)
        if kind in _COMPLETES:
            fits = head.wait is _COMPLETES[kind]
            if fits:
                self._settle(step, Settled.DONE)
            return fits
        if kind in {b"T", b"n", b"t"}:
            return self._describe(kind, head, step)
        return self._run(kind, head, step)

    def _describe(self, kind: bytes, head: Entry, step: Step) -> bool:
        if head.wait is Wait.DESCRIBE:
            if kind != b"t":
                self._settle(step, Settled.DONE)
            return True
        return head.wait is Wait.QUERY and kind == b"T" and head.task is not None

    def _run(self, kind: bytes, head: Entry, step: Step) -> bool:
        """What only the running of a statement brings."""
        if head.wait not in _ROWS_OF or (head.task is None and kind != b"I"):
            return False
        if kind in {b"C", b"I", b"s"}:
            return self._complete(kind, head, step)
        if kind == b"G":
            return self._begin_copy_in()
        return kind in _STREAMS

    def _settle(self, step: Step, how: Settled) -> None:
        entry = self._owed.popleft()
        step.settled.append((entry, how))
        step.finished.extend((task, how) for task in entry.tasks[entry.at :])

    def _complete(self, kind: bytes, head: Entry, step: Step) -> bool:
        self._leave_copy()
        if head.wait is Wait.EXECUTE:
            self._settle(step, Settled.SUSPENDED if kind == b"s" else Settled.DONE)
            return True
        if kind == b"s":
            return False
        if head.task is not None:
            step.finished.append((head.task, Settled.DONE))
            head.at += 1
        return True

    def _leave_copy(self) -> None:
        self.copying_in = self._copy_ends = False
        self._copy_syncs = 0

    def _fail(self, head: Entry, step: Step) -> None:
        step.probe = self._probing = self._copy_syncs > 0
        self._leave_copy()
        if head.wait is Wait.SYNC:
            return
        if head.wait is Wait.QUERY:
            remaining = head.tasks[head.at :]
            step.finished.extend((task, Settled.SKIPPED if n else Settled.FAILED) for n, task in enumerate(remaining))
            head.at = len(head.tasks)
            return
        self._settle(step, Settled.FAILED)
        while self._owed and self._owed[0].wait is not Wait.SYNC:
            self._settle(step, Settled.SKIPPED)
        self.skipping = not self._owed and not step.probe

    def _probed(self, kind: bytes, head: Entry, step: Step) -> bool:
        """Count the answers to a probe. Those before its CloseComplete are the client's Syncs', but for its own first.

        When none of them is, a client of the extended protocol has to send one more before it is listened to.
        """
        if kind == b"3" and head.heeded and not head.told:
            head.told = True
            return True
        if kind != b"Z":
            return kind == b"E"  # FATAL: the server is going away
        if not head.told:
            head.heeded += 1
            step.hidden = head.heeded == 1
            step.ready = True
            return True
        self._settle(step, Settled.DONE)
        self._probing = False
        self.synced = step.ready = True
        if head.extended and head.heeded == 1:
            self.skipping, self.synced = True, False
        return True

    def _ready(self, head: Entry, step: Step) -> bool:
        if head.wait not in _ENDS or head.task is not None:
            return False
        self._settle(step, Settled.DONE)
        self.synced = not self._owed
        step.ready = True
        return True

    def _begin_copy_in(self) -> bool:
        """Enter copy-in mode: the backend ignores a Sync that was sent behind the statement (§54.2.7).

        Anything else behind it would be taken for COPY data gone wrong: nobody could say any more what is owed.
        """
        self.copying_in = True
        while len(self._owed) > 1 and self._owed[1].wait is Wait.SYNC:
            del self._owed[1]
            self._copy_syncs += 1
        return len(self._owed) == 1
