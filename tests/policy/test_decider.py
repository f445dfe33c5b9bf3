"""One question, one verdict: answers are remembered exactly, and everything that goes wrong denies with its code."""

import msgspec
import pytest

from gateway.core.verdict import Outcome, Verdict
from gateway.policy.decider import Active, Decider
from gateway.policy.engine import EngineError
from tests.policy.world import ALLOW, MINUTE, CountingEngine, FixedClock, bundle, column, request

PAN = column("pan", "pan")
CVV = column("cvv", "cvv")


def deciding(engine: CountingEngine, clock: FixedClock | None = None, expires_at: int | None = None) -> Decider:
    decider = Decider(clock or FixedClock())
    decider.activate(Active(bundle(expires_at=expires_at), engine))
    return decider


def code_of(verdict: Verdict) -> str:
    assert verdict.decision.outcome is Outcome.DENY
    return verdict.findings[0].code


def mask(name: str, method: str) -> dict[str, object]:
    masks = [{"schema": "public", "relation": "cards", "column": name, "method": method}]
    return {**ALLOW, "outcome": "mask", "obligations": {"masks": masks}}


async def test_without_a_bundle_everything_is_denied() -> None:
    verdict = await Decider(FixedClock()).decide(request())
    assert code_of(verdict) == "policy.unavailable"
    assert Decider(FixedClock()).posture("payments").guarded


async def test_a_verdict_names_the_bundle_and_holds_what_was_asked_and_answered() -> None:
    verdict = await deciding(CountingEngine(ALLOW)).decide(request())
    assert verdict.decision.outcome is Outcome.ALLOW
    assert (verdict.bundle_sha256, verdict.policy_digest, verdict.revision) == ("a" * 64, "b" * 64, "r1")
    assert verdict.engine == "fake/1"
    assert b'"spec":"querywarden/input/v1"' in verdict.input
    assert msgspec.json.decode(verdict.output)["outcome"] == "allow"


async def test_the_same_question_is_evaluated_once_and_another_one_again() -> None:
    engine = CountingEngine(ALLOW)
    decider = deciding(engine)
    first, again = await decider.decide(request()), await decider.decide(request())
    assert (first.cached, again.cached) == (False, True)
    assert (again.input, again.output) == (first.input, first.output)
    await decider.decide(request(text="SELECT ? + ?"))
    await decider.decide(request(subject="agent-8"))
    assert len(engine.asked) == 3


async def test_a_new_bundle_forgets_the_answers_of_the_old_one() -> None:
    old, new = CountingEngine(ALLOW), CountingEngine({**ALLOW, "outcome": "deny"})
    decider = deciding(old)
    await decider.decide(request())
    decider.activate(Active(bundle(sha256="c" * 64), new))
    verdict = await decider.decide(request())
    assert (verdict.decision.outcome, verdict.bundle_sha256) == (Outcome.DENY, "c" * 64)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (EngineError("policy.timeout"), "policy.timeout"),
        (EngineError("policy.undefined"), "policy.undefined"),
        ({"outcome": "perhaps"}, "policy.invalid_decision"),
        ({"outcome": "allow", "obligations": {"watermark": True}}, "policy.invalid_decision"),
        ({}, "policy.invalid_decision"),
        (b"[]", "policy.invalid_decision"),
        (b"not json", "policy.invalid_decision"),
    ],
)
async def test_what_is_no_decision_denies_with_its_code(answer: dict[str, object] | bytes, code: str) -> None:
    engine = CountingEngine(answer)
    decider = deciding(engine)
    for _ in range(2):
        verdict = await decider.decide(request())
        assert code_of(verdict) == code
        assert verdict.input
    assert len(engine.asked) == 2, "a failure is not remembered"


async def test_a_labelled_column_that_the_decision_leaves_out_denies() -> None:
    assert code_of(await deciding(CountingEngine(ALLOW)).decide(request(PAN))) == "policy.label_uncovered"


async def test_a_masked_or_cleared_column_is_covered() -> None:
    masked = await deciding(CountingEngine(mask("pan", "last4"))).decide(request(PAN))
    assert masked.decision.outcome is Outcome.MASK
    reason = {"code": "test.cleared", "args": {"column": "public.cards.pan"}}
    cleared = await deciding(CountingEngine({**ALLOW, "reasons": [reason]})).decide(request(PAN))
    assert cleared.decision.outcome is Outcome.ALLOW


async def test_a_reason_of_another_effect_clears_nothing() -> None:
    reason = {"code": "test.allowed", "args": {"column": "public.cards.pan"}}
    verdict = await deciding(CountingEngine({**ALLOW, "reasons": [reason]})).decide(request(PAN))
    assert code_of(verdict) == "policy.label_uncovered"


@pytest.mark.parametrize("method", ["last4", "first6_last4", "fixed"])
async def test_sensitive_authentication_data_passes_as_null_only(method: str) -> None:
    assert code_of(await deciding(CountingEngine(mask("cvv", method))).decide(request(CVV))) == "policy.label_uncovered"
    verdict = await deciding(CountingEngine(mask("cvv", "null"))).decide(request(CVV))
    assert verdict.decision.outcome is Outcome.MASK


async def test_an_expired_bundle_denies() -> None:
    clock = FixedClock()
    decider = deciding(CountingEngine(ALLOW), clock, expires_at=clock.now // 1_000_000_000 + 60)
    assert (await decider.decide(request())).decision.outcome is Outcome.ALLOW
    clock.now += MINUTE
    assert code_of(await decider.decide(request())) == "policy.unavailable"


async def test_facts_that_no_schema_allows_deny() -> None:
    odd = request(column("", "pan"))
    assert code_of(await deciding(CountingEngine(ALLOW)).decide(odd)) == "policy.invalid_input"


def test_the_posture_of_a_connection_is_the_bundles_and_one_object() -> None:
    decider = deciding(CountingEngine(ALLOW))
    posture = decider.posture("payments")
    assert posture.labels == {"public.cards": {"pan": ("pan",)}}
    assert decider.posture("payments") is posture


async def test_memory_is_bounded() -> None:
    engine = CountingEngine(ALLOW)
    decider = deciding(engine)
    for number in range(5000):
        await decider.decide(request(text=f"SELECT {'?, ' * (number % 7)} ? -- {number}"))
    await decider.decide(request(text="SELECT  ? -- 0"))
    assert len(engine.asked) == 5001
