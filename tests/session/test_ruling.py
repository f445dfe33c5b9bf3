"""A verdict becomes a plan or a refusal; a prepared plan holds only while today's verdict asks for the same."""

import msgspec
import pytest

from gateway.core.site import Posture
from gateway.core.verdict import ApprovalDemand, Decision, Limits, Mask, Obligations, Outcome, Verdict
from gateway.session.ground import Ground
from gateway.session.ruling import Leg, own_finding, rule
from tests.session import fakes


def with_obligations(obligations: Obligations, outcome: Outcome = Outcome.ALLOW) -> Verdict:
    return Verdict(decision=Decision(outcome=outcome, obligations=obligations), findings=())


def other_ground() -> Ground:
    return Ground(msgspec.structs.replace(fakes.EMPTY, sha256="e" * 64), Posture())


def test_exactly_one_of_plan_and_refusal_is_there() -> None:
    for outcome in Outcome:
        ruling = fakes.ruling(outcome)
        assert (ruling.plan is None) != (ruling.refusal is None)
        assert ruling.outcome is (Outcome.DENY if ruling.refusal else outcome)


def test_a_denial_without_findings_has_the_general_one() -> None:
    ruling = rule(fakes.leg(), with_obligations(Obligations(), Outcome.DENY), fakes.GROUND)
    assert ruling.refusal is not None
    assert ruling.refusal.code == "policy.denied"


def test_an_approval_is_not_performed_yet_and_so_refused_however_it_is_asked_for() -> None:
    for verdict in (
        fakes.verdict(Outcome.REQUIRE_APPROVAL),
        with_obligations(Obligations(approval=ApprovalDemand(any_of=("dba",)))),
    ):
        ruling = rule(fakes.leg(), verdict, fakes.GROUND)
        assert ruling.refusal is not None
        assert ruling.refusal.code == "obligation.unsupported"


def test_what_cannot_be_rewritten_is_refused_with_its_code() -> None:
    opaque = msgspec.structs.replace(fakes.understood(), tree=None)
    ruling = rule(Leg(opaque, "d", b""), fakes.verdict(), fakes.GROUND)
    assert ruling.refusal is not None
    assert ruling.refusal.code == "statement.unanalysable"


def test_a_prepared_plan_is_used_again_while_nothing_moved() -> None:
    prior = fakes.ruling()
    again = rule(Leg(prior.understood, "e", b"", prior, prior.understood), fakes.verdict(), fakes.GROUND)
    assert again.plan is prior.plan


def test_a_prepared_plan_that_would_be_the_same_on_another_snapshot_is_used() -> None:
    prior = fakes.ruling()
    now = fakes.understood()
    again = rule(Leg(now, "e", b"", prior, now), fakes.verdict(), other_ground())
    assert again.plan is not None
    assert again.plan.text == "SELECT 1"


def test_a_prepared_plan_that_would_be_another_today_is_refused() -> None:
    prior = fakes.ruling()
    now = fakes.understood("SELECT 2")
    again = rule(Leg(now, "e", b"", prior, now), fakes.verdict(), other_ground())
    assert again.refusal is not None
    assert again.refusal.code == "statement.plan_changed"


def test_sql_execute_has_a_plan_of_its_own_when_what_it_runs_has_not_moved() -> None:
    prior = fakes.ruling()
    leg = fakes.leg("EXECUTE a", prior=prior)
    assert leg.prior is prior
    ruling = rule(leg, fakes.verdict(), fakes.GROUND)
    assert ruling.plan is not None
    assert ruling.plan.text == "EXECUTE a"


def test_another_mask_is_another_plan_or_the_same_text() -> None:
    prior = fakes.ruling()
    mask = Mask(schema="public", relation="cards", column="pan", method="last4")
    leg = Leg(prior.understood, "e", b"", prior, prior.understood)
    ruling = rule(leg, with_obligations(Obligations(masks=(mask,)), Outcome.MASK), fakes.GROUND)
    assert (ruling.plan is None) or ruling.plan.text == "SELECT 1"


@pytest.mark.parametrize("category", ["session", "transaction", "ddl"])
def test_only_what_needs_no_snapshot_goes_on_when_it_is_void(category: str) -> None:
    ground = Ground(fakes.EMPTY, Posture(), void=True)
    blind = msgspec.structs.replace(fakes.understood(), statement=fakes.statement("x", category))
    assert rule(Leg(blind, "d", b""), fakes.verdict(), ground).refusal is None
    reading = rule(fakes.leg(), fakes.verdict(), ground)
    assert reading.refusal is not None
    assert reading.refusal.code == "catalog.void"


def test_a_finding_of_our_own_is_worded_by_the_registry() -> None:
    finding = own_finding("statement.multiple", "two")
    assert finding.message.endswith(": two")
    assert finding.remedy


def test_a_cursor_opened_under_another_policy_shows_nothing_more() -> None:
    opened = fakes.ruling()
    leg = Leg(fakes.understood("FETCH 1 FROM c"), "e", b"", cursor=opened)
    assert rule(leg, fakes.verdict(), fakes.GROUND).refusal is None
    later = rule(leg, msgspec.structs.replace(fakes.verdict(), bundle_sha256="0" * 64), fakes.GROUND)
    assert later.refusal is not None
    assert later.refusal.code == "statement.cursor_outdated"


def test_a_budget_over_time_is_refused_as_long_as_nobody_counts() -> None:
    ruling = rule(fakes.leg(), with_obligations(Obligations(limits=Limits(rows_by_label={"pan": 5}))), fakes.GROUND)
    assert ruling.refusal is not None
    assert ruling.refusal.code == "obligation.unsupported"
