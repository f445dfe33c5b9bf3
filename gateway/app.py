"""Wires the rooms: settings in, a running gateway out. Starts in the order of need, stops in the reverse order."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import structlog

from gateway.config import settings as s
from gateway.config.anchors import anchor_families, anchored
from gateway.config.forwarding import KINDS, forwarded, names
from gateway.config.indexing import Indexing
from gateway.config.issuers import build_verifier
from gateway.config.keeping import Keeping
from gateway.config.publishing import log_desk
from gateway.config.recordings import kept_of_sessions, make_recordings, recording_families
from gateway.config.ruling import Ruling, make_ruling, state_of
from gateway.config.timekeeping import keep_time
from gateway.config.witnesses import witness_families, witnessed
from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.evidence.opening import ELSEWHERE
from gateway.evidence.reconcile_ours import own_hash
from gateway.evidence.recorder import Recorder
from gateway.frontends.accept import ALPN, Door
from gateway.frontends.certificate import Certificate
from gateway.frontends.driver import Driver
from gateway.frontends.house import House
from gateway.frontends.http.routes import Desk
from gateway.frontends.http.server import serving
from gateway.frontends.http.state import Family
from gateway.frontends.keeper import STATEMENTS, Keeper
from gateway.frontends.listener import bind, serve
from gateway.frontends.postgres.inside import ASK, UNDO
from gateway.frontends.postgres.reception import Reception
from gateway.policy.activation import Activator
from gateway.policy.decider import Decider
from gateway.sql.canonical import canonical
from gateway.upstream.pool import Pool
from gateway.upstream.target import Target

LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger("querywarden")
DRAIN_SECONDS = 10.0
LOOK_AT_LOG_SECONDS = 0.5
LOG_WAIT_NS = 5_000_000_000


@dataclass(eq=False)
class Gateway:
    """A gateway that accepts clients. Made by `running`."""

    reception: Reception
    recorder: Recorder
    activator: Activator
    keepers: dict[str, Keeper]
    ruling: Ruling
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    """numbers of other rooms, for /metrics"""

    async def close(self) -> None:
        """Let go of the databases, and of OPA."""
        await asyncio.gather(*(keeper.aclose() for keeper in self.keepers.values()), self.ruling.close())
        if self.reception.house.recordings is not None:
            await self.reception.house.recordings.close()

    async def reload(self) -> None:
        """SIGHUP: look at keys and bundle again; certificates are looked at by each handshake."""
        await self.activator.recheck()
        await self.activator.load("asked to reload")


@contextlib.asynccontextmanager
async def running(settings: s.Settings, clock: Clock, *, accept_demo: bool = False) -> AsyncIterator[Gateway]:
    """A gateway that serves while the block runs, and drains at its end. Raises Unavailable, ConfigError."""
    recorder = await _open_log(settings, clock)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(recorder.close)
        sinks = await stack.enter_async_context(forwarded(settings, _noting(recorder), clock))
        gateway = await _open(settings, clock, recorder, accept_demo=accept_demo)
        gateway.families += sinks
        stack.push_async_callback(gateway.close)
        stack.push_async_callback(_cancel, gateway.tasks)
        stack.push_async_callback(gateway.reception.drain, DRAIN_SECONDS)
        witnesses = await stack.enter_async_context(witnessed(settings, recorder, _noting(recorder), clock))
        anchors = await stack.enter_async_context(anchored(settings, recorder, _noting(recorder), clock))
        gateway.families += [*witness_families(witnesses, recorder), *anchor_families(anchors)]
        gateway.families += recording_families(gateway.reception.house.recordings)
        await _serve_http(settings, gateway, clock, stack)
        await gateway.ruling.start()
        if gateway.ruling.decider.active is None:
            LOG.warning("no bundle is active: everything is denied", place=str(settings.policy.bundle))
        ports = [
            (stack.enter_context(bind(each.address.host, each.address.port)), each)
            for each in settings.listeners.for_postgres
        ]
        accepting = [asyncio.ensure_future(_accept(sock, each, gateway.reception)) for sock, each in ports]
        stack.push_async_callback(_cancel, accepting)
        for _, each in ports:
            LOG.info("listening", protocol="postgres", address=each.address, tls=each.tls is not None)
        yield gateway


async def _open_log(settings: s.Settings, clock: Clock) -> Recorder:
    """The log. One of the auditor's commands may hold it for a moment, to record itself. Raises Unavailable."""
    until = clock.monotonic_ns() + LOG_WAIT_NS
    while True:
        try:
            return await Recorder.open(
                settings.data_dir,
                clock,
                durability=settings.evidence.durability,
                checkpoint_interval=settings.evidence.checkpoint_interval,
                tell=lambda what, facts: LOG.warning(what, **facts),
            )
        except Unavailable as error:
            if error.detail != ELSEWHERE or clock.monotonic_ns() > until:
                raise
        await asyncio.sleep(LOOK_AT_LOG_SECONDS / 10)


