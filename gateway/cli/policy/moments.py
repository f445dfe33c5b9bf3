"""Moments that people write on the command line."""

import datetime as dt
from typing import TypedDict

from gateway.core.errors import ConfigError


class Terms(TypedDict):
    """What a signature says beside the files; moments in seconds since the epoch."""

    sequence: int
    not_before: int
    expires_at: int | None


def terms_of(sequence: int, not_before: str, expires_at: str) -> Terms:
    """The terms that options name. Raises ConfigError for what is no moment or no number of a release."""
    if not 0 <= sequence < 1 << 53:
        raise ConfigError("config.invalid", "--sequence is a number from 0 on")
    begin = moment(not_before, "--not-before") or 0
    return Terms(sequence=sequence, not_before=begin, expires_at=moment(expires_at, "--expires-at"))


def moment(text: str, option: str) -> int | None:
    """Seconds since the epoch of an ISO 8601 date or time, UTC unless it says otherwise; None for an empty text.

    Raises ConfigError that names the option.
    """
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
        seconds = int((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if seconds < 0:
        raise ConfigError("config.invalid", f"{option} is a date like 2026-12-31 or a time like 2026-12-31T23:59:59Z")
    return seconds


def written(seconds: int | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
