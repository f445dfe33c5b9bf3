"""Brings a bundle into force: fetch, verify, compile, try, keep, swap. What fails leaves the old one and a record."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gateway.core.clock import Clock
from gateway.core.errors import BundleRejected, GatewayError, Unavailable
from gateway.core.events import Event, EventType, Who
from gateway.policy.bundle import Bundle
from gateway.policy.decider import Active, Decider
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import Engine, EngineError
from gateway.policy.gate import rejection, try_vectors
from gateway.policy.keyring import Keyring
from gateway.policy.memory import Memory
from gateway.policy.probe import PROBE
from gateway.policy.source import Source
from gateway.policy.store import BundleStore

LOOK_EVERY_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 30.0
TAKE_SECONDS: Final = 60.0
"""how long an OPA may take to load a bundle while another one still decides"""
TAKE_LOOK_SECONDS: Final = 0.02
PASSING: Final = frozenset(
    {"bundle.not_taken", "bundle.not_yet_valid", "evidence.unavailable", "evidence.failed", "bundle.key"}
)
"""reasons that may be gone without another bundle being laid down: it is tried again"""

Note = Callable[[Event], Awaitable[object]]


@dataclass(frozen=True)
class Means:
    """What an activation works with, and whom it tells."""

    keyring: Keyring
    store: BundleStore
    memory: Memory
    clock: Clock
    note: Note
    engines: Callable[[Bundle, EmbeddedEngine], Engine] = lambda _, embedded: embedded
    """which engine decides by a bundle; the embedded one has answered its vectors"""
    publish: Callable[[bytes], None] = lambda _: None
    """lay an archive out for OPA servers to fetch"""
    accept_demo: bool = False


@dataclass(frozen=True)
class Cause:
    """Why a bundle comes into force, and by whose order. Nobody's: the configured place has it."""

    why: str
    who: str = ""
    reason: str = ""
    back: bool = False
    """an older one, on purpose"""


