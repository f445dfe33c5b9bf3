"""From the section `policy` to what decides: source, keys, engines, orders, candidate, and the archive for OPA."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field

from gateway.config import settings as s
from gateway.core.clock import Clock
from gateway.core.errors import GatewayError
from gateway.core.events import Event, EventType
from gateway.evidence.recorder import Recorder
from gateway.frontends.http.shelf import Shelf
from gateway.frontends.http.state import Family, State
from gateway.policy.activation import Activator, Means, Note
from gateway.policy.bundle import Bundle
from gateway.policy.decider import Decider
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import Engine, EngineError
from gateway.policy.keyring import Keyring
from gateway.policy.memory import Memory
from gateway.policy.office import Office
from gateway.policy.opa import Opa, OpaEngine, Server
from gateway.policy.orders import Tray
from gateway.policy.shadow import Candidate
from gateway.policy.source import Address, FileSource, Source, UrlSource
from gateway.policy.store import BundleStore
from gateway.policy.twin import Comparison, Twin

LOOK_AT_CANDIDATE_SECONDS = 1.0


@dataclass(eq=False)
class Ruling:
    """Everything that decides, and what keeps it so."""

    decider: Decider
    activator: Activator
    office: Office
    memory: Memory
    shelf: Shelf
    comparison: Comparison
    note: Note
    opa: Opa | None = None
    candidate: Candidate | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Before the first client: the stops that stand, a bundle, the orders that waited, the candidate."""
        await self.office.stand()
        await self.activator.start()
        await self.office.work()
        if self.candidate is not None:
            await self._take(self.candidate)
        self.started.set()

    def works(self) -> list[Coroutine[None, None, None]]:
        """What goes on for as long as the gateway runs."""
        watching = [self.activator.watch(), self.office.watch()]
        return [*watching, self._watch(self.candidate)] if self.candidate is not None else watching

    async def close(self) -> None:
        """Let go of OPA's connections, and of the engines."""
        self.decider.activate(None)
        if self.candidate is not None:
            self.candidate.close()
        if self.opa is not None:
            await self.opa.close()

    async def why_not(self) -> list[str]:
        """Codes of what keeps policy from deciding now."""
        active = self.decider.active
        if active is None:
            return ["policy.unavailable"]
        try:
            await active.engine.check()
        except EngineError as error:
            return [error.code]
        return []

    async def _watch(self, candidate: Candidate) -> None:
        await self.started.wait()  # a start that takes long takes the candidate itself, and once
        while True:
            await asyncio.sleep(LOOK_AT_CANDIDATE_SECONDS)
            if candidate.moved():
                await self._take(candidate)

    async def _take(self, candidate: Candidate) -> None:
        """A candidate that could never be active is rejected in the record, and nothing is compared."""
        data: dict[str, object] = {"why": "shadow"}
        bundle, ok = "", True
        try:
            taken = await candidate.load()
            bundle = f"sha256:{taken.sha256}" if taken else ""
            data["revision"] = taken.revision if taken else ""
        except GatewayError as error:
            data |= {"code": error.code, "detail": error.detail[:500]}
            ok = False
        kind = EventType.BUNDLE_SHADOWED if ok else EventType.BUNDLE_REJECTED
        await self.note(Event(type=kind, ok=ok, bundle=bundle, data=data))


