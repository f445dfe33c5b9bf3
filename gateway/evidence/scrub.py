"""The last look before anything is stored: JSON values made canonical, card numbers blanked, wherever they came from.

Whoever makes an event has redacted it; a hit here is somebody's mistake, so it is blanked *and* named in the leaf. No
digest of what was blanked is kept (a hash of a card number gives the number away).
"""

from typing import Final, NamedTuple

import msgspec
import rfc8785

from gateway.core.blanking import clean_bytes, clean_text, clean_value, without_digits
from gateway.core.disguised import find_any
from gateway.core.principal import Json

_MAX_INTEGER: Final = (1 << 53) - 1
_MAX_DEPTH: Final = 32
_FAST: Final = msgspec.json.Encoder(order="sorted")


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
        value = _as_text(value)
        data = canonical(value)
    if not find_any(data):
        return Scrubbed(data, hit=False)
    return Scrubbed(_canonical_and_clean(value), hit=True)


def scrub_body(data: bytes) -> Scrubbed:
    """A body without card numbers. A JSON body stays JSON."""
    if not find_any(data):
        return Scrubbed(data, hit=False)
    try:
        return Scrubbed(_canonical_and_clean(msgspec.json.decode(data)), hit=True)
    except (ValueError, msgspec.DecodeError):
        return Scrubbed(clean_bytes(data), hit=True)


def scrub_text(text: str) -> tuple[str, bool]:
    """A text without card numbers, and whether there were any."""
    plain = text if text.isascii() else text.encode("utf-8", "replace").decode()
    clean = clean_text(plain)
    return clean, clean != plain


def _canonical_and_clean(value: Json) -> bytes:
    """Every text by itself; then numbers that are one only beside each other."""
    return without_digits(canonical(clean_value(value)))


def _as_text(value: Json) -> Json:
    """The value with every text fit to be encoded."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {str(_as_text(str(key))): _as_text(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_text(part) for part in value]
    return value
