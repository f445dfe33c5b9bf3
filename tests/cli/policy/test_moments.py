"""Moments are UTC unless they say otherwise, and nothing else is taken for one."""

import pytest

from gateway.cli.policy.moments import moment, terms_of, written
from gateway.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-12-31", 1798675200),
        ("2026-12-31T23:59:59Z", 1798761599),
        ("2026-12-31T23:59:59", 1798761599),
        ("2027-01-01T00:59:59+01:00", 1798761599),
        ("", None),
    ],
)
def test_dates_and_times_are_read(text: str, seconds: int | None) -> None:
    assert moment(text, "--expires-at") == seconds


@pytest.mark.parametrize("text", ["soon", "2026", "2026-13-01", "1960-01-01", "1798675200"])
def test_anything_else_is_refused_with_the_options_name(text: str) -> None:
    with pytest.raises(ConfigError, match="--expires-at"):
        moment(text, "--expires-at")


def test_a_moment_is_written_as_it_can_be_read() -> None:
    assert written(1798761599) == "2026-12-31T23:59:59Z"
    assert moment(written(1798761599) or "", "x") == 1798761599
    assert written(None) is None


def test_terms_without_moments_hold_at_once_and_for_ever() -> None:
    assert terms_of(3, "", "") == {"sequence": 3, "not_before": 0, "expires_at": None}
    for sequence in (-1, 1 << 53):
        with pytest.raises(ConfigError, match="--sequence"):
            terms_of(sequence, "", "")
