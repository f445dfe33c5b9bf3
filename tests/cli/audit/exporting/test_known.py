"""Agents of the thirty days before a day."""

from gateway.cli.audit.exporting.known import LOOK_BACK_NS, Known, seen_before
from gateway.evidence.package.building import take
from gateway.evidence.package.population import Period
from tests.cli.audit.exporting.world import HOSTILE, NOON, Days

EVERYBODY = {"agent-7", "reader-1", "nobody-1", HOSTILE}


def test_those_of_the_day_before_are_known(days: Days) -> None:
    midday = NOON - 3600 * 10**9
    assert set(seen_before(take(days.folder, Period(midday, midday + 10)))) == EVERYBODY


def test_before_the_first_day_and_long_after_the_last_nobody_is(days: Days) -> None:
    assert seen_before(take(days.folder, Period(0, 5))) == {}
    later = NOON + 400 * 86_400 * 10**9
    assert seen_before(take(days.folder, Period(later, later + 1))) == {}


def test_who_was_seen_is_known_for_thirty_days_and_not_on_the_same_day() -> None:
    known = Known({"a": 100})
    known.see({"b": 200, "a": 50})
    assert known.at(100) == frozenset()
    assert known.at(101) == {"a"}
    assert known.at(201) == {"a", "b"}
    assert known.at(LOOK_BACK_NS + 101) == {"b"}
