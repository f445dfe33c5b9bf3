"""Texts and values without card numbers: what is kept, logged or shown to policy goes through here first.

`clean_words` is for what an agent, a person or a token says of itself: its application's name, a purpose, a ticket, a
reason, an approver's comment, a name in a statement. It is strict: a star too many there costs nothing. `clean_text` is
for everything else that is stored, and leaves hashes, identifiers and measurements alone.
"""

from functools import lru_cache
from typing import Final

from gateway.core.disguised import Hit, Kind, find_any, find_in_words
from gateway.core.principal import Json

_REMEMBERED: Final = 8192
_SHORT: Final = 256
"""characters; answers for longer texts are not remembered: a client can send as many as it likes"""
_ROUNDS: Final = 8
_WHOLE: Final = frozenset({Kind.HEX, Kind.BASE64, Kind.ESCAPED})
"""forms of which every character is replaced, not only letters and digits"""
_NINES: Final = bytes.maketrans(b"0123456789", b"9" * 10)
_STARS: Final = bytes.maketrans(bytes(range(0x30, 0x3A)) + bytes(range(0x80, 0x100)), b"*" * 138)


def clean_words(text: str) -> str:
    """What somebody said, without card numbers in any form; digits of a long run too, when one stands in it."""
    return _clean_words(text) if len(text) <= _SHORT else _blanked(text, strict=True)


@lru_cache(_REMEMBERED)
def _clean_words(text: str) -> str:
    return _blanked(text, strict=True)


def clean_name(name: str) -> str:
    """The same as `clean_text` of a name, of which there are only so many: remembered."""
    return _clean_name(name) if len(name) <= _SHORT else clean_text(name)


@lru_cache(_REMEMBERED)
def _clean_name(name: str) -> str:
    return clean_text(name)


def is_clean(name: str) -> bool:
    """Whether a name holds no card number as `clean_text` sees them."""
    return clean_name(name) == name


def clean_text(text: str) -> str:
    """A text without card numbers in any form."""
    return _blanked(text, strict=False)


def clean_value(value: Json) -> Json:
    """A JSON value of which every text, key and number is clean. A number that is a card number becomes stars."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): clean_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [clean_value(part) for part in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and find_any(str(value).encode(), 0):
        return "*" * len(str(value))
    return value


def clean_bytes(data: bytes) -> bytes:
    """Bytes of the same length without card numbers in any form: for streams that are kept as they went by."""
    for _ in range(_ROUNDS):
        hits = find_any(data, wire=True)
        if not hits:
            return data
        blanked = bytearray(data)
        for hit in hits:
            blanked[hit.start : hit.end] = _filled(bytes(blanked[hit.start : hit.end]), hit.kind)
        data = bytes(blanked)
    return b"*" * len(data)


def without_digits(data: bytes) -> bytes:
    """The same length, every digit of a card number a nine: JSON in which numbers beside each other are one."""
    for _ in range(_ROUNDS):
        hits = find_any(data)
        if not hits:
            return data
        blanked = bytearray(data)
        for hit in hits:
            blanked[hit.start : hit.end] = blanked[hit.start : hit.end].translate(_NINES)
        data = bytes(blanked)
    return data.translate(_NINES)


def _filled(part: bytes, kind: Kind) -> bytes:
    if kind is Kind.BINARY:
        return bytes(len(part))
    return b"*" * len(part) if kind in _WHOLE else part.translate(_STARS)


def _blanked(text: str, *, strict: bool) -> str:
    for _ in range(_ROUNDS):
        hits = find_in_words(text) if strict else find_any(text.encode("utf-8", "replace"))
        if not hits:
            return text.encode("utf-8", "replace").decode() if not text.isascii() else text
        text = _without(text.encode("utf-8", "replace"), hits)
    return "*" * len(text)  # what still finds something after so many rounds was made to


def _without(data: bytes, hits: list[Hit]) -> str:
    """The text with every letter and digit of a hit as a star, everything of those that are encodings."""
    pieces, done = [], 0
    for hit in hits:
        pieces.append(data[done : hit.start].decode(errors="replace"))
        part = data[hit.start : hit.end].decode(errors="replace")
        whole = hit.kind in _WHOLE
        pieces.append("".join("*" if whole or character.isalnum() else character for character in part))
        done = hit.end
    pieces.append(data[done:].decode(errors="replace"))
    return "".join(pieces)
