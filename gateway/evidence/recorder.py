"""The entry of this room: events in, leaves in the log, each numbered in its session, before anything is acted on."""

import asyncio
import hashlib
import os
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.core.ids import random_bytes
from gateway.evidence.keys import EpochKeys
from gateway.evidence.leaf import SALT_SIZE, Draft, LeafError, make_leaf
from gateway.evidence.ledger import Undecided
from gateway.evidence.log import Degraded
from gateway.evidence.note import Verifier
from gateway.evidence.opening import Opened, Previous, open_log
from gateway.evidence.scrub import scrub_body
from gateway.evidence.timekeeping import Jump, Timekeeper

HEARTBEAT_SECONDS: Final = 10.0
MAX_BODY: Final = 32 << 20
_KNOWN_BODIES: Final = 4096
_MAX_LATE: Final = 5000
_CLOSING: Final = frozenset({EventType.STATEMENT_FINISHED, EventType.SESSION_CLOSED})

Tell = Callable[[str, dict[str, object]], object]
"""(what happened, facts) for the operator's own log"""

OUTCOME_UNKNOWN: Final = "outcome_unknown"
"""the gateway cannot say how the statement ended: it stopped, or the session did, before the answer came"""
NOT_FORWARDED: Final = "not_forwarded"
"""the decision was written but could not be made durable in time, so the statement was refused after all"""


class Receipt(NamedTuple):
    """Where an event stands in the log."""

    leaf: int
    """number of the leaf, from 0"""
    leaf_hash: bytes
    seq: int


