"""Where card numbers stand in bytes: one predicate for what goes out, what is stored and what is logged.

A card number (PAN, ISO/IEC 7812-1) has 12 to 19 digits: an issuer prefix, an account, a Luhn digit. Here it is one that
is written in ASCII digits with at most one space, dash or dot between two of them, whose prefix and length some card
scheme uses, and whose last digit is right. It is an unbroken group of digits, or groups as cards print them (4-4-4-4,
4-6-5 …), or all the digits of a run whatever their grouping, but not with one point alone: that is a decimal. About one
random number of 16 digits in 22 looks like one; docs/reference/card-scan.md has the rates. This look is for every byte
that is sent out. What is *stored* is looked at for numbers that are written otherwise, too (`disguised.py`).
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MIN_DIGITS: Final = 12
MAX_DIGITS: Final = 19
HASH_LENGTH: Final = 32
"""hex characters in a row (dashes count) from which a token is a hash or a UUID, not text beside a card number"""

Span = tuple[int, int]
"""first byte, and the one after the last"""


class Scheme(NamedTuple):
    """Numbers that some card schemes issue: how they begin, and how many digits they have."""

    names: str
    prefixes: str
    """a regular expression over the first digits"""
    lengths: tuple[int, ...] | range


SCHEMES: Final = (
    Scheme("Visa", "4", (13, 16, 18, 19)),
    Scheme("Mastercard and its 2-series", "5[1-5]|222[1-9]|22[3-9].|2[3-6]|27[01]|2720", (16,)),
    Scheme("American Express, JCB of old", "3[47]|1800|2131", (15,)),
    Scheme("Diners Club", "30[0-5]|3095|36|3[89]", range(14, 20)),
    Scheme("JCB, UnionPay and RuPay, Mir and Borica", "352[89]|35[3-8]|8[12]|220[0-5]", range(16, 20)),
    Scheme("Maestro, Discover, UnionPay, RuPay, Verve, Elo, Hipercard, Dankort", "50|5[6-9]|6", range(12, 20)),
    Scheme("Uzcard, Troy, Humo, Napas", "8600|9792|9860|9704", (16,)),
    Scheme("Napas", "9704", (19,)),
)
"""Prefixes and lengths in use, as the schemes publish them for acquirers (sources: docs/reference/card-scan.md)."""


def _scheme(scheme: Scheme) -> str:
    sizes = "|".join(f"(?=.{{{length}}}$)" for length in scheme.lengths)
    return f"(?:{sizes})(?:{scheme.prefixes}).*"


_CARD: Final = re.compile("|".join(map(_scheme, SCHEMES)).encode("ascii"))
_RUN: Final = re.compile(rb"[0-9](?:[ .\-]?[0-9]){11,}")
_PRINTED: Final = re.compile(
    rb"(?<![0-9])(?=[1-9])(?:"
    rb"(?<![0-9]\.)[0-9]{12,19}"  # not what follows a decimal point: that is a measurement
    rb"|[0-9]{4}(?:[ .\-][0-9]{4}){2,3}(?:[ .\-][0-9]{1,4})?"
    rb"|[0-9]{4}[ .\-][0-9]{6}[ .\-][0-9]{4,5}"
    rb"|[0-9]{6}[ .\-][0-9]{6,13}"
    rb")(?![0-9])"
)
_HEX_BLOB: Final = re.compile(rb"\\x((?:[0-9A-Fa-f]{2}){12,})")
_BEFORE: Final = re.compile(rb"(?:[0-9A-Fa-f]-?)*\Z")
_AFTER: Final = re.compile(rb"(?:-?[0-9A-Fa-f])*")
_TRACK: Final = re.compile(rb"[Dd][0-9]{2}(?:0[1-9]|1[0-2])[0-9]{3}")
"""what stands behind the number in track 2 as a chip has it, in hexadecimal: a month of expiry and a service code"""
_TAGGED: Final = re.compile(rb"57(?:0[0-9A-Fa-f]|1[0-3])([0-9]{12,19})(?=[Dd][0-9]{2}(?:0[1-9]|1[0-2])[0-9]{3})")
_BEGINS: Final = re.compile(rb"(?:[0-9A-Fa-f]*57(?:0[0-9A-Fa-f]|1[0-3]))?")
"""what may stand in front of it: nothing, or its tag and length"""
_HEX_LETTERS: Final = b"abcdefABCDEF"
_SEPARATORS: Final = b" .-"
_DIGITS: Final = b"0123456789"
_DOUBLED: Final = bytes.maketrans(_DIGITS, bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_SQUASH: Final = bytes.maketrans(_DIGITS, b"0" * 10)
_STARS: Final = bytes.maketrans(_DIGITS, b"*" * 10)
_TWELVE: Final = b"0" * MIN_DIGITS


def may_hold_card_number(data: bytes) -> bool:
    r"""Whether `data` has at least twelve digits in a row, separators left out. Cheap; False is certain.

    It also answers for numbers written in hex pairs (`\x3431…`): those are digits too.
    """
    return _TWELVE in data.translate(_SQUASH, _SEPARATORS)


def luhn(digits: bytes) -> bool:
    """Whether the last of these ASCII digits is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    plain, doubled = digits[-1::-2], digits[-2::-2].translate(_DOUBLED)
    return (sum(plain) - 0x30 * len(plain) + sum(doubled)) % 10 == 0


