"""One record of a PostgreSQL log, whatever its format: when, which process, who, and what it says.

Nothing of it is stored: texts hold literals. What is told of a record is made from its redacted statement.
"""

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass
from typing import Final, NamedTuple

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,6}))? ?(\S*)")
_NUMERIC: Final = re.compile(r"([+-])(\d\d)(?::?(\d\d))?\Z")
_UTC: Final = frozenset({"", "UTC", "GMT", "Z"})
_SECOND: Final = 1_000_000_000


class LogFormatError(ValueError):
    """The log is not in the form it was said to have. The text says how, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one report of the server says. What the format does not carry is empty, the application None."""

    time_ns: int
    process: str
    """session id (`%c`) or process id"""
    user: str
    database: str
    application: str | None
    address: str
    backend: str
    message: str
    statement: str = ""
    """the statement during which it was said (`STATEMENT:`), of errors"""
    number: int = 0
    """of the line in its session, where the format counts them without gaps"""
    cut: bool = False
    """the text goes on where we stopped keeping it, or has bytes that are no UTF-8"""

    def __repr__(self) -> str:
        """Without texts."""
        return f"Record({self.time_ns}, {self.process})"


class Unread(NamedTuple):
    """Bytes that are no record."""

    size: int


class Times:
    """Reads the server's times. `zone` is log_timezone, for abbreviations that are not clear."""

    def __init__(self, zone: str = "") -> None:
        self._zone = _zone(zone) if zone else None
        self._last = ("", 0)

    def __call__(self, text: str) -> int:
        """Nanoseconds since the epoch. Raises LogFormatError."""
        found = _TIME.match(text)
        if found is None:
            raise LogFormatError("a time is expected at the beginning of each record")
        whole, fraction, zone = found.groups()
        if (whole + zone) != self._last[0]:
            self._last = (whole + zone, self._seconds(whole, zone))
        return self._last[1] * _SECOND + int((fraction or "0").ljust(6, "0")) * 1000

    def _seconds(self, whole: str, zone: str) -> int:
        try:
            when = dt.datetime.strptime(whole + "+0000", "%Y-%m-%d %H:%M:%S%z")
        except ValueError:
            raise LogFormatError("a time is expected at the beginning of each record") from None
        if zone in _UTC:
            return int((when - _EPOCH).total_seconds())
        if (numeric := _NUMERIC.match(zone)) is not None:
            shift = int(numeric[2]) * 3600 + int(numeric[3] or 0) * 60
            return int((when - _EPOCH).total_seconds()) - (shift if numeric[1] == "+" else -shift)
        local = when.replace(tzinfo=self._zone or _zone(zone))
        return int((local - _EPOCH).total_seconds())


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise LogFormatError(f"the time zone {name[:32]!r} is not known: give log_timezone (--timezone)") from None
