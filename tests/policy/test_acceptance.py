"""An answer is a decision only when each labelled column is masked, or cleared by a rule that clears."""

import json

import pytest

from gateway.core.verdict import Outcome
from gateway.policy.acceptance import accepted
from gateway.policy.engine import EngineError

COLUMN = {"schema": "public", "relation": "cards", "name": "pan", "labels": ["pan"], "clauses": ["select"]}
CLEARED: dict[str, object] = {"code": "clear.it", "args": {"column": "public.cards.pan"}}


def document(*labels: str) -> bytes:
    return json.dumps({"statement": {"columns": [{**COLUMN, "labels": list(labels)}]}}).encode()


def answer(outcome: str, method: str = "", *reasons: dict[str, object]) -> bytes:
    mask = {"schema": "public", "relation": "cards", "column": "pan", "method": method}
    obligations = {"masks": [mask]} if method else {}
    return json.dumps({"outcome": outcome, "reasons": reasons, "obligations": obligations}).encode()


@pytest.mark.parametrize(
    ("labels", "raw", "code"),
    [
        (["pan"], answer("mask", "last4"), ""),
        (["pan"], answer("allow", "", CLEARED), ""),
        ([], answer("allow"), ""),
        (["pan"], answer("deny"), ""),
        (["pan"], answer("allow"), "policy.label_uncovered"),
        (["pan"], answer("allow", "", {**CLEARED, "code": "other"}), "policy.label_uncovered"),
        (["cvv"], answer("mask", "last4"), "policy.label_uncovered"),
        (["cvv"], answer("allow", "", CLEARED), "policy.label_uncovered"),
        (["cvv"], answer("mask", "null"), ""),
        (["pan"], b'{"outcome":"perhaps"}', "policy.invalid_decision"),
        (["pan"], b"{", "policy.invalid_decision"),
    ],
)
def test_what_is_accepted(labels: list[str], raw: bytes, code: str) -> None:
    if code:
        with pytest.raises(EngineError) as caught:
            accepted(document(*labels), raw, {"clear.it"})
        assert caught.value.code == code
    else:
        assert isinstance(accepted(document(*labels), raw, {"clear.it"}).outcome, Outcome)
