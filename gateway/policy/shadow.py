"""A candidate in the shadow of the active bundle: it answers the same questions, is recorded, and decides nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import GatewayError
from gateway.core.verdict import Reason, Shadow, Verdict
from gateway.policy.bundle import Bundle
from gateway.policy.decider import Active
from gateway.policy.document import Request
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import EngineError
from gateway.policy.gate import rejection, try_vectors
from gateway.policy.source import FileSource

CODES: Final = 8
"""of the codes that differ, so many are recorded: a leaf has 4 KiB"""


class Quick:
    """The embedded engine with the short deadline only: a candidate may not hold up the statements it watches."""

    remembers: Final = True

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self.name = engine.name

    async def evaluate(self, document: bytes) -> bytes:
        """The answer, if it comes within ten milliseconds. Raises EngineError."""
        return self._engine.evaluate_soon(document)

    async def check(self) -> None:
        """It is in this process."""

    def close(self) -> None:
        """Let go of what it holds."""
        self._engine.close()


class Candidate:
    """The bundle at a path, whenever it can be one; its answers, and how often they differed."""

    def __init__(self, path: Path, opened: Callable[[bytes], Bundle], clock: Clock) -> None:
        self._source = FileSource(path)
        self._opened = opened
        self._clock = clock
        self._active: Active | None = None
        self.changes: Counter[str] = Counter()
        """by kind of change; `same` counts those without"""

    @property
    def sha256(self) -> str:
        """Of the candidate; empty while there is none."""
        return self._active.bundle.sha256 if self._active else ""

    def moved(self) -> bool:
        """Whether the file changed."""
        return self._source.moved()

    async def load(self) -> Bundle | None:
        """Take what lies at the path, or nothing. Raises GatewayError when it could never be active."""
        self.close()
        raw = await self._source.fetch(anew=True)
        self._active = await asyncio.to_thread(self._made, raw) if raw else None
        return self._active.bundle if self._active else None

    def close(self) -> None:
        """Let go of the candidate."""
        old, self._active = self._active, None
        if old is not None:
            old.retire()

    def _made(self, raw: bytes) -> Active:
        bundle = self._opened(raw)
        try:
            engine = EmbeddedEngine(bundle.wasm, bundle.data)
        except EngineError as error:
            raise rejection(error) from None
        try:
            try_vectors(bundle, engine)
        except GatewayError:
            engine.close()
            raise
        return Active(bundle, Quick(engine))

    async def beside(self, verdict: Verdict, request: Request) -> Shadow | None:
        """What the candidate would have answered; None while there is none."""
        if self._active is None:
            return None
        found = await self._compared(self._active, verdict, request)
        self.changes[found.change or "same"] += 1
        return found

    async def _compared(self, active: Active, verdict: Verdict, request: Request) -> Shadow:
        sha256 = active.bundle.sha256
        try:
            other = await active.decide(request, self._clock)
        except GatewayError as error:
            return Shadow(bundle_sha256=sha256, outcome="deny", change="failed", codes=(error.code,))
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with a candidate, it is not the statement's matter
            return Shadow(bundle_sha256=sha256, outcome="deny", change="failed", codes=(type(error).__name__,))
        return Shadow(
            bundle_sha256=sha256,
            outcome=other.decision.outcome.value,
            change=_change(verdict, other),
            codes=_codes(verdict, other),
        )


def _change(ours: Verdict, theirs: Verdict) -> str:
    one, other = ours.decision, theirs.decision
    if one.outcome is not other.outcome:
        return "outcome"
    if one.obligations != other.obligations:
        return "obligations"
    return "" if _keys(one.reasons) == _keys(other.reasons) else "reasons"


def _codes(ours: Verdict, theirs: Verdict) -> tuple[str, ...]:
    known = _keys(ours.decision.reasons)
    fresh = {reason.code for reason in theirs.decision.reasons if _key(reason) not in known}
    return tuple(sorted(fresh)[:CODES])


def _keys(reasons: tuple[Reason, ...]) -> frozenset[bytes]:
    return frozenset(map(_key, reasons))


def _key(reason: Reason) -> bytes:
    return msgspec.json.encode(reason, order="sorted")
