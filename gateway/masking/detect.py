r"""The net below the rewriting: card numbers in bytes on their way out are blanked in place, same length.

Nearly every chunk is clean and costs one look at C speed (`suspicious`); only one with a candidate is taken apart.
Digits become `*` and separators stay. Two forms are kept readable for clients that parse them: digits of a bytea's hex
text become `2a` pairs (or `0`), and a bare number, as JSON and number columns have, becomes nines.
What it finds and what it does not: docs/reference/card-scan.md.
"""

from typing import Final

from gateway.core.cards import find_card_numbers, find_hex_card_numbers, is_decimal, may_hold_card_number
from gateway.masking.fields import Reading, field_spans

_DIGITS: Final = b"0123456789"
_STARS: Final = bytes.maketrans(_DIGITS, b"*" * 10)
_NINES: Final = bytes.maketrans(_DIGITS, b"9" * 10)
_ZEROS: Final = bytes.maketrans(_DIGITS, b"0" * 10)
_BEFORE_NUMBER: Final = frozenset(b" \t\r\n:[,-{")
_AFTER_NUMBER: Final = frozenset(b" \t\r\n,]}.")
_HEX: Final = rb"\x"

suspicious = may_hold_card_number
"""Whether a chunk of whole frames must be looked at closer. False is certain."""


def blank(data: bytes, reading: Reading = Reading.TEXT) -> tuple[bytes, int]:
    """`data` with the digits of card numbers blanked, same length, and how many there were."""
    if reading is Reading.SKIP or not may_hold_card_number(data):
        return data, 0
    changed, total = bytearray(data), 0
    while found := _blank_hex(changed) + _blank_plain(changed, reading):
        total += found  # again: what stood beside a number may read differently now
    return bytes(changed), total


def blank_row(
    payload: bytes, exempt: frozenset[int] = frozenset(), readings: tuple[Reading, ...] = ()
) -> tuple[bytes, dict[int, int]]:
    """A DataRow's payload (PostgreSQL 18, §54.7) with card numbers blanked, and how many by column index.

    Columns in `exempt` are left alone; `readings` says how each is read, TEXT where it says nothing. A payload that is
    not a DataRow is blanked as one text, counted under -1.
    """
    if not may_hold_card_number(payload):
        return payload, {}
    spans = field_spans(payload)
    if spans is None:
        whole, found = blank(payload)
        return whole, {-1: found} if found else {}
    hits: dict[int, int] = {}
    pieces: list[bytes] = []
    done = 0
    for index, (start, end) in enumerate(spans):
        if index in exempt:
            continue
        reading = readings[index] if index < len(readings) else Reading.TEXT
        field, found = blank(payload[start:end], reading)
        if found:
            hits[index] = found
            pieces += payload[done:start], field
            done = end
    return (b"".join([*pieces, payload[done:]]) if pieces else payload), hits


def _blank_hex(data: bytearray) -> int:
    r"""Blank card numbers written as hex pairs after `\x`: every digit's pair becomes that of `*`."""
    spans = find_hex_card_numbers(bytes(data)) if _HEX in data else []
    for start, end in spans:
        plain = bytes.fromhex(data[start:end].decode("ascii"))
        data[start:end] = plain.translate(_STARS).hex().encode("ascii")
    return len(spans)


def _blank_plain(data: bytearray, reading: Reading) -> int:
    spans = find_card_numbers(bytes(data))
    if reading is Reading.NUMBER:  # digits on both sides of a point are a measurement, and blanked they are no number
        spans = [span for span in spans if not (is_decimal(bytes(data[slice(*span)])) and _is_bare(data, *span))]
    for start, end in spans:
        data[start:end] = data[start:end].translate(_filling(data, start, end, reading))
    return len(spans)


def _filling(data: bytearray, start: int, end: int, reading: Reading) -> bytes:
    """What digits become, so that what a client parses can still be parsed."""
    if data[max(0, start - 2) : start] == _HEX:
        return _ZEROS
    if reading is Reading.TEXT or not data[start:end].isdigit():
        return _STARS
    return _NINES if _is_bare(data, start, end) else _STARS


def _is_bare(data: bytearray, start: int, end: int) -> bool:
    """What stands there is a value of its own, not part of a text."""
    return (start == 0 or data[start - 1] in _BEFORE_NUMBER) and (end == len(data) or data[end] in _AFTER_NUMBER)
