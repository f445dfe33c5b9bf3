"""The real frontend on a real port with TLS, before a real PostgreSQL; policy and log are stand-ins in memory.

It runs in a thread with a loop of its own, so that blocking clients (libpq, raw sockets) can be its clients.
"""

import asyncio
import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg

from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.core.site import Posture
from gateway.core.verdict import Decision, Finding, Limits, Mask, Obligations, Outcome, RowFilter, Verdict
from gateway.frontends.accept import ALPN, Door
from gateway.frontends.certificate import Certificate
from gateway.frontends.driver import Driver
from gateway.frontends.house import House
from gateway.frontends.keeper import Keeper
from gateway.frontends.listener import bind, serve
from gateway.frontends.postgres.reception import Reception
from gateway.identity.keys import parse_key_set
from gateway.identity.verifier import TrustedIssuer, Verifier
from gateway.policy.document import Request
from gateway.upstream.pool import Pool
from gateway.upstream.target import Target
from tests.support import certificates
from tests.support.identity import AUDIENCE, ISSUER, Issuer
from tests.support.loops import BOTH
from tests.support.postgres import HOST, Cluster, password_of
from tests.support.rawpg import RawClient

CARDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "public.cards": {"pan": ("pan",), "cvv": ("cvv",)},
    "public.num_cards": {"pan": ("pan",), "pan_num": ("pan",), "pan_raw": ("pan",)},
}
LABELLED = Posture(labels={name: dict(columns) for name, columns in CARDS.items()})
OPEN = Posture(guarded=False)
T = TypeVar("T")


class Policy:
    """Allows everything but hazards and texts it was told to deny; labelled columns are masked."""

    def __init__(self) -> None:
        self.denied: list[str] = ["PG_READ_FILE", "PG_SLEEP_NOT"]
        self.limits = Limits()
        self.clear: tuple[str, ...] = ()
        self.filters: tuple[RowFilter, ...] = ()
        self.asked: list[Request] = []
        self.outcome: Outcome | None = None

    async def decide(self, request: Request) -> Verdict:
        self.asked.append(request)
        statement = request.statement
        text = statement.text_redacted.upper()
        if self.outcome is not None:
            return self._verdict(self.outcome, "policy.denied")
        hazards = [hazard.code for hazard in statement.hazards if hazard.code != "second_reader_unread"]
        if hazards:
            return self._verdict(Outcome.DENY, hazards[0])
        if any(word in text for word in self.denied):
            return self._verdict(Outcome.DENY, "policy.denied")
        masks = tuple(
            Mask(schema=c.schema, relation=c.relation, column=c.name, method="null" if "cvv" in c.labels else "last4")
            for c in statement.columns
            if c.labels and c.name not in self.clear
        )
        obligations = Obligations(masks=masks, limits=self.limits, row_filters=self.filters)
        return self._verdict(Outcome.MASK if masks else Outcome.ALLOW, "access.granted", obligations)

    @staticmethod
    def _verdict(outcome: Outcome, code: str, obligations: Obligations | None = None) -> Verdict:
        return Verdict(
            decision=Decision(outcome=outcome, obligations=obligations or Obligations()),
            findings=(Finding(code=code, message=f"{outcome.value} by the stand-in", remedy="Ask for less."),),
            input=b"{}",
            output=b"{}",
            engine="stand-in",
        )


