"""What every client of the cases is: a name, and a way from a connection string and statements to a transcript."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.recover import Transcript
from tests.support.transcripts import Mode, record

_COPY_OUT = re.compile(r"^[\s(]*copy\b.*\bto\s+stdout\b", re.IGNORECASE | re.DOTALL)
_COPY_IN = re.compile(r"^\s*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
_QUERY = re.compile(r"^[\s(]*(?:--[^\n]*\n\s*)?(select|with|table|values)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Client:
    """One client in one of its modes."""

    name: str
    run: Callable[[str, Sequence[str]], Transcript]
    """(connection string, statements) → everything that came back, over one fresh connection, going on after errors"""


def is_copy_out(statement: str) -> bool:
    """COPY … TO STDOUT, which drivers want by a call of its own."""
    return _COPY_OUT.match(statement) is not None


def is_copy_in(statement: str) -> bool:
    """COPY … FROM STDIN."""
    return _COPY_IN.match(statement) is not None


def is_query(statement: str) -> bool:
    """What a cursor can be declared for."""
    return _QUERY.match(statement) is not None


def libpq(mode: Mode) -> Client:
    """The library itself, the results as they came."""
    return Client(f"libpq, {mode.value}", lambda conninfo, statements: record(conninfo, statements, mode))
