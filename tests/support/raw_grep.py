"""A search for given card numbers that shares nothing with the gateway's scanner: each number in each form, a pattern.

It knows the numbers it looks for, so it needs no issuer ranges and no check digits; it looks for pieces of them, too.
"""

import base64
import gzip
import re
import sqlite3
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import zstandard

BETWEEN = rb"(?:[^0-9A-Za-z]|\\u00(?:00|[aA]0|[aA][dD])|\\u200[9bB]|\\u20[01][0-9]|%20|%2[dDeE]|20|2[deDE]|2e|00){0,3}?"
"""what may stand between two digits: punctuation, control bytes, bytes of longer characters, encoded separators"""
SCRIPTS = (0xFF10, 0x0660, 0x0966, 0x1D7CE)
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
PIECE = 13
"""digits of a number that are searched for by themselves: what is left when a text is cut"""


def one_digit(digit: str) -> bytes:
    """A pattern for one digit in any of the forms that stand for it alone."""
    code, value = ord(digit), int(digit)
    forms = [
        digit.encode(), b"%%%02x" % code, rb"\x%02x" % code, rb"\u%04x" % code, rb"\u{%x}" % code, rb"\%03o" % code,
        b"&#%d;" % code, b"&#x%x;" % code, b"=%02X" % code, b"0x%02x" % code, RAISED[value].encode(),
        *(chr(zero + value).encode() for zero in SCRIPTS), rb"\uff1%d" % value, b"%%EF%%BC%%9%d" % value,
        rb"\ud835\udf%02x" % (0xCE + value),
    ]  # fmt: skip
    return b"(?:" + b"|".join(re.escape(form) for form in forms) + b")"


def patterns(number: str, *, pieces: bool = True) -> Iterator[re.Pattern[bytes]]:
    """Everything that is searched for."""
    for digits in {number, number[:PIECE] if pieces else number}:
        yield re.compile(BETWEEN.join(map(one_digit, digits)), re.IGNORECASE | re.DOTALL)
        yield re.compile(rb"(?:00|2[0de]){0,3}".join(b"%02x" % ord(digit) for digit in digits), re.IGNORECASE)
        yield re.compile(rb"[ ,:;x0-]{1,4}".join(b"%02x" % ord(digit) for digit in digits), re.IGNORECASE)
    grouped = [number, *(sign.join(number[at : at + 4] for at in range(0, len(number), 4)) for sign in " -.")]
    for text in (*(each.encode() for each in grouped), number.encode("utf-16-le"), number.encode("utf-16-be")):
        yield from map(re.compile, (re.escape(form) for form in in_base64(text)))
        yield from map(re.compile, (re.escape(form) for form in in_base64(text.hex().encode())))
    for field in in_binary(number):
        yield re.compile(re.escape(field), re.DOTALL)


def in_base64(data: bytes) -> Iterator[bytes]:
    """The letters that must stand in any base64 text of something that holds `data`, one for each alignment."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data)
        first, last = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        yield whole[first:last]


def in_binary(number: str) -> Iterator[bytes]:
    """Integers of either order, a float, a numeric's digits, packed decimal."""
    value = int(number)
    if value < 1 << 63:
        yield from (struct.pack(order, value) for order in (">q", "<q"))
        yield from (struct.pack(order, float(value)) for order in (">d", "<d"))
    groups: list[int] = []
    while value:
        value, group = divmod(value, 10_000)
        groups.insert(0, group)
    yield struct.pack(f">{len(groups)}H", *groups)
    yield bytes.fromhex(number if len(number) % 2 == 0 else f"{number}f")


class Grep:
    """Searches for some numbers."""

    def __init__(self, numbers: Iterable[str], *, pieces: bool = True) -> None:
        self._patterns = [(number, pattern) for number in numbers for pattern in patterns(number, pieces=pieces)]

    def found(self, data: bytes) -> set[str]:
        """The numbers that stand in some bytes, or pieces of them."""
        return {number for number, pattern in self._patterns if pattern.search(data)}

    def in_files(self, paths: Iterable[Path]) -> list[str]:
        """`file: number` of everything found, also in what is packed."""
        return [
            f"{path}{within}: {number}"
            for path in paths
            for within, data in opened(path)
            for number in sorted(self.found(data))
        ]


def opened(path: Path) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, and what is packed in them."""
    data = path.read_bytes()
    yield "", data
    if data.startswith(b"\x1f\x8b"):
        yield "!gzip", gzip.decompress(data)
    elif data.startswith(b"\x28\xb5\x2f\xfd"):
        yield "!zstd", zstandard.ZstdDecompressor().decompress(data)
    elif data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"!{name}", archive.read(name)
    elif data.startswith(b"SQLite format 3\0"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            yield "!dump", "\n".join(database.iterdump()).encode("utf-8", "replace")