class Recorder:
    """Appends events. One for each data folder, on one event loop."""

    def __init__(self, opened: Opened, clock: Clock, *, every_decision_synced: bool, tell: Tell) -> None:
        self._opened = opened
        self._log = opened.log
        self._clock = clock
        self._each = every_decision_synced
        self._tell = tell
        self._time = Timekeeper(clock)
        self.clock_off_ns = 0
        """by how much the machine's clock was set in this run, all in all; positive: ahead"""
        self._known: OrderedDict[str, None] = OrderedDict()
        self._late: deque[tuple[int, Event]] = deque()
        self._lately: set[str] = set()
        self._watching = False
        self._refused = 0
        self._lost = 0
        self._gap: Degraded | None = None
        """the first of the failures that no leaf tells of yet"""
        self._heart: asyncio.Task[None] | None = None
        self._suspended: Degraded | None = None
        """recordings cannot be written, though the log can"""
        self._log.on_repaired = self._repaired

    @classmethod
    async def open(  # noqa: PLR0913 -- what evidence.* says, by name
        cls,
        data_dir: Path,
        clock: Clock,
        *,
        durability: str = "group",
        checkpoint_interval: float = 1.0,
        name: str = "",
        tell: Tell = lambda _, __: None,
    ) -> "Recorder":
        """Open the log of a data folder and record that it is open, and what a crash left undone.

        `durability`: `group` or `each` (contracts, `evidence.durability`); the interval is in seconds; `name` begins
        the origin of a new log; `tell` is called with what an operator should hear: a recovery, a new epoch, a clock
        that was set. Raises Unavailable when the folder cannot be written or another process writes it.
        """
        try:
            opened = open_log(data_dir, clock, name)
        except OSError as error:
            raise Unavailable("evidence.unavailable", f"{type(error).__name__} on opening the log") from error
        recorder = cls(opened, clock, every_decision_synced=durability == "each", tell=tell)
        recorder._log.start(checkpoint_interval)
        try:
            recorder._begin()
            await recorder.checkpoint()
        except Unavailable:
            await recorder._release()
            raise
        recorder._heart = asyncio.get_running_loop().create_task(recorder._beat())
        return recorder

    @property
    def degraded(self) -> Degraded | None:
        """Why and since when nothing can be recorded; None when all is well."""
        return self._log.degraded or self._suspended

    @property
    def size(self) -> int:
        """Leaves in this epoch of the log."""
        return self._log.size

    @property
    def published(self) -> int:
        """Leaves under the last signed checkpoint."""
        return self._log.published

    @property
    def verifier(self) -> Verifier:
        """The public key checkpoints are signed with; its name is the log's origin."""
        return self._opened.keys.signer.verifier

    @property
    def epoch(self) -> int:
        """Which epoch of the log is written."""
        return self._opened.keys.epoch

    def mac(self, exact: bytes) -> str:
        """`hmac:` + hex over exact bytes, under the epoch's key."""
        return self._opened.keys.mac_key.mac(exact)

    async def append(self, event: Event) -> Receipt:
        """Write an event; returns once it is as durable as it asks. Raises Unavailable("evidence.unavailable")."""
        try:
            self._hold_back(event)
            self._settle(event)
            receipt = self._write(event)
        except Unavailable:
            self._refused += 1
            self._keep(event)
            raise
        if event.durable or (self._each and event.type is EventType.STATEMENT_DECIDED):
            await self._durable(event, receipt)
        return receipt

    def suspend(self, cause: str) -> None:
        """Let no statement through until `resume`: what agents receive cannot be recorded. `cause` names the error."""
        if self._suspended is None:
            self._suspended = Degraded(cause, self._clock.now_ns())

    def resume(self) -> None:
        """Recordings can be written again: say from when to when nothing was let through."""
        suspended, self._suspended = self._suspended, None
        if suspended is not None:
            self._repaired(suspended)

    async def checkpoint(self) -> None:
        """Sync, lay out and sign everything appended until now. Raises Unavailable."""
        await self._log.publish()

    def watch_bodies(self, *, end: bool = False) -> set[str]:
        """From now on store every body anew that is named, and put its digest into the set; until the `end`."""
        self._known.clear()
        self._lately = set()
        self._watching = not end
        return self._lately

    async def undisturbed(self, work: Callable[[], None]) -> None:
        """Do something while nothing is laid out, in the thread that does that. Raises what it raises."""
        await self._log.undisturbed(work)

    def beat(self) -> None:
        """Record which sessions are open: a sign of life, every `HEARTBEAT_SECONDS`. Raises Unavailable."""
        ledger = self._log.ledger
        data: dict[str, object] = {"open": len(ledger.sessions), "digest": ledger.open_digest()}
        self._write(Event(type=EventType.HEARTBEAT, data=data))

    async def endorse(self, text: str, lines: list[str]) -> bool:
        """Add cosignatures to the checkpoint of that text, if it is still the latest. Raises OSError."""
        return await self._log.endorse(text, lines)

    async def close(self) -> None:
        """Record that the log is closed, sign it, and let go of the files. A second call does nothing."""
        if self._heart is None:
            return
        heart, self._heart = self._heart, None
        heart.cancel()
        await asyncio.gather(heart, return_exceptions=True)
        with suppress(Unavailable):
            self._write(Event(type=EventType.LOG_CLOSED, data={"size": self.size + 1}))
        await self._release()

    async def _release(self) -> None:
        await self._log.close()
        self._opened.signed.close()
        for lock in self._opened.locks:
            os.close(lock)

    async def _durable(self, event: Event, receipt: Receipt) -> None:
        try:
            await self._log.durable(receipt.leaf + 1)
        except Unavailable:
            self._refused += 1
            if event.type is EventType.STATEMENT_DECIDED and event.ok:
                self._keep(_without_outcome(Undecided(event.did, event.sid, event.res, event.act), NOT_FORWARDED))
            raise

    def _hold_back(self, event: Event) -> None:
        """What is to be let through is not, while it could not be recorded. Raises Unavailable."""
        if self._suspended is not None and event.type is EventType.STATEMENT_DECIDED and event.ok:
            raise Unavailable("evidence.unavailable")

    def _settle(self, event: Event) -> None:
        """A session that closes leaves no decision without an outcome. Raises Unavailable."""
        if event.type is EventType.SESSION_CLOSED:
            for entry in self._log.ledger.undecided(event.sid):
                self._write(_without_outcome(entry, OUTCOME_UNKNOWN))

    def _write(self, event: Event, data: dict[str, object] | None = None) -> Receipt:
        """Encode and write, without waiting for anything. Raises Unavailable."""
        jump = self._time.look()
        if jump is not None:
            self._jumped(jump)
        if data:
            event = msgspec.structs.replace(event, data={**event.data, **data})
        bodies: dict[str, bytes] = {}
        names: dict[str, str] = {}
        scrubbed: list[str] = []
        for name, body in event.bodies.items():
            names[name] = self._take(body, bodies, scrubbed, name)
        seq = self._log.ledger.next_number(event.sid)
        draft = Draft(seq, self._clock.now_ns(), random_bytes(SALT_SIZE), names, tuple(scrubbed))
        try:
            made = make_leaf(event, draft)
        except LeafError as error:
            raise Unavailable("evidence.unavailable", str(error)) from error
        if made.overflow is not None:
            self._take(made.overflow, bodies, scrubbed, "data")
        number = self._log.size
        hashed = self._log.write(made.leaf, list(bodies.values()))
        for digest in bodies:
            self._remember(digest)
        return Receipt(number, hashed, seq)

    def _take(self, body: bytes, bodies: dict[str, bytes], scrubbed: list[str], name: str) -> str:
        """The digest of a body, which joins `bodies` unless it was written lately. Raises Unavailable."""
        digest = hashlib.sha256(body).hexdigest()
        if self._watching:
            self._lately.add(digest)
        if digest in self._known:
            self._known.move_to_end(digest)
            return digest
        if len(body) > MAX_BODY:
            raise Unavailable("evidence.unavailable", "a body is too large")
        clean, hit = scrub_body(body)
        if hit:
            scrubbed.append(name)
            digest = hashlib.sha256(clean).hexdigest()
            if self._watching:
                self._lately.add(digest)
        bodies[digest] = clean
        return digest

    def _remember(self, digest: str) -> None:
        self._known[digest] = None
        while len(self._known) > _KNOWN_BODIES:
            self._known.popitem(last=False)

    def _begin(self) -> None:
        """The first leaves of a run: that it began, and how what a crash left open is closed."""
        ledger, opened = self._log.ledger, self._opened
        unclean = opened.torn or not ledger.clean
        data: dict[str, object] = {"origin": self.verifier.name, "epoch": opened.keys.epoch, "size": self.size}
        if opened.previous is not None:
            data["previous"] = _named(opened.previous)
        ledger.restart()
        new = not self.size
        self._write(Event(type=EventType.LOG_OPENED, data=data))
        if new:
            self._write(Event(type=EventType.KEY_CREATED, data=_created(opened.keys)))
        if opened.previous is not None:
            self._tell("log.new_epoch", {"epoch": opened.keys.epoch, "reason": opened.previous.reason})
        decisions, sessions = list(ledger.decisions.values()), dict(ledger.sessions)
        for entry in decisions:
            self._write(_without_outcome(entry, OUTCOME_UNKNOWN))
        for sid, (_, connection) in sessions.items():
            why: dict[str, object] = {"reason": "gateway_stopped"}
            self._write(Event(type=EventType.SESSION_CLOSED, sid=sid, res=connection, ok=False, data=why))
        if unclean:
            counts: dict[str, object] = {"decisions": len(decisions), "sessions": len(sessions), "torn": opened.torn}
            self._write(Event(type=EventType.LOG_RECOVERED, ok=False, data=counts))
            self._tell(EventType.LOG_RECOVERED.value, counts)

    def _jumped(self, jump: Jump) -> None:
        """Record that times before and after do not compare. Raises Unavailable."""
        self.clock_off_ns += jump.by_ns
        data: dict[str, object] = {"by_ns": str(jump.by_ns), "expected": str(jump.expected_ns)}
        self._write(Event(type=EventType.CLOCK_JUMPED, ok=False, data=data))
        self._tell(EventType.CLOCK_JUMPED.value, {"seconds": round(jump.by_ns / 1e9, 3)})

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with suppress(Unavailable):
                self.beat()

    def _keep(self, event: Event) -> None:
        """Hold on to what closes something, to be written when the log is well again.

        What failed while the log is well is no leaf and never will be: kept, it would stand in the way of the others.
        """
        if event.type in _CLOSING and self._log.degraded is not None:
            if len(self._late) < _MAX_LATE:
                self._late.append((self._clock.now_ns(), event))
            else:
                self._lost += 1

    def _repaired(self, degraded: Degraded) -> None:
        """Record that nothing could be recorded for a while, and what closed in that time."""
        self._gap = self._gap or degraded
        data: dict[str, object] = {
            "cause": self._gap.cause,
            "start": str(self._gap.since_ns),
            "end": str(self._clock.now_ns()),
            "refused": self._refused,
            "lost": self._lost,
        }
        with suppress(Unavailable):  # not well after all: tried again after the next repair
            self._write(Event(type=EventType.LOG_DEGRADED, ok=False, data=data))
            self._refused = self._lost = 0
            self._gap = None
            while self._late:
                at, event = self._late[0]
                self._settle(event)
                self._write(event, {"late": str(at)})
                self._late.popleft()


def _created(keys: EpochKeys) -> dict[str, object]:
    """What may be told of an epoch's keys: the public one, and that there is one for MACs."""
    log = {"kind": "log", "use": "checkpoints", "public": keys.signer.verifier.encode()}
    return {"epoch": keys.epoch, "keys": [log, {"kind": "mac", "use": "exact texts and values"}]}


def _named(previous: Previous) -> dict[str, object]:
    """The checkpoint of the epoch before, for the first leaf of the new one."""
    origin, size, root = previous.checkpoint
    return {"origin": origin, "size": size, "root": root.hex(), "reason": previous.reason}


def _without_outcome(entry: Undecided, outcome: str) -> Event:
    return Event(
        type=EventType.STATEMENT_FINISHED,
        sid=entry.sid,
        did=entry.did,
        res=entry.res,
        act=entry.act,
        ok=False,
        outcome=outcome,
    )
