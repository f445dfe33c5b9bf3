"""The last look before anything is stored: JSON values made canonical, card numbers blanked, wherever they came from.

Whoever makes an event has redacted it; a hit here is somebody's mistake, so it is blanked *and* named in the leaf. No
digest of what was blanked is kept (a hash of a card number gives the number away).
"""

from typing import Final, NamedTuple

import msgspec
import rfc8785

from gateway.core.cards import find_card_numbers, find_hex_card_numbers, may_hold_card_number
from gateway.core.principal import Json

_MAX_INTEGER: Final = (1 << 53) - 1
_MAX_DEPTH: Final = 32
_FAST: Final = msgspec.json.Encoder(order="sorted")
_DIGITS_TO_STARS: Final = bytes.maketrans(b"0123456789", b"*" * 10)


class Scrubbed(NamedTuple):
    """Bytes fit to be stored, and whether something had to be blanked in them."""

    data: bytes
    hit: bool


def canonical(value: Json) -> bytes:
    """RFC 8785 JSON. Raises ValueError for what JSON cannot say, and for integers beyond 2**53.

    The C encoder gives the same bytes for everything but non-ASCII keys and floats (a property in the tests).
    """
    if _is_simple(value, 0):
        return _FAST.encode(value)
    try:
        return rfc8785.dumps(msgspec.to_builtins(value))
    except (TypeError, OverflowError) as error:
        raise ValueError("not JSON") from error


def _is_simple(value: Json, depth: int) -> bool:
    """Whether the fast encoder's answer is canonical. Raises ValueError for values nested too deep."""
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, str) or value is None or value is True or value is False:
        return True
    if isinstance(value, int):
        return -_MAX_INTEGER <= value <= _MAX_INTEGER
    if isinstance(value, dict):
        for key, part in value.items():
            plain = type(part) is str or type(part) is bool or part is None  # most facts: no call for each
            if not (isinstance(key, str) and key.isascii() and (plain or _is_simple(part, depth + 1))):
                return False
        return True
    if isinstance(value, list | tuple):
        return all(_is_simple(part, depth + 1) for part in value)
    return False


def scrub_value(value: Json) -> Scrubbed:
    """Canonical JSON of a value without card numbers. Raises ValueError for what is not JSON."""
    try:
        data = canonical(value)
    except UnicodeEncodeError:  # half of a surrogate pair: not text, so it is shown as a question mark
        value = _clean(value, blank=False)
        data = canonical(value)
    if not _has_card_number(data):
        return Scrubbed(data, hit=False)
    return Scrubbed(canonical(_clean(value, blank=True)), hit=True)


def scrub_body(data: bytes) -> Scrubbed:
    """A body without card numbers. A JSON body stays JSON."""
    if not _has_card_number(data):
        return Scrubbed(data, hit=False)
    try:
        return Scrubbed(canonical(_clean(msgspec.json.decode(data), blank=True)), hit=True)
    except (ValueError, msgspec.DecodeError):
        return Scrubbed(_blank(data), hit=True)


def scrub_text(text: str) -> tuple[str, bool]:
    """A text without card numbers, and whether there were any."""
    data = text.encode("utf-8", "replace")
    if not _has_card_number(data):
        return data.decode(), False
    return _blank(data).decode(), True


def _has_card_number(data: bytes) -> bool:
    return may_hold_card_number(data) and bool(find_card_numbers(data) or find_hex_card_numbers(data))


def _blank(data: bytes) -> bytes:
    """Digits of card numbers as stars. Blanking one may bring another to light; each round has fewer digits left."""
    while spans := find_card_numbers(data) + find_hex_card_numbers(data):
        blanked = bytearray(data)
        for start, end in spans:
            blanked[start:end] = blanked[start:end].translate(_DIGITS_TO_STARS)
        data = bytes(blanked)
    return data


def _clean(value: Json, *, blank: bool) -> Json:
    """The value with every text fit to be stored; a number that is a card number becomes stars."""
    if isinstance(value, str):
        return scrub_text(value)[0]
    if isinstance(value, dict):
        return {scrub_text(str(key))[0]: _clean(part, blank=blank) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part, blank=blank) for part in value]
    if blank and isinstance(value, int | float) and find_card_numbers(str(value).encode()):
        return "*" * len(str(value))
    return value
