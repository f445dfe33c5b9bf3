"""A plan is made once for one reading of a statement, one set of obligations and one snapshot."""

from collections import OrderedDict
from dataclasses import replace

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.core.verdict import Limits, Obligations
from gateway.session import plans
from gateway.session.plans import plan_for
from tests.session import fakes

FEW = Obligations(limits=Limits(rows=5))


def test_the_same_statement_under_equal_obligations_has_the_same_plan() -> None:
    understood = fakes.understood("SELECT 41")
    first = plan_for(understood, Obligations(), fakes.GROUND)
    assert plan_for(understood, Obligations(), fakes.GROUND) is first


def test_other_obligations_or_another_snapshot_have_another_plan() -> None:
    understood = fakes.understood("SELECT 42")
    first = plan_for(understood, Obligations(), fakes.GROUND)
    other = replace(fakes.GROUND, catalog=msgspec.structs.replace(fakes.EMPTY, sha256="1" * 64))
    assert plan_for(understood, Obligations(), other) is not first
    assert plan_for(understood, FEW, fakes.GROUND) is not first


def test_another_reading_of_an_equal_text_is_another_statement() -> None:
    one = fakes.understood("SELECT 43")
    other = msgspec.structs.replace(one)
    assert plan_for(one, Obligations(), fakes.GROUND) is not plan_for(other, Obligations(), fakes.GROUND)


def test_a_refusal_is_not_kept() -> None:
    opaque = msgspec.structs.replace(fakes.understood("SELECT 44"), tree=None)
    for _ in range(2):
        with pytest.raises(Refused):
            plan_for(opaque, Obligations(), fakes.GROUND)


def test_no_more_plans_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "KEPT", 3)
    monkeypatch.setattr(plans, "_plans", OrderedDict())
    first = fakes.understood("SELECT 45")
    plan = plan_for(first, Obligations(), fakes.GROUND)
    for number in range(2):
        plan_for(fakes.understood(f"SELECT {number}"), Obligations(), fakes.GROUND)
    assert plan_for(first, Obligations(), fakes.GROUND) is plan
    for number in range(3):
        plan_for(fakes.understood(f"SELECT {number}, 1"), Obligations(), fakes.GROUND)
    assert plan_for(first, Obligations(), fakes.GROUND) is not plan
