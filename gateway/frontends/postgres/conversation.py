"""One client's session: its two streams, what the server owes, the names it has given, and how it all ends."""

import asyncio
from dataclasses import dataclass, field, replace

from gateway.core.errors import GatewayError, Unavailable
from gateway.frontends.house import House
from gateway.frontends.keeper import Keeper
from gateway.frontends.postgres.asked import Asked, Inside
from gateway.frontends.postgres.tap import Tap
from gateway.frontends.postgres.texts import failure
from gateway.session import records
from gateway.session.exchange import Entry, Exchange, Wait
from gateway.session.naming import Application
from gateway.session.registry import Change, Registry
from gateway.session.ruling import Ruling
from gateway.session.task import Phase, Settled, Task
from gateway.session.traveller import Traveller
from gateway.upstream.postgres import Link
from gateway.upstream.stream import Stream


class EndSession(Exception):
    """Leave the conversation. `reason` goes into the record, `farewell` (a FATAL ErrorResponse) to the client."""

    def __init__(self, reason: str, farewell: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.farewell = farewell

    @classmethod
    def because(cls, error: GatewayError) -> "EndSession":
        """End for a condition of the registry of codes."""
        return cls(error.code, failure(error, fatal=True))


@dataclass(slots=True, eq=False)
class PathMove:
    """A change of the search path on its way. Errors up to the next ReadyForQuery undo it."""

    path: tuple[str, ...] | None
    done: bool = False


@dataclass(eq=False)
class Conversation:
    """What the client task and the relay task share."""

    house: House
    keeper: Keeper
    traveller: Traveller
    client: Stream = field(repr=False)
    startup: dict[str, str] = field(repr=False)
    """settings the agent asked for at startup, for the upstream connection"""
    pid: int = 0
    """the process id the client was told at login; its server's own is never shown"""
    application: Application = field(init=False)
    """the agent's own application_name"""
    tap: Tap | None = None
    """records what passes; None when sessions are not recorded"""
    exchange: Exchange = field(default_factory=Exchange)
    registry: Registry = field(default_factory=Registry)
    link: Link | None = None
    relaying: "asyncio.Task[None] | None" = None
    status: bytes = b"I"
    """transaction status of the last ReadyForQuery"""
    skipping: bool = False
    """the client was told of an error in the extended protocol: its messages are ignored up to Sync"""
    catalog_void: bool = False
    """the session changed the schema: what is known of it no longer holds"""
    schema_changes: int = 0
    inside: Inside | None = None
    """the schema as the open transaction has made it"""
    looks: int = 0
    """how often it was read in this transaction"""
    asking: Asked | None = None
    """the gateway itself is being answered"""
    path: tuple[str, ...] | None = None
    """the search path the agent has set, in guarded posture; None: the pinned one"""
    was_open: bool = False
    """it has been in open posture, in which nothing is followed"""
    path_move: "PathMove | None" = None
    """a change of it that the server has not been seen to make"""
    governed: bool = False
    """the transaction has touched something governed: what the server says at its end may quote it"""
    deciding: bool = False
    """a statement is being judged and recorded: it must not be cut off between its decision and its outcome"""
    stop_when_sent: bool = False
    """the client has cancelled a statement that has not reached the server yet"""
    stopping: "asyncio.Task[None] | None" = None
    """a cancel request of ours on its way; the next statement must not be hit by it"""
    statements: int = 0
    denied: int = 0
    told: set[str] = field(default_factory=set)
    """statements whose masks the client was told of, by hash"""
    quiet_since: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    """loop time of the last message from either side"""
    ended: "asyncio.Future[EndSession]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _progress: asyncio.Event = field(default_factory=asyncio.Event)
    _skipped: list[Task] = field(default_factory=list)
    _timers: dict[Task, asyncio.TimerHandle] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with what the startup message said."""
        self.application = Application(self.traveller.application)

    @property
    def at_rest(self) -> bool:
        """Nothing is owed and no transaction is open: a local answer keeps the order and the state."""
        return self.exchange.idle and self.status == b"I"

    @property
    def busy(self) -> bool:
        """A statement is being judged, or the server works on one."""
        return self.deciding or not self.exchange.idle

    @property
    def working(self) -> bool:
        """We or the server owe the client something; in COPY from the client it is the client's turn."""
        return self.deciding or (self.exchange.head is not None and not self.exchange.copying_in)

    @property
    def guarded(self) -> bool:
        """The bundle's word on this connection: allow-lists of session features hold."""
        return self.keeper.posture(self.keeper.name).guarded

    def check_token(self) -> None:
        """Ask the clock itself: timers stand still while a machine sleeps. Raises EndSession."""
        if self.house.clock.now_ns() >= self.traveller.principal.expires_at * 1_000_000_000:
            raise EndSession.because(Unavailable("session.token_expired"))

    def ready(self, status: bytes) -> None:
        """The server is ready: follow the state of its transaction."""
        self.status = status
        self.traveller.transaction = {b"I": "none", b"T": "active", b"E": "failed"}[status]
        if status == b"I":
            self.inside, self.looks = None, 0
            self.registry.end_transaction()
            self.governed = self.governed and not self.exchange.idle

    def doubt_inside(self) -> None:
        """Something may have changed the schema that the transaction sees: what was read of it holds no longer."""
        if self.inside is not None:
            self.inside = replace(self.inside, until=0.0)

    def void_catalog(self) -> None:
        """Note that a statement that changes the schema is being sent."""
        self.catalog_void = True
        self.schema_changes += 1

    async def renew_catalog(self) -> None:
        """Read the catalog again, which from then on shows what this session has changed. Raises Unavailable."""
        changes = self.schema_changes
        await self.keeper.reload()
        if changes == self.schema_changes:
            self.catalog_void = False

    def moved(self) -> None:
        """Wake whoever waits for the server."""
        self.quiet_since = asyncio.get_running_loop().time()
        self._progress.set()

    async def server_moves(self) -> None:
        """Wait until the relay has handled something of the server's."""
        self._progress.clear()
        await self._progress.wait()

    def leave(self, ending: EndSession) -> None:
        """End the session from wherever we are; the first reason stays."""
        if not self.ended.done():
            self.ended.set_result(ending)
        self.moved()

    def failed(self, task: "asyncio.Task[None]") -> None:
        """End with a word when a task of ours is over and has not ended the session itself: nobody is left hanging."""
        del task
        self.leave(EndSession.because(Unavailable("session.failed")))

    def send(self, entry: Entry, message: bytes) -> None:
        """Write a message to the server and note what it owes for it. One that it would skip is not sent."""
        if self.link is None:
            raise TypeError("nothing is sent before the upstream connection is open")
        if self.exchange.skipping and entry.wait is not Wait.SYNC:
            self._skip(entry)
            return
        self.governed = self.governed or any(task.governed for task in entry.tasks)
        self.exchange.sent(entry)
        self.link.stream.write(message)
        if self.stop_when_sent:
            self.stop_when_sent = False
            self.stop_upstream()

    def _skip(self, entry: Entry) -> None:
        changes = [change for task in entry.tasks for change in task.changes]
        for change in [entry.change, *changes]:
            if change is not None:
                self.registry.settle(change, done=False)
        self._skipped.extend(entry.tasks)

    def note(self, change: Change) -> Change:
        """Note a change of names that goes out with the message now being sent."""
        return self.registry.note(change, self.exchange.segment)

    def task(self, ruling: Ruling, phase: Phase) -> Task:
        """A recorded statement about to be sent."""
        limits = ruling.verdict.decision.obligations.limits
        task = Task(ruling, phase, self.house.clock.monotonic_ns(), row_limit=limits.rows)
        task.byte_limit = limits.bytes
        if limits.seconds is not None and phase is not Phase.PARSE:
            self._arm(task, limits.seconds)
        return task

    def _arm(self, task: Task, seconds: int) -> None:
        loop = asyncio.get_running_loop()
        self._timers[task] = loop.call_later(seconds, self._too_long, task, seconds)

    def _too_long(self, task: Task, seconds: int) -> None:
        """A statement used up its seconds: stop it. One that has not had its turn yet gets them from now on."""
        head = self.exchange.head
        if head is not None and head.task is task:
            task.over = task.over or "limit.seconds"
            self.stop_upstream()
        else:
            self._arm(task, seconds)

    async def cancel(self) -> None:
        """The client asks to stop what it has asked for: the server is told at once, or as soon as it has got that."""
        if self.deciding and self.exchange.idle:
            self.stop_when_sent = True
        elif self.link is not None:
            await self.keeper.cancel(self.link)

    def stop_upstream(self) -> None:
        """Ask the server to cancel what it is doing now."""
        if self.link is not None and self.stopping is None:
            self.stopping = self.house.spawn(self.keeper.cancel(self.link))

    async def stopped(self) -> None:
        """Wait until a cancel request of ours has been delivered: from then on it can hit nothing else."""
        if self.stopping is not None:
            await asyncio.wait({self.stopping})
            self.stopping = None

    async def finish(self, task: Task, how: Settled) -> None:
        """Record how a statement ended. A log that cannot take it refuses the next decision: that is enough."""
        timer = self._timers.pop(task, None)
        if timer is not None:
            timer.cancel()
        if self.tap is not None:
            self.tap.ended(task, how)
        event = records.finished(task, how, self.traveller, self.house.clock.monotonic_ns())
        await self.house.note(event)

    async def settle_skipped(self) -> None:
        """Record the statements that were decided while the server began to skip."""
        while self._skipped:
            await self.finish(self._skipped.pop(0), Settled.SKIPPED)
