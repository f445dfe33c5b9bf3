"""Agents of the thirty days before a period."""

from gateway.cli.audit.exporting.known import known_before
from gateway.evidence.package.building import take
from gateway.evidence.package.population import Period
from tests.cli.audit.exporting.world import HOSTILE, NOON, Days


def test_those_of_the_day_before_are_known(days: Days) -> None:
    midday = NOON - 3600 * 10**9
    assert known_before(take(days.folder, Period(midday, midday + 10))) == {"agent-7", "reader-1", "nobody-1", HOSTILE}


def test_before_the_first_day_nobody_is(days: Days) -> None:
    assert known_before(take(days.folder, Period(0, 5))) == frozenset()


def test_after_thirty_days_nobody_is_any_more(days: Days) -> None:
    later = NOON + 40 * 86_400 * 10**9
    assert known_before(take(days.folder, Period(later, later + 1))) <= {"agent-7", "reader-1", "nobody-1", HOSTILE}
