"""Brings a bundle into force: read, verify, compile, try, keep, swap. What fails leaves the old one and a record."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from gateway.core.clock import Clock
from gateway.core.errors import GatewayError, Unavailable
from gateway.core.events import Event, EventType
from gateway.policy.bundle import Bundle, BundleRejected, VerificationKey, open_bundle
from gateway.policy.decider import Active, Decider
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.probe import PROBE
from gateway.policy.store import BundleStore

BUNDLE_MAX: Final = 64 << 20
"""bytes of an archive"""
LOOK_EVERY_SECONDS: Final = 1.0

Note = Callable[[Event], Awaitable[object]]


class Activator:
    """Keeps the decider on the bundle that lies at a path, and looks again when the file changes."""

    def __init__(  # noqa: PLR0913 -- each is one of its collaborators
        self,
        path: Path,
        keys: Sequence[VerificationKey],
        decider: Decider,
        *,
        store: BundleStore,
        clock: Clock,
        note: Note,
        accept_demo: bool = False,
    ) -> None:
        self._path = path
        self._keys = keys
        self._decider = decider
        self._store = store
        self._clock = clock
        self._note = note
        self._accept_demo = accept_demo
        self._seen: tuple[int, ...] = ()
        self._lock = asyncio.Lock()

    @property
    def active_sha256(self) -> str:
        """Of the bundle in force; empty while there is none."""
        return self._decider.active.bundle.sha256 if self._decider.active else ""

    async def load(self, why: str) -> bool:
        """Try to bring what lies at the path into force. False, and a record, when it cannot be."""
        async with self._lock:
            self._seen = self._stamp()
            raw = b""
            try:
                raw = await asyncio.to_thread(self._read)
                if (active := self._decider.active) and hashlib.sha256(raw).hexdigest() == active.bundle.sha256:
                    return True
                fresh = await self._made(raw)
            except GatewayError as error:
                await self._note(self._rejected(raw, error, why))
                return False
            await self._note(self._activated(fresh.bundle, why))
            self._decider.activate(fresh)
            return True

    async def watch(self) -> None:
        """Look every second, for as long as the gateway runs."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            if self._stamp() != self._seen:
                await self.load("the file changed")

    async def _made(self, raw: bytes) -> Active:
        """The bundle with an engine that has answered once. Raises GatewayError."""
        bundle = await asyncio.to_thread(open_bundle, raw, self._keys, self._clock.now_ns() // 1_000_000_000)
        if bundle.demo and not self._accept_demo:
            raise BundleRejected("bundle.demo")
        engine = await asyncio.to_thread(EmbeddedEngine, bundle.wasm, bundle.data)
        active = Active(bundle, engine)
        await active.decide(PROBE, self._clock)
        try:
            await asyncio.to_thread(self._store.keep, raw)
        except OSError as error:
            raise Unavailable("evidence.unavailable", f"the bundle cannot be kept: {type(error).__name__}") from None
        return active

    def _read(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                raw = file.read(BUNDLE_MAX + 1)
        except OSError as error:
            raise BundleRejected("bundle.missing", f"{self._path.name}: {error.strerror}") from None
        if len(raw) > BUNDLE_MAX:
            raise BundleRejected("bundle.too_large")
        return raw

    def _stamp(self) -> tuple[int, ...]:
        """Changes when the file does; empty while there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _activated(self, bundle: Bundle, why: str) -> Event:
        before = self._decider.active
        data: dict[str, object] = {
            "why": why,
            "revision": bundle.revision,
            "keyid": bundle.keyid,
            "sequence": bundle.sequence,
            "previous": f"sha256:{before.bundle.sha256}" if before else "",
        }
        return Event(
            type=EventType.BUNDLE_ACTIVATED,
            bundle=f"sha256:{bundle.sha256}",
            policy_digest=f"sha256:{bundle.policy_digest}",
            data=data,
            durable=True,
        )

    def _rejected(self, raw: bytes, error: GatewayError, why: str) -> Event:
        data: dict[str, object] = {"why": why, "code": error.code, "detail": error.detail}
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}" if raw else ""
        return Event(type=EventType.BUNDLE_REJECTED, ok=False, bundle=digest, data=data)