def is_card_number(digits: bytes) -> bool:
    """Whether ASCII digits without separators have the prefix, the length and the check digit of a card number."""
    return _CARD.fullmatch(digits) is not None and luhn(digits)


def find_card_numbers(data: bytes) -> list[Span]:
    """Spans of card numbers in `data`, in order, not overlapping, separators between digits included.

    When their digits are blanked, none is left: what stood beside one is looked at again without it.
    """
    found: list[Span] = []
    while may_hold_card_number(data) and (spans := list(_one_pass(data)) or list(_tagged(data))):
        found += spans
        data = blank_spans(data, spans, _STARS)
    return sorted(found)


def blank_spans(data: bytes, spans: list[Span], table: bytes) -> bytes:
    """`data` with the bytes in `spans` (in order, not overlapping) translated by `table`, nothing else changed."""
    pieces: list[bytes] = []
    done = 0
    for start, end in spans:
        pieces += data[done:start], data[start:end].translate(table)
        done = end
    pieces.append(data[done:])
    return b"".join(pieces)


def find_hex_card_numbers(data: bytes) -> list[Span]:
    r"""Spans of card numbers whose ASCII bytes are written as hex pairs after `\x`, as PostgreSQL prints a bytea."""
    if not may_hold_card_number(data):
        return []
    return [
        (blob.start(1) + 2 * start, blob.start(1) + 2 * end)
        for blob in _HEX_BLOB.finditer(data)
        for start, end in find_card_numbers(bytes.fromhex(blob[1].decode("ascii")))
    ]


def _one_pass(data: bytes) -> Iterator[Span]:
    """Card numbers from left to right, as far as one reading tells."""
    for run in _RUN.finditer(data):
        start, end = run.span()
        if end - start < 2 * MAX_DIGITS and not is_decimal(run[0]) and _is_card_at(data, start, end):
            yield start, end
            continue
        while printed := _PRINTED.search(data, start, end):
            hit = _longest_hit(data, *printed.span())
            if hit is not None:
                yield hit
            start = _group_end(data, printed.start()) if hit is None else hit[1]


def _tagged(data: bytes) -> Iterator[Span]:
    """Numbers behind the tag and length of a chip's track, which are digits as well."""
    return (match.span(1) for match in _TAGGED.finditer(data) if is_card_number(match[1]))


def is_decimal(text: bytes) -> bool:
    """Digits with one point among them and nothing else: an average or an amount, written as no card number is."""
    before, point, after = text.partition(b".")
    return bool(point) and before.isdigit() and after.isdigit()


def _longest_hit(data: bytes, start: int, end: int) -> Span | None:
    """The longest series of whole groups from `start`, up to `end`, that is a card number."""
    while end - start >= MIN_DIGITS:
        if _is_card_at(data, start, end):
            return start, end
        end = max(data.rfind(separator, start, end) for separator in (b" ", b".", b"-"))
    return None


def _group_end(data: bytes, start: int) -> int:
    """Where the unbroken digits that begin at `start` end."""
    end = start
    while end < len(data) and data[end] in _DIGITS:
        end += 1
    return end


def _is_card_at(data: bytes, start: int, end: int) -> bool:
    return is_card_number(data[start:end].translate(None, _SEPARATORS)) and not _in_hash(data, start, end)


def _in_hash(data: bytes, start: int, end: int) -> bool:
    """Whether the digits are a stretch of a long hexadecimal token: one UUID in a few hundred has such a stretch."""
    before = _BEFORE.search(data[max(0, start - HASH_LENGTH) : start])
    if _TRACK.match(data, end) and data[start:end].isdigit() and _BEGINS.fullmatch(before[0] if before else b""):
        return False
    after = _AFTER.match(data, end, end + HASH_LENGTH)
    beside = (before[0] if before else b"") + (after[0] if after else b"")
    return end - start + len(beside) >= HASH_LENGTH and any(letter in beside for letter in _HEX_LETTERS)
