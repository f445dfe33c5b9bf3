"""One client's session: its two streams, what the server owes, the names it has given, and how it all ends."""

import asyncio
from dataclasses import dataclass, field

from gateway.core.errors import GatewayError
from gateway.frontends.house import House
from gateway.frontends.keeper import Keeper
from gateway.frontends.postgres.texts import failure
from gateway.session import records
from gateway.session.exchange import Entry, Exchange
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


@dataclass(eq=False)
class Conversation:
    """What the client task and the relay task share."""

    house: House
    keeper: Keeper
    traveller: Traveller
    client: Stream
    startup: dict[str, str]
    """settings the agent asked for at startup, for the upstream connection"""
    exchange: Exchange = field(default_factory=Exchange)
    registry: Registry = field(default_factory=Registry)
    link: Link | None = None
    status: bytes = b"I"
    """transaction status of the last ReadyForQuery"""
    skipping: bool = False
    """the client was told of an error in the extended protocol: its messages are ignored up to Sync"""
    catalog_void: bool = False
    """the session changed the schema: what is known of it no longer holds"""
    statements: int = 0
    denied: int = 0
    ended: "asyncio.Future[EndSession]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _progress: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def at_rest(self) -> bool:
        """Nothing is owed and no transaction is open: a local answer keeps the order and the state."""
        return self.exchange.idle and self.status == b"I"

    @property
    def guarded(self) -> bool:
        """The bundle's word on this connection: allow-lists of session features hold."""
        return self.keeper.posture(self.keeper.name).guarded

    def ready(self, status: bytes) -> None:
        """The server is ready: follow the state of its transaction."""
        self.status = status
        self.traveller.transaction = {b"I": "none", b"T": "active", b"E": "failed"}[status]
        if status == b"I":
            self.registry.end_transaction()

    def moved(self) -> None:
        """Wake whoever waits for the server."""
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

    def send(self, entry: Entry, message: bytes) -> None:
        """Write a message to the server and note what it owes for it."""
        if self.link is None:
            raise TypeError("nothing is sent before the upstream connection is open")
        self.exchange.sent(entry)
        self.link.stream.write(message)

    def note(self, change: Change) -> Change:
        """Note a change of names that goes out with the message now being sent."""
        return self.registry.note(change, self.exchange.segment)

    def task(self, ruling: Ruling, phase: Phase) -> Task:
        """A recorded statement about to be sent."""
        limits = ruling.verdict.decision.obligations.limits
        task = Task(ruling, phase, self.house.clock.monotonic_ns(), row_limit=limits.rows)
        if limits.seconds is not None:
            asyncio.get_running_loop().call_later(limits.seconds, self._too_long, task)
        return task

    def _too_long(self, task: Task) -> None:
        """A statement used up its seconds: stop it, unless it has been answered."""
        head = self.exchange.head
        if head is not None and head.task is task and not task.over:
            task.over = "limit.seconds"
            self.stop_upstream()

    def stop_upstream(self) -> None:
        """Ask the server to cancel what it is doing now."""
        if self.link is not None:
            self.house.spawn(self.keeper.cancel(self.link))

    async def finish(self, task: Task, how: Settled) -> None:
        """Record how a statement ended. A log that cannot take it refuses the next decision, so nothing more is done."""
        event = records.finished(task, how, self.traveller, self.house.clock.monotonic_ns())
        await self.house.note(event)
