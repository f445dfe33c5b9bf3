"""The policy decision point: one question, one evaluation, one verdict; what cannot be answered is denied.

Answers are remembered by the sha256 of the canonical document under the bundle that gave them. That is exact, because a
document holds nothing that the bundle does not read (`policy.md`, rule 7).
"""

import asyncio
import contextlib
import hashlib
from collections import Counter, OrderedDict
from typing import Final, Protocol

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import GatewayError
from gateway.core.site import Posture
from gateway.core.verdict import Decision, Outcome, Shadow, Verdict
from gateway.policy.acceptance import accepted, clearing
from gateway.policy.bundle import Bundle
from gateway.policy.document import Request, Scribe, check
from gateway.policy.engine import Engine, EngineError
from gateway.policy.findings import failure, render
from gateway.policy.stops import Stops

REMEMBERED: Final = 4096
REMEMBERED_BYTES: Final = 64 << 20
SWAP_SECONDS: Final = 0.25
_DENIED: Final = Decision(outcome=Outcome.DENY)


class Active:
    """A bundle that decides: its engine, its scribe, and the answers it has given."""

    def __init__(self, bundle: Bundle, engine: Engine) -> None:
        self.bundle = bundle
        self.engine = engine
        self._scribe = Scribe(bundle.reads, bundle.sha256, bundle.revision)
        self._postures: dict[str, Posture] = {}
        self._known: OrderedDict[bytes, Verdict] = OrderedDict()
        self._held = 0
        self._cleared = clearing(bundle.rules)
        self._running = 0
        self._retired = False

    def posture(self, connection: str) -> Posture:
        """How the bundle's site data governs a connection; the same object for the same connection."""
        if connection not in self._postures:
            self._postures[connection] = self.bundle.site.posture_of(connection)
        return self._postures[connection]

    async def decide(self, request: Request, clock: Clock) -> Verdict:
        """The verdict on a request. Raises EngineError and msgspec.ValidationError."""
        started = clock.monotonic_ns()
        expires_at = self.bundle.expires_at
        if expires_at is not None and clock.now_ns() >= expires_at * 1_000_000_000:
            raise EngineError("policy.unavailable", "the active bundle has expired")
        document = self._scribe.write(request)
        digest = hashlib.sha256(document)
        key = digest.digest()
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        check(document)
        answer = await self._answer(document)
        verdict = self.verdict(document, answer, digest.hexdigest(), (clock.monotonic_ns() - started) // 1000)
        if self.engine.remembers:
            self._remember(key, verdict)
        return verdict

    def retire(self) -> None:
        """Another decides from now on: let go of the engine once what it is still asked has been answered."""
        self._retired = True
        self._let_go()

    def _let_go(self) -> None:
        if self._retired and not self._running:
            self.engine.close()

    async def _answer(self, document: bytes) -> bytes:
        self._running += 1
        try:
            return await self.engine.evaluate(document)
        finally:
            self._running -= 1
            self._let_go()

    def verdict(self, document: bytes, answer: bytes, input_sha256: str, duration_us: int) -> Verdict:
        """What an answer means. Raises EngineError when it is no decision, or leaves a labelled column out."""
        decision = accepted(document, answer, self._cleared)
        return Verdict(
            decision=decision,
            findings=render(decision, self.bundle.rules),
            input=document,
            output=answer,
            input_sha256=input_sha256,
            output_sha256=hashlib.sha256(answer).hexdigest(),
            bundle_sha256=self.bundle.sha256,
            policy_digest=self.bundle.policy_digest,
            revision=self.bundle.revision,
            engine=self.engine.name,
            duration_us=duration_us,
        )

    def failed(self, document: bytes, error: GatewayError) -> Verdict:
        """The denial that stands for an evaluation that gave no decision."""
        return Verdict(
            decision=_DENIED,
            findings=(failure(error),),
            input=document,
            input_sha256=hashlib.sha256(document).hexdigest() if document else "",
            bundle_sha256=self.bundle.sha256,
            policy_digest=self.bundle.policy_digest,
            revision=self.bundle.revision,
            engine=self.engine.name,
        )

    def document(self, request: Request) -> bytes:
        """The document of a request; empty when it cannot be written."""
        try:
            return self._scribe.write(request)
        except (msgspec.ValidationError, TypeError, ValueError):
            return b""

    def _remember(self, key: bytes, verdict: Verdict) -> None:
        self._known[key] = msgspec.structs.replace(verdict, cached=True, duration_us=0)
        self._held += len(verdict.input) + len(verdict.output)
        while len(self._known) > REMEMBERED or self._held > REMEMBERED_BYTES:
            _, old = self._known.popitem(last=False)
            self._held -= len(old.input) + len(old.output)


class Beside(Protocol):
    """A candidate that answers the same questions."""

    async def beside(self, verdict: Verdict, request: Request) -> Shadow | None:
        """What it would have answered, if there is one. Never raises for a reason of policy."""
        ...


class Decider:
    """Asks whichever bundle is active. Without one, everything is denied; what is stopped is denied before that."""

    def __init__(self, clock: Clock, stops: Stops | None = None) -> None:
        self._clock = clock
        self.stops = stops or Stops()
        self.active: Active | None = None
        self.shadow: Beside | None = None
        self._swapped = asyncio.Event()
        self.decided: Counter[str] = Counter()
        """by outcome"""
        self.failed: Counter[str] = Counter()
        """by code: denials for want of an answer, and stops"""

    def activate(self, active: Active | None) -> None:
        """From now on this bundle decides, or none; evaluations under way end under the old one."""
        old, self.active = self.active, active
        self._swapped.set()
        self._swapped = asyncio.Event()
        if old is not None and old is not active:
            old.retire()

    def posture(self, connection: str) -> Posture:
        """How a connection is governed now: guarded, and nothing known, while no bundle is active."""
        return self.active.posture(connection) if self.active else _UNGOVERNED

    async def decide(self, request: Request) -> Verdict:
        """The verdict. Never raises for a reason of policy."""
        verdict = await self._decide(request)
        self.decided[verdict.decision.outcome.value] += 1
        if not verdict.output and verdict.findings:
            self.failed[verdict.findings[0].code] += 1
        return verdict

    async def _decide(self, request: Request) -> Verdict:
        active = self.active
        stop = self.stops.met_by(request)
        if stop is not None:
            return _failed(active, request, EngineError("policy.stopped", f"stop {stop.id}"))
        if active is None:
            return _failed(None, request, EngineError("policy.unavailable"))
        verdict = await self._asked(active, request)
        if _code(verdict) == "policy.other_bundle" and await self._swap(active):
            verdict = await self._asked(self.active, request)
        if self.shadow is not None:
            verdict = msgspec.structs.replace(verdict, shadow=await self.shadow.beside(verdict, request))
        return verdict

    async def _asked(self, active: Active | None, request: Request) -> Verdict:
        if active is None:
            return _failed(None, request, EngineError("policy.unavailable"))
        try:
            return await active.decide(request, self._clock)
        except EngineError as error:
            return _failed(active, request, error)
        except (msgspec.ValidationError, TypeError, ValueError):
            return active.failed(b"", EngineError("policy.invalid_input"))
        except Exception as error:  # noqa: BLE001 -- whatever else goes wrong in an engine denies, and ends no session
            return _failed(active, request, EngineError("policy.engine", type(error).__name__))

    async def _swap(self, active: Active) -> bool:
        """A fleet takes a new bundle a moment before we do: wait for that moment. False when it does not come."""
        swapped = self._swapped
        if self.active is active:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(swapped.wait(), SWAP_SECONDS)
        return self.active is not active


def _failed(active: Active | None, request: Request, error: EngineError) -> Verdict:
    if active is None:
        return Verdict(decision=_DENIED, findings=(failure(error),))
    return active.failed(active.document(request), error)


def _code(verdict: Verdict) -> str:
    return verdict.findings[0].code if verdict.findings else ""


_UNGOVERNED: Final = Posture()
