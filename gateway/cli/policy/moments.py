"""Moments that people write on the command line."""

import datetime as dt

from gateway.core.errors import ConfigError


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