class Activator:
    """Keeps the decider on the bundle that the configured place has, unless it was told otherwise."""

    def __init__(self, source: Source, decider: Decider, means: Means) -> None:
        self._source = source
        self._decider = decider
        self._means = means
        self._lock = asyncio.Lock()
        self._raw = b""
        self._told: tuple[str, str] = ("", "")
        self._again_at: float | None = None

    @property
    def active_sha256(self) -> str:
        """Of the bundle in force; empty while there is none."""
        return self._decider.active.bundle.sha256 if self._decider.active else ""

    async def start(self) -> bool:
        """The configured bundle, or the one that was active when the gateway stopped. False when there is neither."""
        if await self.load("start"):
            return True
        remembered = self._means.memory.now.active
        if not remembered:
            return False
        cause = Cause("start: the one that was active")
        try:
            raw = await asyncio.to_thread(self._kept, remembered)
            async with self._lock:
                await self._bring(raw, Cause(cause.why, back=True), quiet=True)
        except GatewayError as error:
            await self._say(self._rejected(b"", error, cause))
            return False
        return True

    async def load(self, why: str) -> bool:
        """Look at the configured place, changed or not. False, and a record, when it has none to use."""
        return await self._look(Cause(why), anew=True)

    async def activate(self, raw: bytes, cause: Cause) -> Bundle:
        """Bring these bytes into force, on somebody's order. Raises GatewayError, after recording it."""
        async with self._lock:
            return await self._ordered(raw, cause)

    async def rollback(self, digest: str, cause: Cause) -> Bundle:
        """Go back to a bundle that was active before. Raises GatewayError, after recording it."""
        async with self._lock:
            try:
                raw = await asyncio.to_thread(self._kept, digest)
            except GatewayError as error:
                await self._say(self._rejected(b"", error, cause))
                raise
            return await self._ordered(raw, cause)

    async def watch(self) -> None:
        """Look every second, for as long as the gateway runs."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            due = self._again_at is not None and loop.time() >= self._again_at
            if self._means.keyring.moved():
                await self.recheck()
                due = True
            if due or self._source.moved():
                await self._look(Cause("the bundle's place has another one"), anew=due)

    async def recheck(self) -> None:
        """Verify the active bundle with the keys as they are now. One that no key answers for decides no longer."""
        async with self._lock:
            if self._decider.active is None:
                return
            cause = Cause("the keys changed")
            try:
                await asyncio.to_thread(self._means.keyring.open, self._raw, self._now_s())
            except GatewayError as error:
                await self._say(self._rejected(self._raw, error, cause))
                self._decider.activate(None)

    async def _look(self, cause: Cause, *, anew: bool) -> bool:
        async with self._lock:
            raw = b""
            self._again_at = None
            try:
                found = await self._source.fetch(anew=anew)
                if found is None:
                    return True
                raw = found
                if hashlib.sha256(raw).hexdigest() == self.active_sha256:
                    return True
                self._may_come(raw)
                await self._bring(raw, cause)
            except GatewayError as error:
                if error.code in PASSING:
                    self._again_at = asyncio.get_running_loop().time() + AGAIN_SECONDS
                await self._tell_once(raw, error, cause)
                return False
            self._told = ("", "")
            return True

    async def _ordered(self, raw: bytes, cause: Cause) -> Bundle:
        try:
            return await self._bring(raw, cause)
        except GatewayError as error:
            await self._say(self._rejected(raw, error, cause))
            raise

    def _may_come(self, raw: bytes) -> None:
        """What was rolled back from stays away until somebody brings it back."""
        if hashlib.sha256(raw).hexdigest() in self._means.memory.now.withdrawn:
            raise BundleRejected("bundle.withdrawn")

    async def _bring(self, raw: bytes, cause: Cause, *, quiet: bool = False) -> Bundle:
        """All of it. `quiet`: that this one is active was decided before. Raises GatewayError."""
        means, before = self._means, self._decider.active
        fresh = await self._made(raw, back=cause.back)
        bundle = fresh.bundle
        try:
            await self._offer(raw, fresh.engine)
            await asyncio.to_thread(means.store.keep, raw)
            remembered = means.memory.now
            gone = {before.bundle.sha256} if before and cause.back and not quiet else set()
            await asyncio.to_thread(
                means.memory.keep,
                active=bundle.sha256,
                sequence=max(remembered.sequence, bundle.sequence),
                withdrawn=tuple(sorted({*remembered.withdrawn, *gone} - {bundle.sha256})),
            )
            await means.note(self._activated(bundle, cause, back=cause.back and not quiet))
        except (GatewayError, OSError) as error:
            fresh.retire()
            if self._raw:
                means.publish(self._raw)
            if isinstance(error, OSError):
                text = f"the bundle cannot be kept: {type(error).__name__}"
                raise Unavailable("evidence.unavailable", text) from None
            raise
        self._decider.activate(fresh)
        self._raw = raw
        return bundle

    async def _offer(self, raw: bytes, engine: Engine) -> None:
        """Lay it out for OPA servers. While another one decides, wait until the one that is to decide has taken it."""
        self._means.publish(raw)
        if self._decider.active is None or engine.remembers:
            return
        deadline = asyncio.get_running_loop().time() + TAKE_SECONDS
        while True:
            try:
                await engine.check()
            except EngineError as error:
                if asyncio.get_running_loop().time() >= deadline:
                    raise BundleRejected("bundle.not_taken", f"{error.code} {error.detail}".strip()) from None
            else:
                return
            await asyncio.sleep(TAKE_LOOK_SECONDS)

    async def _made(self, raw: bytes, *, back: bool) -> Active:
        """The bundle with an engine that decides by it, proven by its vectors. Raises GatewayError."""
        bundle = await asyncio.to_thread(self._means.keyring.open, raw, self._now_s())
        if bundle.demo and not self._means.accept_demo:
            raise BundleRejected("bundle.demo")
        if bundle.sequence < self._means.memory.now.sequence and not back:
            text = f"{bundle.sequence}, and {self._means.memory.now.sequence} was active"
            raise BundleRejected("bundle.sequence", text)
        try:
            embedded = await asyncio.to_thread(EmbeddedEngine, bundle.wasm, bundle.data)
        except EngineError as error:
            raise rejection(error) from None
        try:
            await Active(bundle, embedded).decide(PROBE, self._means.clock)
            await asyncio.to_thread(try_vectors, bundle, embedded)
        except GatewayError as error:
            embedded.close()
            raise rejection(error) from None
        return Active(bundle, self._means.engines(bundle, embedded))

    def _kept(self, digest: str) -> bytes:
        try:
            raw = self._means.store.read(digest)
        except (OSError, ValueError) as error:
            raise BundleRejected("bundle.not_kept", str(error)) from None
        if raw is None:
            raise BundleRejected("bundle.not_kept", digest[:12])
        return raw

    def _now_s(self) -> int:
        return self._means.clock.now_ns() // 1_000_000_000

    async def _tell_once(self, raw: bytes, error: GatewayError, cause: Cause) -> None:
        """A server that is away is one event, not one every thirty seconds."""
        told = (hashlib.sha256(raw).hexdigest(), error.code)
        if told != self._told or cause.why == "start":
            self._told = told
            await self._say(self._rejected(raw, error, cause))

    async def _say(self, event: Event) -> None:
        """Record what has failed anyway. A log that cannot take it says so itself, and everything is denied then."""
        try:
            await self._means.note(event)
        except Unavailable:
            return

    def _activated(self, bundle: Bundle, cause: Cause, *, back: bool) -> Event:
        before = self._decider.active
        data: dict[str, object] = {
            "why": cause.why,
            "reason": cause.reason,
            "revision": bundle.revision,
            "keyid": bundle.keyid,
            "sequence": bundle.sequence,
            "previous": f"sha256:{before.bundle.sha256}" if before else "",
        }
        return Event(
            type=EventType.BUNDLE_ROLLED_BACK if back else EventType.BUNDLE_ACTIVATED,
            who=Who(id=cause.who) if cause.who else None,
            bundle=f"sha256:{bundle.sha256}",
            policy_digest=f"sha256:{bundle.policy_digest}",
            data=data,
            durable=True,
        )

    def _rejected(self, raw: bytes, error: GatewayError, cause: Cause) -> Event:
        data: dict[str, object] = {"why": cause.why, "code": error.code, "detail": error.detail[:500]}
        if cause.reason:
            data["reason"] = cause.reason
        return Event(
            type=EventType.BUNDLE_REJECTED,
            ok=False,
            who=Who(id=cause.who) if cause.who else None,
            bundle=f"sha256:{hashlib.sha256(raw).hexdigest()}" if raw else "",
            data=data,
        )
