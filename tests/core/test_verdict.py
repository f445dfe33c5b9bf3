"""A decision is read strictly: an obligation we do not know is one we would drop."""

import msgspec
import pytest

from gateway.core.verdict import Decision, Limits, Mask, Obligations, Outcome, Reason, Verdict

DOCUMENT = {
    "outcome": "mask",
    "reasons": [{"code": "pci.cardholder.masked", "args": {"column": "public.cards.pan"}}],
    "obligations": {"masks": [{"schema": "public", "relation": "cards", "column": "pan", "method": "last4"}]},
}


def test_a_decision_is_read_from_the_engines_answer() -> None:
    decision = msgspec.convert(DOCUMENT, Decision)
    assert decision == Decision(
        outcome=Outcome.MASK,
        reasons=(Reason(code="pci.cardholder.masked", args={"column": "public.cards.pan"}),),
        obligations=Obligations(masks=(Mask(schema="public", relation="cards", column="pan", method="last4"),)),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "maybe"},
        {},
        {"outcome": "allow", "obligations": {"shred": True}},
        {"outcome": "allow", "obligations": {"limits": {"rows": "many"}}},
    ],
)
def test_an_answer_of_another_form_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Decision)


def test_a_limit_that_is_not_there_is_no_limit_and_leaves_no_field() -> None:
    assert msgspec.to_builtins(Limits(rows=10)) == {"rows": 10}


def test_a_verdict_shows_its_decision_as_plain_values() -> None:
    verdict = Verdict(decision=msgspec.convert(DOCUMENT, Decision), findings=())
    assert verdict.document()["outcome"] == "mask"
