"""One day's digest is the same each time it is made."""

import datetime as dt

import pytest

from gateway.cli.audit.exporting.daily import day_of, digest_for
from gateway.cli.audit.exporting.days import sha256_of
from gateway.cli.audit.exporting.material import Material
from gateway.core.errors import ConfigError
from tests.cli.audit.exporting.world import DAY, NOON, Days
from tests.policy.world import FixedClock


@pytest.mark.parametrize(("said", "day"), [("today", DAY), ("yesterday", "2026-11-24"), ("2026-01-31", "2026-01-31")])
def test_a_day_is_named_or_written(said: str, day: str) -> None:
    assert day_of(said, FixedClock(NOON)) == day
    assert dt.date.fromisoformat(day)


def test_anything_else_is_no_day() -> None:
    with pytest.raises(ConfigError, match="--day 2026-13-01"):
        day_of("2026-13-01", FixedClock(NOON))


def test_a_package_has_the_same_digest_of_a_whole_day(days: Days, material: Material) -> None:
    alone, _ = digest_for(days.folder, "2026-11-24", None)
    (packed,) = [each for each in material.days if each.day == "2026-11-24"]
    assert sha256_of(alone) == sha256_of(packed)


def test_a_day_that_is_over_has_one_digest(days: Days) -> None:
    one, other = digest_for(days.folder, "2026-11-24", None), digest_for(days.folder, "2026-11-24", None)
    assert sha256_of(one[0]) == sha256_of(other[0])
    assert (one[0].decisions, one[1]) == (16, None)