class MemoryLog:
    """Events in order. `fail` refuses new ones, `delay` makes each wait."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.exact: list[bytes] = []
        self.fail: Callable[[Event], bool] = lambda _: False
        self.delay = 0.0
        self.hold: asyncio.Event | None = None

    async def append(self, event: Event) -> object:
        if self.fail(event):
            raise Unavailable("evidence.unavailable")
        if self.hold is not None and event.type is EventType.STATEMENT_DECIDED:
            await self.hold.wait()
        if self.delay:
            await asyncio.sleep(self.delay)
        self.events.append(event)
        return None

    def mac(self, exact: bytes) -> str:
        self.exact.append(exact)
        return "hmac:" + "0" * 64

    def of(self, *kinds: EventType) -> list[Event]:
        return [event for event in tuple(self.events) if event.type in kinds]


@dataclass
class World:
    """A running frontend and what stands around it."""

    cluster: Cluster
    tls: certificates.ServerTls
    issuer: Issuer
    policy: Policy
    log: MemoryLog
    house: House
    reception: Reception
    door: Door
    port: int
    loop: asyncio.AbstractEventLoop
    postures: dict[str, Posture]
    databases: Mapping[str, str] = field(default_factory=dict)
    complaints: list[dict[str, object]] = field(default_factory=list)
    """what the loop was told of exceptions nobody took"""

    def token(self, subject: str = "agent-7", **claims: object) -> str:
        return self.issuer.sign({**self.issuer.claims(subject), **claims})

    def conninfo(self, connection: str = "payments", **more: str) -> str:
        parts = {
            "host": HOST, "port": str(self.port), "dbname": connection, "user": "agent", "password": "",
            "sslmode": "verify-full", "sslrootcert": str(self.tls.ca), "connect_timeout": "20", **more,
        }  # fmt: skip
        parts["password"] = parts["password"] or self.token()
        return psycopg.conninfo.make_conninfo("", **parts)

    def connect(self, connection: str = "payments", **more: str) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(connection, **more), autocommit=True)

    def direct(self, connection: str = "payments") -> psycopg.Connection:
        return self.cluster.connect(self.databases[connection], "agent_rw")

    @contextmanager
    def raw(self, connection: str = "payments", token: str = "", **more: str) -> Iterator[RawClient]:
        """A logged in raw client."""
        with RawClient(self.port) as client:
            client.start_tls(self.tls.ca)
            seen = client.log_in(token or self.token(), connection, "agent", **more)
            assert seen[-1].kind == "Z", [message.fields for message in seen if message.kind == "E"]
            yield client

    @contextmanager
    def raw_direct(self, connection: str = "payments") -> Iterator[RawClient]:
        """A raw client of the database itself."""
        with RawClient(self.cluster.port) as client:
            client.start_tls(self.cluster.tls.ca)
            seen = client.log_in(password_of("login_clear"), self.databases[connection], "login_clear")
            assert seen[-1].kind == "Z", [message.fields for message in seen if message.kind == "E"]
            yield client

    def do(self, work: Coroutine[None, None, T]) -> T:
        """Run a coroutine on the frontend's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def call(self, function: Callable[[], T]) -> T:
        async def later() -> T:
            return function()

        return self.do(later())

    def events(self, *kinds: EventType, sid: str = "") -> list[Event]:
        return [event for event in self.log.of(*kinds) if not sid or event.sid == sid]

    def closed(self, sid: str, seconds: float = 20) -> Event:
        """The record that closes a session; waits for it."""
        return self.until(lambda: self.events(EventType.SESSION_CLOSED, sid=sid), seconds)[0]

    def sid(self) -> str:
        """The session opened last."""
        return self.log.of(EventType.SESSION_OPENED)[-1].sid

    def begin_anew(self) -> None:
        """Wait until nobody is connected, check what was recorded, and forget it together with all settings."""
        self.until(lambda: not self.reception.running)
        check_records(self.log.events)
        self.log.__init__()  # type: ignore[misc]  # the same object is wired everywhere
        self.policy.__init__()  # type: ignore[misc]  # likewise

    @staticmethod
    def until(look: Callable[[], T], seconds: float = 20) -> T:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.01)
        return found


def make_target(cluster: Cluster, name: str, database: str, user: str = "agent_rw", port: int | None = None) -> Target:
    return Target(
        name=name, host=HOST, port=port or cluster.port, database=database, user=user,
        password=lambda: password_of(user), tls="verify-full", ca=cluster.tls.ca,
    )  # fmt: skip


