"""How a refusal reads: what, why, what to do, and the decision it hangs on."""

import pytest

from gateway.core.errors import Unavailable
from gateway.core.verdict import Decision, Finding, Mask, Outcome, Verdict
from gateway.frontends.postgres.texts import failure, masked_notice, refusal
from gateway.session.ruling import Ruling, rule
from gateway.sql.plan import Plan
from gateway.wire.postgres.frames import ServerReader
from gateway.wire.postgres.server_messages import parse_diagnostic
from tests.session import fakes


def fields(data: bytes) -> dict[str, str]:
    (frame,) = ServerReader().receive_data(data)
    return parse_diagnostic(frame).fields  # type: ignore[arg-type]  # a diagnostic is a frame


def refused(finding: Finding, advice: tuple[str, ...] = ()) -> Ruling:
    verdict = Verdict(decision=Decision(outcome=Outcome.DENY, advice=advice), findings=(finding,))
    return rule(fakes.leg(), verdict, fakes.GROUND)


def test_a_refusal_names_code_controls_place_and_decision() -> None:
    finding = Finding(
        code="pci.bulk", message="too much at once", remedy="Ask for less.", file="gateway/pci/bulk.rego", line=7,
        controls=("PCI-DSS-4.0.1/3.4.2",),
    )  # fmt: skip
    found = fields(refusal(refused(finding)))
    assert found["M"] == "too much at once"
    assert found["D"] == "pci.bulk (PCI-DSS-4.0.1/3.4.2), gateway/pci/bulk.rego:7; decision did-1"
    assert found["H"] == "Ask for less."
    assert (found["S"], found["V"], found["C"]) == ("ERROR", "ERROR", "42501")


def test_without_a_remedy_the_advice_of_policy_is_the_hint() -> None:
    found = fields(refusal(refused(Finding(code="x", message="no"), ("first", "second"))))
    assert found["H"] == "first; second"


def test_a_failure_of_a_part_is_of_its_own_class() -> None:
    found = fields(failure(Unavailable("evidence.unavailable", "disk"), did="d-9"))
    assert found["C"] == "57P03"
    assert found["M"].endswith(": disk")
    assert found["D"] == "code evidence.unavailable; decision d-9"
    assert fields(failure(Unavailable("upstream.lost"), fatal=True))["S"] == "FATAL"


def test_only_a_refused_statement_has_a_refusal() -> None:
    with pytest.raises(TypeError):
        refusal(fakes.ruling())


def test_a_notice_of_masks_names_columns_methods_and_conditions() -> None:
    pan = Mask(schema="public", relation="cards", column="pan", method="last4")
    cvv = Mask(schema="public", relation="cards", column="cvv", method="null")
    plan = Plan(text="", source="", masked=(cvv, pan), predicates_on_masked=(pan,))
    found = fields(masked_notice(plan, "d-1"))
    assert found["M"] == "masked: public.cards.cvv (null), public.cards.pan (last4)"
    assert (found["S"], found["C"], found["D"]) == ("NOTICE", "01000", "decision d-1")
    assert "public.cards.pan see masked values" in found["H"]
    assert "H" not in fields(masked_notice(Plan(text="", source="", masked=(cvv,)), "d"))
