"""A statement on its way: governed when what it reads, or what is sent for it, is."""

import msgspec

from gateway.session.ruling import Ruling
from gateway.session.task import Phase, Task
from tests.session import fakes


def test_a_statement_is_governed_by_what_it_reads_or_by_its_plan() -> None:
    usual = fakes.ruling()
    assert usual.plan is not None
    planned = msgspec.structs.replace(usual.plan, governed=True)
    read = msgspec.structs.replace(usual.understood, governed=True)
    assert not Task(usual, Phase.QUERY, 0).governed
    assert Task(Ruling("d", usual.understood, usual.verdict, usual.ground, plan=planned), Phase.QUERY, 0).governed
    assert Task(Ruling("d", read, usual.verdict, usual.ground, plan=usual.plan), Phase.QUERY, 0).governed


def test_tasks_are_told_apart_by_identity() -> None:
    assert len({Task(fakes.ruling(), Phase.QUERY, 0), Task(fakes.ruling(), Phase.QUERY, 0)}) == 2
