"""How the auditor's desk writes things for people. Everything that came from outside is hostile to a terminal."""

import datetime as dt
import json
from typing import Final

import msgspec

from gateway.config.quantities import Duration
from gateway.core.errors import ConfigError

_NS: Final = 1_000_000_000
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def printable(text: str) -> str:
    """The text with every control, format and bidirectional character shown as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def harmless(text: str) -> str:
    """The same, but for the ends of its lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def moment(time_ns: int) -> str:
    """A time in UTC, to the microsecond, as `2026-11-25 01:40:12.123456Z`."""
    seconds, rest = divmod(time_ns, _NS)
    return f"{_EPOCH + dt.timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}.{rest // 1000:06d}Z"


def instant(text: str, now_ns: int, option: str) -> int:
    """Nanoseconds of a time like `2026-11-25T01:40`, in UTC unless it says otherwise, or of an age like `15m`.

    Raises ConfigError.
    """
    try:
        return now_ns - Duration.parse(text).ns
    except ValueError:
        pass
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            "config.invalid", f"{option}: neither a time like 2026-11-25T01:40 nor an age like 15m"
        ) from None
    when = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
    return (when - _EPOCH) // dt.timedelta(microseconds=1) * 1000


def rows(pairs: list[tuple[str, str]]) -> str:
    """Lines of a name and what it is; a text of several lines is indented, an empty one left out."""
    width = max(len(name) for name, _ in pairs) + 2
    return "".join(
        f"{name if not number else '':<{width}}{line}\n"
        for name, text in pairs
        for number, line in enumerate(text.splitlines())
    )


def as_json(value: object) -> str:
    """A document for programs, indented; also what is printed of it cannot move anybody's cursor."""
    return _escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) + "\n"


def json_line(value: object) -> str:
    """The same on one line."""
    return _escaped(msgspec.json.encode(value).decode()) + "\n"


def _escaped(text: str) -> str:
    """JSON in which every character that does not print is escaped: such ones stand in its strings only."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
