"""The scanner is tried before it is believed: numbers made here, planted in every form it claims to find, are found.

The numbers are computed, so that no card number stands in this program. They belong to no account: their digits are a
scheme's prefix, zeros, and the check digit.
"""

import base64
import gzip
import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import zstandard

from gateway.core.cards import is_card_number
from gateway.evidence.scan_bytes import places
from gateway.evidence.scan_formats import DEPTH, unpacked

_PREFIXES: Final = (("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("36", 14), ("6011", 16), ("3528", 16), ("62", 19))

_FORMS: Final[dict[str, Callable[[str], bytes]]] = {
    "plain": str.encode,
    "spaces": lambda digits: " ".join(digits[at : at + 4] for at in range(0, len(digits), 4)).encode(),
    "no-break spaces": lambda digits: "\u00a0".join(digits[at : at + 4] for at in range(0, len(digits), 4)).encode(),
    "full-width": lambda digits: "".join(chr(0xFF10 + int(digit)) for digit in digits).encode(),
    "UTF-16": lambda digits: digits.encode("utf-16-le"),
    "hexadecimal": lambda digits: digits.encode().hex().encode(),
    "base64": lambda digits: base64.b64encode(digits.encode()),
    "base64, second alignment": lambda digits: base64.b64encode(b"x" + digits.encode()),
    "base64, third alignment": lambda digits: base64.b64encode(b"xx" + digits.encode()),
    "percent signs": lambda digits: "".join(f"%{ord(digit):02x}" for digit in digits).encode(),
    "JSON escapes": lambda digits: "".join(rf"\u{ord(digit):04x}" for digit in digits).encode(),
    "octal escapes": lambda digits: "".join(rf"\{ord(digit):03o}" for digit in digits).encode(),
    "track 2": lambda digits: f";{digits}=29121010000?".encode(),
}
_EIGHT_BYTES: Final = 16
_PACKED: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}


class SelfTest(NamedTuple):
    """What was planted, what of it was found, and what was not, by form."""

    planted: int
    found: int
    missed: tuple[str, ...]
    false_alarms: int
    """found in as many numbers whose check digit is wrong"""


def self_test() -> SelfTest:
    """Plant and look."""
    samples = list(_samples(0))
    missed = [name for name, data in samples if not list(places([data], wire=True))]
    false = sum(bool(list(places([data], wire=True))) for _, data in _samples(1))
    return SelfTest(len(samples), len(samples) - len(missed), tuple(sorted(set(missed))), false)


def _samples(off: int) -> Iterator[tuple[str, bytes]]:
    """(form, bytes), the check digit off by so much."""
    for prefix, length in _PREFIXES:
        digits = _number(prefix, length, off)
        for name, form in _FORMS.items():
            yield name, b'{"a":"' + form(digits) + b'","b":1}'
        if length <= _EIGHT_BYTES:
            yield "binary field", b"\x00\x01" + struct.pack("!iq", 8, int(digits))
        for name, pack in _PACKED.items():
            ((_, part),) = unpacked(pack(digits.encode()), DEPTH)
            yield name, part


def _number(prefix: str, length: int, off: int) -> str:
    body = prefix.ljust(length - 1, "0")
    last = next(digit for digit in "0123456789" if is_card_number(f"{body}{digit}".encode()))
    return f"{body}{(int(last) + off) % 10}"
