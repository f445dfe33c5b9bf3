"""Decisions of a period, gathered from a log."""

from pathlib import Path

import pytest

from gateway.cli.policy.past import LoggedPast, Period
from gateway.evidence.recorder import Recorder
from tests.cli.audit.world import Written, written
from tests.evidence.world import TickClock, decided

YEAR = 366 * 86_400 * 10**9


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return written(tmp_path_factory.mktemp("var"))


def nothing(*_: int) -> None:
    """Nobody watches."""


def test_each_decision_is_in_one_group_with_an_example(past: Written) -> None:
    groups = LoggedPast(past.folder, Period()).groups(nothing)
    assert sorted(group.example for group in groups) == sorted([past.by_policy, past.hostile, past.refused])
    assert sum(group.count for group in groups) == 3


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(past: Written) -> None:
    times = [int(leaf.t) for leaf in LoggedPast(past.folder, Period()).leaves(nothing)]
    inside = LoggedPast(past.folder, Period(times[0], times[2])).leaves(nothing)
    assert [int(leaf.t) for leaf in inside] == times[:2]


def test_documents_are_found_by_their_hash_and_others_are_left_out(past: Written) -> None:
    whole = LoggedPast(past.folder, Period())
    names = {group.input for group in whole.groups(nothing)} - {""}
    assert {name for name, _ in whole.bodies([*names, "0" * 64])} == names


def test_no_log_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LoggedPast(tmp_path, Period())


def test_only_the_connections_that_were_named_are_looked_at(past: Written) -> None:
    named = LoggedPast(past.folder, Period(), ("payments",)).leaves(nothing)
    assert {leaf.did for leaf in named} == {past.by_policy, past.hostile}
    assert list(LoggedPast(past.folder, Period(), ("hr",)).leaves(nothing)) == []


def test_each_end_of_a_statement_is_told_with_its_place(past: Written) -> None:
    ends = [each for each in LoggedPast(past.folder, Period()).logged(nothing, ends=True) if not each.decides]
    assert [(each.leaf.did, each.leaf.outcome, each.epoch) for each in ends] == [(past.hostile, "done", 1)]


async def test_a_clock_that_was_set_for_a_moment_hides_no_decision_of_the_period(tmp_path: Path) -> None:
    clock = TickClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
    begun, dids = clock.now, [f"d{number}" for number in range(6)]
    for did in dids:
        clock.now += YEAR if did == "d2" else 0
        await recorder.append(decided(did))
        clock.now -= YEAR if did == "d2" else 0
    await recorder.close()
    past = LoggedPast(tmp_path, Period(begun, begun + 3600 * 10**9))
    assert [leaf.did for leaf in past.leaves(nothing)] == ["d0", "d1", "d3", "d4", "d5"]