async def _open(settings: s.Settings, clock: Clock, recorder: Recorder, *, accept_demo: bool) -> Gateway:
    """Everything but the ports."""
    await recorder.append(_loaded(settings))
    ruling = make_ruling(settings, clock, _noting(recorder), accept_demo=accept_demo)
    ruling.comparison.alarm = lambda engines: LOG.error("policy.engines_differ", what=engines)
    decider, activator = ruling.decider, ruling.activator
    keepers = make_keepers(settings, decider)
    house = House(
        driver=Driver(decider, recorder, clock),
        verifier=build_verifier(settings.identity, clock, LOG.warning),
        keepers=keepers,
        clock=clock,
        recordings=make_recordings(settings, recorder, clock),
    )
    sinks = names(settings.evidence.sinks)
    keeping = Keeping(recorder, settings.data_dir, settings.evidence.retention, clock, LOG.warning, sinks=sinks)
    ruling.office.pruner = keeping.order
    tasks = [
        asyncio.ensure_future(work)
        for work in (
            *ruling.works(),
            _tell_degraded(recorder),
            keep_time(keepers, recorder.append, clock, LOG.warning),
            keeping.watch(),
            Indexing(recorder, settings.data_dir, LOG.warning).watch(),
            *(keeper.watch() for keeper in keepers.values()),
        )
    ]
    return Gateway(Reception(house), recorder, activator, keepers, ruling, tasks)


async def _serve_http(settings: s.Settings, gateway: Gateway, clock: Clock, stack: contextlib.AsyncExitStack) -> None:
    """The http listener, if there is one. It is up before the bundle is: an OPA fetches its bundle here."""
    listener = settings.listeners.http
    if listener is None:
        return
    token, tls = settings.policy.publish.token, listener.tls
    desk = Desk(
        shelf=gateway.ruling.shelf,
        state=state_of(gateway.ruling, gateway.recorder, gateway.families),
        name=settings.policy.publish.name,
        token=token.reveal if token else None,
        log=log_desk(settings, listener, gateway.recorder, clock),
    )
    context = Certificate(tls.cert, tls.key, ["http/1.1"]).context() if tls else None
    if token is None and not listener.address.is_loopback:
        LOG.warning("everybody who reaches the http listener can read the bundle", remedy="policy.publish.token")
    listening = stack.enter_context(bind(listener.address.host, listener.address.port))
    await stack.enter_async_context(serving(listening, desk, context))
    LOG.info("listening", protocol="http", address=listener.address, tls=tls is not None)


def make_keepers(settings: s.Settings, decider: Decider) -> dict[str, Keeper]:
    """One keeper for each connection of the configuration."""
    pool = Pool({name: connection.limits.pool_max for name, connection in settings.connections.items()})
    return {
        name: Keeper(
            name,
            target_of(name, connection),
            pool,
            decider.posture,
            dict(connection.labels),
            idle_seconds=connection.limits.idle_timeout,
            session_seconds=connection.limits.session_max,
            message_max=connection.limits.message_max,
            notices=connection.notices == "on",
        )
        for name, connection in settings.connections.items()
    }


def target_of(name: str, connection: s.Connection) -> Target:
    """Where a connection's database is, and how its secret is read when the server asks for it."""
    secret = connection.password
    return Target(
        name=name,
        host=connection.host,
        port=connection.port,
        database=connection.database,
        user=connection.user,
        password=secret.reveal if secret else _no_password,
        tls=connection.tls.mode,
        ca=connection.tls.ca,
        channel_binding=connection.tls.channel_binding,
        search_path=tuple(connection.search_path),
        minor=int(connection.protocol.removeprefix("3.")),
    )


def _no_password() -> str:
    raise Unavailable("config.secret", "no password is configured for this connection")


def _noting(recorder: Recorder) -> Callable[[Event], Awaitable[None]]:
    """Record an event of the gateway itself, and say it to the operator too."""

    async def note(event: Event) -> None:
        said = {name: value for name, value in event.data.items() if value}
        (LOG.info if event.ok else LOG.error)(event.type.value, bundle=event.bundle, **said)
        await recorder.append(event)

    return note


async def _tell_degraded(recorder: Recorder) -> None:
    """Tell the operator when nothing can be recorded, and so nothing is let through; and when it can again."""
    told = False
    while True:
        degraded = recorder.degraded
        if degraded is not None and not told:
            LOG.error("log.degraded", cause=degraded.cause, effect="new statements are denied")
        elif degraded is None and told:
            LOG.info("log.repaired")
        told = degraded is not None
        await asyncio.sleep(LOOK_AT_LOG_SECONDS)


def _loaded(settings: s.Settings) -> Event:
    """What was configured, as far as it is no secret."""
    connections = {
        name: {"type": c.type, "database": c.database, "user": c.user, "tls": c.tls.mode}
        for name, c in settings.connections.items()
    }
    data: dict[str, object] = {
        "version": version("querywarden"),
        "engine": settings.policy.engine,
        "durability": settings.evidence.durability,
        "recording": kept_of_sessions(settings),
        "issuers": [issuer.issuer for issuer in settings.identity.issuers],
        "connections": connections,
        "sinks": {sink.name: KINDS[type(sink)] for sink in settings.evidence.sinks},
        "own": [own_hash(canonical(text)) for text in (*STATEMENTS, ASK, UNDO)],
    }
    return Event(type=EventType.CONFIG_LOADED, data=data)


async def _accept(listening: socket.socket, listener: s.Listener, reception: Reception) -> None:
    """Serve the clients of one port until cancelled. Those that are being served live on until `reception.drain`."""
    tls = listener.tls
    door = Door(Certificate(tls.cert, tls.key, [ALPN]) if tls else None, listener.insecure_loopback)

    async def receive(sock: socket.socket) -> None:
        await reception.receive(await door.admit(sock))

    await serve(listening, receive, reception.house.tasks)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