def make_ruling(settings: s.Settings, clock: Clock, note: Note, *, accept_demo: bool = False) -> Ruling:
    """Wired, and nothing read yet but what is remembered. Raises Unavailable."""
    policy, decider, shelf, comparison = settings.policy, Decider(clock), Shelf(), Comparison()
    memory = Memory.open(settings.data_dir)
    keyring = Keyring(policy.verification_keys, policy.revoked_keys)
    opa = Opa(server_of(policy.opa)) if policy.opa is not None else None
    means = Means(
        keyring=keyring,
        store=BundleStore(settings.data_dir),
        memory=memory,
        clock=clock,
        note=note,
        engines=_Engines(policy, opa, comparison).choose,
        publish=shelf.put,
        accept_demo=accept_demo,
    )
    activator = Activator(source_of(policy, clock), decider, means)
    candidate = None
    if policy.shadow is not None:
        candidate = Candidate(policy.shadow.path, lambda raw: keyring.open(raw, clock.now_ns() // 10**9), clock)
        decider.shadow = candidate
    office = Office(Tray(settings.data_dir), activator, decider, memory, note)
    return Ruling(decider, activator, office, memory, shelf, comparison, note, opa, candidate)


@dataclass(frozen=True)
class _Engines:
    """Which engine decides by a bundle, and which one checks it."""

    policy: s.Policy
    opa: Opa | None
    comparison: Comparison

    def choose(self, bundle: Bundle, embedded: EmbeddedEngine) -> Engine:
        """The engine of a bundle whose vectors the embedded one has answered."""
        second = self.policy.second_engine
        if self.policy.engine == "embedded" or self.opa is None:
            if second is None or self.opa is None:
                return embedded
            return Twin(embedded, OpaEngine(self.opa, bundle), second.percent, self.comparison)
        if second is None:
            embedded.close()
            return OpaEngine(self.opa, bundle)
        return Twin(OpaEngine(self.opa, bundle), embedded, second.percent, self.comparison)


def source_of(policy: s.Policy, clock: Clock) -> Source:
    """Where the configured bundle comes from."""
    if not policy.bundle.is_url:
        return FileSource(policy.bundle.path)
    server = policy.bundle_server
    address = Address(
        url=str(policy.bundle),
        poll=server.poll,
        timeout=server.timeout,
        ca=server.ca,
        token=server.token.reveal if server.token else None,
    )
    return UrlSource(address, clock)


def server_of(opa: s.Opa) -> Server:
    """Where the OPA is."""
    return Server(
        url=opa.url,
        timeout=opa.timeout,
        bundle=opa.bundle,
        ca=opa.ca,
        cert=(opa.tls.cert, opa.tls.key) if opa.tls else None,
        token=opa.token.reveal if opa.token else None,
    )


def state_of(ruling: Ruling, recorder: Recorder, more: Iterable[Family] = ()) -> State:
    """What /metrics and /readyz tell; `more` are numbers of other rooms."""

    async def why_not() -> list[str]:
        degraded = ["evidence.unavailable"] if recorder.degraded is not None else []
        return [*await ruling.why_not(), *degraded]

    return State(why_not, (*_families(ruling, recorder), *more))


def _families(ruling: Ruling, recorder: Recorder) -> list[Family]:
    decider, compared, candidate = ruling.decider, ruling.comparison, ruling.candidate
    found = [
        Family("querywarden_decisions", "Decisions of policy.", lambda: dict(decider.decided), "outcome", counter=True),
        Family(
            "querywarden_policy_failures", "Denials for want of an answer.", lambda: dict(decider.failed), "code",
            counter=True,
        ),
        Family("querywarden_bundle", "1 for the active bundle.", lambda: dict.fromkeys(_digest(ruling), 1.0), "sha256"),
        Family("querywarden_stops", "Emergency stops that stand.", lambda: {"": float(len(decider.stops.standing))}),
        Family(
            "querywarden_log_degraded", "1 while nothing can be recorded.",
            lambda: {"": float(recorder.degraded is not None)},
        ),
        Family(
            "querywarden_second_engine", "Questions asked of a second engine.",
            lambda: {"asked": compared.asked, "differed": compared.differed, "unanswered": compared.unanswered},
            "result", counter=True,
        ),
    ]  # fmt: skip
    if candidate is not None:
        name = "querywarden_shadow"
        found.append(Family(name, "Answers of the candidate.", lambda: dict(candidate.changes), "change", counter=True))
    return found


def _digest(ruling: Ruling) -> list[str]:
    return [ruling.activator.active_sha256] if ruling.activator.active_sha256 else []