async def _start(
    world_of: Callable[..., World], keepers: dict[str, Keeper], tls: certificates.ServerTls, issuer: Issuer
) -> tuple[World, list["asyncio.Task[None]"], set["asyncio.Task[None]"]]:
    policy, log, clock = Policy(), MemoryLog(), SystemClock()
    keys = parse_key_set(_jwks(issuer))

    class Ring:
        async def current(self) -> object:
            return keys

        async def refreshed(self) -> object:
            return keys

    trusted = TrustedIssuer(
        issuer=ISSUER, audience=frozenset({AUDIENCE}), algorithms=frozenset({"ES256", "RS256", "EdDSA"}), keys=Ring()  # type: ignore[arg-type]  # a keyring by what it does
    )  # fmt: skip
    house = House(Driver(policy, log, clock), Verifier([trusted], clock), keepers, clock)
    reception = Reception(house)
    door = Door(Certificate(tls.cert, tls.key, [ALPN]))
    listening = bind(HOST, 0)
    running: set[asyncio.Task[None]] = set()

    async def receive(sock: socket.socket) -> None:
        await reception.receive(await door.admit(sock))

    accepting = asyncio.ensure_future(serve(listening, receive, running))
    accepting.add_done_callback(lambda _: listening.close())
    world = world_of(policy, log, house, reception, door, listening.getsockname()[1])
    return world, [accepting], running


def _jwks(issuer: Issuer) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return issuer.write_jwks(Path(folder) / "jwks.json").read_bytes()


@contextmanager
def _loop_in_a_thread(complaints: list[dict[str, object]]) -> Iterator[asyncio.AbstractEventLoop]:
    """A running uvloop. What it is told of exceptions nobody took goes into `complaints`."""
    loop = BOTH["uvloop"]()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def running_world(
    cluster: Cluster, databases: Mapping[str, str], postures: Mapping[str, Posture], *, user: str = "agent_rw"
) -> Iterator[World]:
    """A frontend that serves `databases` (connection → database) until the block ends; nothing may be left running."""
    said, issuer = dict(postures), Issuer()
    complaints: list[dict[str, object]] = []
    pool = Pool(dict.fromkeys(databases, 50))
    with tempfile.TemporaryDirectory() as folder, _loop_in_a_thread(complaints) as loop:
        tls = certificates.issue(Path(folder))
        keepers = {
            name: Keeper(name, make_target(cluster, name, database, user), pool, lambda of: said[of])
            for name, database in databases.items()
        }

        def world_of(*made: object) -> World:
            around = (loop, said, databases, complaints)
            return World(cluster, tls, issuer, *made, *around)  # type: ignore[arg-type,call-arg]  # as _start gives them

        starting = asyncio.run_coroutine_threadsafe(_start(world_of, keepers, tls, issuer), loop)
        world, tasks, running = starting.result(30)
        try:
            yield world
        finally:
            asyncio.run_coroutine_threadsafe(_stop(world, tasks, running), loop).result(60)
    assert not complaints, complaints
    check_records(world.log.events)


async def _stop(world: World, tasks: Sequence["asyncio.Task[None]"], running: set["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await world.reception.drain(0.0)
    if running:
        done, late = await asyncio.wait(running, timeout=10)
        assert not late, late
        for task in done:
            with contextlib.suppress(asyncio.CancelledError):
                assert task.exception() is None, task.exception()
    for keeper in world.house.keepers.values():
        keeper.close()
    await asyncio.sleep(0.05)


def check_records(events: Sequence[Event]) -> None:
    """What holds for every run: sessions are closed once, statements that were let through have one outcome."""
    opened = [event.sid for event in events if event.type is EventType.SESSION_OPENED]
    closed = [event.sid for event in events if event.type is EventType.SESSION_CLOSED]
    assert sorted(opened) == sorted(closed), "a session without its end"
    decided = {event.did: event for event in events if event.type is EventType.STATEMENT_DECIDED}
    finished = [event.did for event in events if event.type is EventType.STATEMENT_FINISHED]
    assert len(finished) == len(set(finished)), "a statement with two outcomes"
    assert set(finished) <= set(decided), "an outcome without a decision"
    without = [d.act for did, d in decided.items() if d.ok and did not in set(finished)]
    assert not without, f"let through without an outcome: {without}"
