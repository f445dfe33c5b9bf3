"""The ways a card number can be written that the scanner finds, each as a function of the digits."""

import base64
import json
import struct
from collections.abc import Callable
from typing import Final

NUMBERS: Final = {
    "visa": "4111111111111111",
    "visa, 13 digits": "4222222222222",
    "mastercard": "5555555555554444",
    "mastercard, 2-series": "2223003122003222",
    "american express": "378282246310005",
    "diners club": "30569309025904",
    "discover": "6011111111111117",
    "jcb": "3566002020360505",
    "maestro": "6759649826438453",
    "unionpay, 19 digits": "6205500000000000004",
}
"""public test numbers"""


def grouped(digits: str, separator: str, size: int = 4) -> str:
    return separator.join(digits[at : at + size] for at in range(0, len(digits), size))


def _each(form: str) -> Callable[[str], str]:
    return lambda digits: "".join(form % ord(digit) for digit in digits)


def _from(zero: int) -> Callable[[str], str]:
    return lambda digits: "".join(chr(zero + int(digit)) for digit in digits)


def _base64(before: int, *, codec: str = "ascii", url: bool = False) -> Callable[[str], str]:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return lambda digits: encode(b"x" * before + digits.encode(codec) + b"yz").decode()


TEXTS: Final[dict[str, Callable[[str], str]]] = {
    "plain": lambda digits: digits,
    "spaces": lambda digits: grouped(digits, " "),
    "dashes": lambda digits: grouped(digits, "-"),
    "dots": lambda digits: grouped(digits, "."),
    "every digit apart": lambda digits: grouped(digits, " ", 1),
    "no-break spaces": lambda digits: grouped(digits, "\u00a0"),
    "thin spaces": lambda digits: grouped(digits, "\u2009"),
    "en dashes": lambda digits: grouped(digits, "–"),
    "minus signs": lambda digits: grouped(digits, "−"),
    "invisible characters": lambda digits: grouped(digits, "\u200b", 1),
    "soft hyphens": lambda digits: grouped(digits, "\u00ad"),
    "two slashes": lambda digits: grouped(digits, "//"),
    "underscores": lambda digits: grouped(digits, "_"),
    "full-width": _from(0xFF10),
    "arabic": _from(0x0660),
    "devanagari": _from(0x0966),
    "mathematical": _from(0x1D7CE),
    "raised": lambda digits: "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in digits),
    "hexadecimal": lambda digits: digits.encode().hex(),
    "hexadecimal, upper case, dashes": lambda digits: grouped(digits, "-").encode().hex().upper(),
    "hexadecimal of UTF-16": lambda digits: digits.encode("utf-16-le").hex(),
    "bytea": lambda digits: rf"\x{digits.encode().hex()}",
    "hexadecimal pairs": lambda digits: digits.encode().hex(" "),
    "hexadecimal list": lambda digits: ", ".join(f"0x{ord(digit):02x}" for digit in digits),
    "base64": _base64(0),
    "base64, second alignment": _base64(1),
    "base64, third alignment": _base64(2),
    "base64, behind more": _base64(7),
    "base64 of spaces": lambda digits: _base64(0)(grouped(digits, " ")),
    "base64 for addresses, dashes": lambda digits: _base64(1, url=True)(grouped(digits, "-")),
    "base64 of UTF-16": _base64(0, codec="utf-16-le"),
    "base64 of UTF-16, big-endian": _base64(1, codec="utf-16-be"),
    "base64 of hexadecimal": lambda digits: _base64(0)(digits.encode().hex()),
    "percent signs": _each("%%%02x"),
    "percent signs, full-width": lambda digits: "".join(f"%EF%BC%9{digit}" for digit in digits),
    "one percent sign": lambda digits: digits[:3] + f"%3{digits[3]}" + digits[4:],
    "JSON escapes": _each(r"\u%04x"),
    "JSON escapes, twice": _each(r"\\u%04x"),
    "JSON escapes, full-width": lambda digits: "".join(rf"\uff1{digit}" for digit in digits),
    "JSON escapes, mathematical": lambda digits: json.dumps(_from(0x1D7CE)(digits))[1:-1],
    "braced escapes": _each(r"\u{%x}"),
    "string escapes": _each(r"\x%02x"),
    "octal escapes": _each(r"\%03o"),
    "entities": _each("&#%d;"),
    "hexadecimal entities": _each("&#x%x;"),
    "quoted printable": _each("=%02X"),
    "UTF-16 in JSON": lambda digits: "".join(rf"{digit}\u0000" for digit in digits),
    "track 1": lambda digits: f"%B{digits}^DOE/JOHN^2712101123456789?",
    "track 2": lambda digits: f";{digits}=27121011234567890?",
    "track 2 of a chip": lambda digits: f"{digits}D27121011234567890F".ljust(40, "F"),
    "track 2 of a chip, tagged": lambda digits: f"9F02065713{digits}D27121011234567890F5F340101".ljust(60, "0"),
}
"""name → how the digits are written as text"""


def packed(digits: str) -> bytes:
    """Packed decimal, an F behind an odd number of digits."""
    return bytes.fromhex(digits if len(digits) % 2 == 0 else f"{digits}f")


def numeric(digits: str) -> bytes:
    """A numeric in PostgreSQL's binary format."""
    left, groups = int(digits), list[int]()
    while left:
        left, group = divmod(left, 10_000)
        groups.insert(0, group)
    return struct.pack(f"!HhHH{len(groups)}H", len(groups), len(groups) - 1, 0, 0, *groups)


def behind_length(field: bytes) -> bytes:
    """A field as it stands in a row or among parameters."""
    return struct.pack("!i", len(field)) + field


BINARY: Final[dict[str, Callable[[str], bytes]]] = {
    "UTF-16": lambda digits: digits.encode("utf-16-le"),
    "UTF-16, big-endian": lambda digits: grouped(digits, " ").encode("utf-16-be"),
    "UTF-32": lambda digits: digits.encode("utf-32-le"),
    "LATIN1 no-break spaces": lambda digits: grouped(digits, "\u00a0").encode("utf-16-le"),
    "numeric": lambda digits: behind_length(numeric(digits)),
    "int8": lambda digits: behind_length(struct.pack("!q", int(digits))),
    "float8": lambda digits: behind_length(struct.pack("!d", float(digits))),
    "packed": lambda digits: behind_length(packed(digits)),
}
"""name → bytes that are no text"""
