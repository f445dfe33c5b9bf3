"""One value of a row as a person reads it, from its type and format (PostgreSQL 18, chapter 8; `typsend` functions)."""

import datetime as dt
import struct
import uuid
from collections.abc import Callable
from typing import Final

BINARY: Final = 1
_MIDNIGHT_2000: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_FORMS: Final = {16: ">?", 20: ">q", 21: ">h", 23: ">i", 26: ">I", 700: ">f", 701: ">d"}
_TEXTS: Final = frozenset({18, 19, 25, 114, 142, 1042, 1043, 705, 2275})
_UUID, _DATE, _TIMESTAMP, _TIMESTAMPTZ, _NUMERIC, _JSONB = 2950, 1082, 1114, 1184, 1700, 3802


def shown_value(value: bytes | None, type_oid: int, form: int) -> str | None:
    r"""Text as it came; of binary what is known, else `\x` and hexadecimal digits. None for NULL."""
    if value is None:
        return None
    if form != BINARY:
        return value.decode(errors="replace")
    try:
        return _binary(value, type_oid)
    except (struct.error, ValueError, OverflowError, UnicodeDecodeError):
        return f"\\x{value.hex()}"


def _binary(value: bytes, type_oid: int) -> str:
    if type_oid in _FORMS:
        (plain,) = struct.unpack(_FORMS[type_oid], value)
        return str(plain).lower() if type_oid == 16 else str(plain)  # noqa: PLR2004 -- bool
    if type_oid in _TEXTS:
        return value.decode()
    if type_oid in _OTHERS:
        return _OTHERS[type_oid](value)
    return f"\\x{value.hex()}"


def _date(value: bytes) -> str:
    (days,) = struct.unpack(">i", value)
    return f"{_MIDNIGHT_2000 + dt.timedelta(days=days):%Y-%m-%d}"


def _timestamp(value: bytes) -> str:
    (microseconds,) = struct.unpack(">q", value)
    return f"{_MIDNIGHT_2000 + dt.timedelta(microseconds=microseconds):%Y-%m-%d %H:%M:%S.%f}"


def _numeric(value: bytes) -> str:
    """Groups of four digits, the first of weight `weight`, `scale` digits behind the point."""
    count, weight, sign, scale = struct.unpack_from(">HhHH", value)
    if sign not in {0, 0x4000}:
        return {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}[sign] if sign in _NOT_FINITE else "?"
    groups = struct.unpack_from(f">{count}H", value, 8)
    whole = "".join(f"{groups[n] if n < count else 0:04d}" for n in range(weight + 1)).lstrip("0") or "0"
    behind = "".join(f"{group:04d}" for group in ((0,) * max(-weight - 1, 0) + groups[max(weight + 1, 0) :]))
    fraction = f".{behind[:scale].ljust(scale, '0')}" if scale else ""
    return f"{'-' if sign else ''}{whole}{fraction}"


_NOT_FINITE: Final = frozenset({0xC000, 0xD000, 0xF000})
_OTHERS: Final[dict[int, Callable[[bytes], str]]] = {
    _UUID: lambda value: str(uuid.UUID(bytes=value)),
    _DATE: _date,
    _TIMESTAMP: _timestamp,
    _TIMESTAMPTZ: lambda value: _timestamp(value) + "+00",
    _NUMERIC: _numeric,
    _JSONB: lambda value: value[1:].decode(),
}
