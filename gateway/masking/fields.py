"""How the fields of a row are laid out and read: spans in a DataRow, and what each column's type means to the scan."""

import struct
from collections.abc import Sequence
from enum import Enum
from typing import Final

_COUNT: Final = struct.Struct("!H")
_LENGTH: Final = struct.Struct("!i")

_NUMBERS: Final = frozenset({20, 21, 23, 26, 700, 701, 790, 1700})
"""int8 int2 int4 oid float4 float8 money numeric (pg_type.dat)"""
_JSON: Final = frozenset({114, 199, 3802, 3807})
"""json json[] jsonb jsonb[]"""
_NEVER: Final = frozenset({16, 22, 30, 1006, 1013, 1082, 1083, 1114, 1184, 1186, 1266, 2950, 2951})
"""bool int2vector oidvector and their arrays, dates and times, uuid uuid[]: what looks like a card there is none"""
_BINARY_WITHOUT_TEXT: Final = _NUMBERS | frozenset({1005, 1007, 1016, 1021, 1022, 1028, 1231})
"""numbers and arrays of them: in binary they hold no digits to find"""


class Reading(Enum):
    """How the bytes of a column are read by the scan."""

    TEXT = "text"
    """blanked digits become stars"""
    NUMBER = "number"
    """a bare number (a number column as text, json) becomes nines, so that it still parses; the rest stars"""
    SKIP = "skip"
    """not scanned"""


def reading_of(type_oid: int, *, binary: bool) -> Reading:
    """How a column of a type is read. A type we do not know is read as text: better a star too many."""
    if type_oid in _NEVER or (binary and type_oid in _BINARY_WITHOUT_TEXT):
        return Reading.SKIP
    return Reading.NUMBER if type_oid in _NUMBERS | _JSON else Reading.TEXT


def readings(columns: Sequence[tuple[int, int]]) -> tuple[Reading, ...]:
    """How each column of a RowDescription is read, from its type OID and format code (0 text, 1 binary)."""
    return tuple(reading_of(type_oid, binary=code == 1) for type_oid, code in columns)


def field_spans(payload: bytes, start: int = 0) -> list[tuple[int, int]] | None:
    """Where each field's bytes stand in a row of count, then length and bytes; (0, 0) for NULL.

    DataRow and binary COPY have this form. None when the payload has not.
    """
    if len(payload) < start + _COUNT.size:
        return None
    (count,) = _COUNT.unpack_from(payload, start)
    place = start + _COUNT.size
    spans: list[tuple[int, int]] = []
    for _ in range(count):
        if len(payload) < place + _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(payload, place)
        place += _LENGTH.size
        if length == -1:
            spans.append((0, 0))
            continue
        if length < 0 or len(payload) < place + length:
            return None
        spans.append((place, place + length))
        place += length
    return spans if place == len(payload) else None
