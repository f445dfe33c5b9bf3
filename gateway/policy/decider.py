"""The policy decision point: one question, one evaluation, one verdict; what cannot be answered is denied.

Answers are remembered by the sha256 of the canonical document under the bundle that gave them. That is exact, because a
document holds nothing that the bundle does not read (`policy.md`, rule 7).
"""

import hashlib
from collections import OrderedDict
from typing import Final

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import GatewayError, Unavailable
from gateway.core.site import Posture
from gateway.core.statement import Column
from gateway.core.verdict import Decision, Outcome, Verdict
from gateway.policy.bundle import Bundle
from gateway.policy.document import Request, Scribe, check
from gateway.policy.engine import Engine, EngineError
from gateway.policy.findings import failure, render
from gateway.policy.site import SENSITIVE

REMEMBERED: Final = 4096
REMEMBERED_BYTES: Final = 64 << 20
_DENIED: Final = Decision(outcome=Outcome.DENY)
_DECISIONS: Final = msgspec.json.Decoder(Decision)
_PASSES: Final = frozenset({Outcome.ALLOW, Outcome.MASK, Outcome.REQUIRE_APPROVAL})


class Active:
    """A bundle that decides: its engine, its scribe, and the answers it has given."""

    def __init__(self, bundle: Bundle, engine: Engine) -> None:
        self.bundle = bundle
        self.engine = engine
        self._scribe = Scribe(bundle.reads, bundle.sha256, bundle.revision)
        self._postures: dict[str, Posture] = {}
        self._known: OrderedDict[bytes, Verdict] = OrderedDict()
        self._held = 0
        self._cleared = frozenset(code for code, rule in bundle.rules.items() if rule.effect == "clear")

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
        answer = await self.engine.evaluate(document)
        verdict = self.verdict(document, answer, digest.hexdigest(), (clock.monotonic_ns() - started) // 1000)
        self._remember(key, verdict)
        return verdict

    def verdict(self, document: bytes, answer: bytes, input_sha256: str, duration_us: int) -> Verdict:
        """What an answer means. Raises EngineError when it is no decision, or leaves a labelled column out."""
        try:
            decision = _DECISIONS.decode(answer)
        except msgspec.DecodeError:
            raise EngineError("policy.invalid_decision") from None
        self._check_labels(document, decision)
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

    def _check_labels(self, document: bytes, decision: Decision) -> None:
        """Each labelled column is masked or cleared by name, and sensitive authentication data is NULL."""
        if decision.outcome not in _PASSES:
            return
        masks = {(m.schema, m.relation, m.column): m.method for m in decision.obligations.masks}
        cleared = {reason.args.get("column", "") for reason in decision.reasons if reason.code in self._cleared}
        for column in _LABELLED.decode(document).statement.columns:
            if not column.labels:
                continue
            method = masks.get((column.schema, column.relation, column.name))
            if SENSITIVE.intersection(column.labels):
                if method != "null":
                    raise EngineError("policy.label_uncovered", column.name)
            elif method is None and f"{column.schema}.{column.relation}.{column.name}" not in cleared:
                raise EngineError("policy.label_uncovered", column.name)

    def _remember(self, key: bytes, verdict: Verdict) -> None:
        self._known[key] = msgspec.structs.replace(verdict, cached=True, duration_us=0)
        self._held += len(verdict.input) + len(verdict.output)
        while len(self._known) > REMEMBERED or self._held > REMEMBERED_BYTES:
            _, old = self._known.popitem(last=False)
            self._held -= len(old.input) + len(old.output)


class _Columns(msgspec.Struct):
    """The part of a document that the last look at labels needs."""

    columns: tuple[Column, ...]


class _Labelled(msgspec.Struct):
    """The same, from the top."""

    statement: _Columns


_LABELLED: Final = msgspec.json.Decoder(_Labelled)


class Decider:
    """Asks whichever bundle is active. Without one, everything is denied."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.active: Active | None = None

    def activate(self, active: Active) -> None:
        """From now on this bundle decides; evaluations under way end under the old one."""
        self.active = active

    def posture(self, connection: str) -> Posture:
        """How a connection is governed now: guarded, and nothing known, while no bundle is active."""
        return self.active.posture(connection) if self.active else _UNGOVERNED

    async def decide(self, request: Request) -> Verdict:
        """The verdict. Never raises for a reason of policy."""
        active = self.active
        if active is None:
            return Verdict(decision=_DENIED, findings=(failure(Unavailable("policy.unavailable")),))
        try:
            return await active.decide(request, self._clock)
        except EngineError as error:
            return active.failed(active.document(request), error)
        except (msgspec.ValidationError, TypeError, ValueError):
            return active.failed(b"", EngineError("policy.invalid_input"))


_UNGOVERNED: Final = Posture()
