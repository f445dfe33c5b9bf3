"""log_line_prefix as a pattern (PostgreSQL 18, §19.8.3): where the server's own words begin in a line of its log.

Who goes round us chooses the application_name, which stands in the prefix, and the statement behind it. So a line may
be readable in several ways, and hide a statement in one of them. Names have at most 63 bytes, and our mark behind them
is longer than what that leaves: a line of ours can be read in one way only. Of any other all readings are given, and a
line that can be read as one of the database that is asked about is read as one.
"""

import re
from typing import Final, NamedTuple

from gateway.evidence.reconcile_record import LogFormatError

SEVERITIES: Final = ("LOG", "ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "INFO", "DEBUG")
ATTACHED: Final = ("DETAIL", "HINT", "QUERY", "CONTEXT", "LOCATION", "STATEMENT", "BACKTRACE")
_SAID: Final = re.compile("(" + "|".join((*SEVERITIES, *ATTACHED)) + r")\d?:  ")
_WITHIN: Final = 1024
"""characters in which a prefix ends"""
_DAY: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_PATTERNS: Final = {
    "a": r"(?P<application>(?:\\x[0-9a-f]{2}|[ -~]){0,63})",
    "u": r"(?P<user>[^\n]{0,63})",
    "d": r"(?P<database>[^\n]{0,63})",
    "r": r"(?P<remote>\S*)",
    "h": r"(?P<host>\S*)",
    "b": r"(?P<backend>[a-z ]{0,64})",
    "p": r"(?P<pid>\d+)",
    "P": r"\d*",
    "t": rf"(?P<time>{_DAY} \S+)",
    "m": rf"(?P<time>{_DAY}\.\d+ \S+)",
    "n": r"(?P<epoch>\d+\.\d+)",
    "i": r"[^\n]{0,64}",
    "e": r"[0-9A-Z]{5}",
    "c": r"(?P<session>[0-9a-f]+\.[0-9a-f]+)",
    "l": r"\d+",
    "s": rf"{_DAY} \S+",
    "v": r"\S*",
    "x": r"\d+",
    "Q": r"-?\d+",
    "%": "%",
}
_ESCAPE: Final = re.compile(r"%(-?)(\d*)([A-Za-z%])")
NEEDED: Final = {
    "time": ("m", "the time of each line"),
    "process": ("p", "the process of each line"),
    "user": ("u", "the user"),
    "database": ("d", "the database"),
    "application": ("a", "the session of each line"),
}


class Reading(NamedTuple):
    """One way to read a line: its fields, what kind of line it is (`LOG`, `STATEMENT` …), and what it says."""

    fields: dict[str, str]
    kind: str
    text: str


class Prefix:
    """One log_line_prefix, read for one database. Raises LogFormatError for one without a time or a process."""

    def __init__(self, text: str, database: str) -> None:
        self.fields = frozenset(_groups(text))
        if not self.fields & {"time", "epoch"} or not self.fields & {"pid", "session"}:
            raise LogFormatError("log_line_prefix needs %m (or %t, %n) and %p (or %c): without them no line is placed")
        try:
            self._patterns = [re.compile(_whole(text, known)) for known in (re.escape(database), "")]
        except re.error:
            raise LogFormatError("log_line_prefix has an escape twice") from None

    def read(self, line: str) -> list[Reading]:
        """Every way to read it, from the left; none when it is no line of the server's."""
        places = list(_SAID.finditer(line, 0, _WITHIN))
        for pattern in self._patterns:
            matched = [(pattern.fullmatch(line, 0, said.start()), said) for said in places]
            readings = [
                Reading(_fields(found), said[1], line[said.end() :]) for found, said in matched if found is not None
            ]
            if readings:
                return readings
        return []


def _fields(found: re.Match[str]) -> dict[str, str]:
    return {name: value.strip() for name, value in found.groupdict().items() if value is not None}


def _groups(text: str) -> list[str]:
    return re.findall(r"\?P<(\w+)>", _pattern(text.replace("%q", ""), ""))


def _whole(text: str, database: str) -> str:
    always, _, sessions = text.partition("%q")
    behind = _pattern(sessions, database)
    return _pattern(always, database) + (f"(?:{behind})?" if behind else "")


def _pattern(text: str, database: str) -> str:
    parts, at = [], 0
    for escape in _ESCAPE.finditer(text):
        minus, width, letter = escape.groups()
        if letter not in _PATTERNS:
            raise LogFormatError(f"log_line_prefix has %{letter}, which no server knows")
        padded = f"(?P<database>{database})" if letter == "d" and database else _PATTERNS[letter]
        if width:
            padded = f"{padded} *" if minus else f" *{padded}"
        parts += [re.escape(text[at : escape.start()]), padded]
        at = escape.end()
    return "".join([*parts, re.escape(text[at:])])
