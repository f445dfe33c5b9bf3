"""A stop meets whom it names and everybody who acts for them, nobody else; and it keeps no work from being undone."""

import msgspec
import pytest

from gateway.core.principal import Delegator
from gateway.core.verdict import Outcome
from gateway.policy.decider import Active, Decider
from gateway.policy.document import Request
from gateway.policy.stops import Kind, Stop, Stops
from tests.policy.world import ALLOW, CountingEngine, FixedClock, bundle, request


def stop(kind: Kind, name: str = "") -> Stop:
    return Stop(id="s1", kind=kind, name=name, reason="r", by="maria", at="2026-11-25T00:00:00Z")


def for_maria(asked: Request) -> Request:
    delegator = Delegator(id="maria", groups=("finance",))
    return msgspec.structs.replace(asked, principal=msgspec.structs.replace(asked.principal, on_behalf_of=delegator))


@pytest.mark.parametrize(
    ("kind", "name", "met"),
    [
        ("everything", "", True),
        ("subject", "agent-7", True),
        ("subject", "maria", True),
        ("subject", "agent", False),
        ("group", "agents", True),
        ("group", "finance", True),
        ("group", "agent-7", False),
        ("connection", "payments", True),
        ("connection", "agents", False),
    ],
)
def test_whom_a_stop_meets(kind: Kind, name: str, *, met: bool) -> None:
    assert (Stops((stop(kind, name),)).met_by(for_maria(request())) is not None) is met


def test_a_person_s_stop_meets_only_agents_that_act_for_them() -> None:
    assert Stops((stop("subject", "maria"), stop("group", "finance"))).met_by(request()) is None


@pytest.mark.parametrize(
    ("action", "met"), [("rollback", False), ("rollback_to", False), ("commit", True), ("set", True)]
)
def test_undoing_is_never_stopped(action: str, *, met: bool) -> None:
    asked = request()
    asked = msgspec.structs.replace(asked, statement=msgspec.structs.replace(asked.statement, action=action))
    assert (Stops((stop("everything"),)).met_by(asked) is not None) is met


async def test_a_stop_denies_before_the_engine_is_asked_and_also_what_it_remembers() -> None:
    engine = CountingEngine(ALLOW)
    decider = Decider(FixedClock())
    decider.activate(Active(bundle(), engine))
    assert (await decider.decide(request())).decision.outcome is Outcome.ALLOW
    decider.stops.standing = (stop("everything"),)
    verdict = await decider.decide(request())
    assert verdict.decision.outcome is Outcome.DENY
    assert verdict.findings[0].code == "policy.stopped"
    assert "s1" in verdict.findings[0].message
    assert verdict.input
    assert len(engine.asked) == 1
    decider.stops.standing = ()
    assert (await decider.decide(request())).decision.outcome is Outcome.ALLOW


async def test_a_stop_is_named_also_while_no_bundle_is_active() -> None:
    verdict = await Decider(FixedClock(), Stops((stop("everything"),))).decide(request())
    assert verdict.findings[0].code == "policy.stopped"
