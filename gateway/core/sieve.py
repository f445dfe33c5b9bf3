"""Which parts of some bytes could hold a card number in any form: looks at C speed, before any pattern is tried.

Each look answers for a family of patterns of `disguised.py`: what it leaves out holds none of them, for certain. Bytes
are mapped to classes and searched for a run of one class, which is many times faster than a pattern and leaves nearly
nothing: a log is full of times, hashes and identifiers, but hardly any twelve digits in it are not one of those.
"""

import re
from collections.abc import Iterator
from typing import Final

from gateway.core.cards import MAX_DIGITS, MIN_DIGITS, Span, is_card_number

PIECE: Final = 1 << 16
MARGIN: Final = 160
"""bytes beside a suspicious place that are looked at with it: more than the longest form of one number takes"""
SEPARATORS: Final = b" .-"
"""those of `cards.py`"""
OTHER_SEPARATORS: Final = b" .-_/,|\t:;"
_STEP: Final = 64
_REACH: Final = 64
"""twelve digits and three separators between each two fit behind a step's end"""
_RUN, _GAP, _HIGH, _OTHER = b"0shx"
_ONE, _OLD_JCB = 0x31, 15
_HEX_MIN: Final = 24
"""hexadecimal digits of twelve ASCII digits"""
_RARE: Final = 64
_SCRIPT_MIN: Final = 13
"""bytes of twelve digits of which one is not ASCII"""


def _classes(run: bytes, gap: bytes = b"", high: bytes = b"") -> bytes:
    table = bytearray([_OTHER]) * 256
    for letters, name in ((gap, _GAP), (run, _RUN), (high, _HIGH)):
        for letter in letters:
            table[letter] = name
    return bytes(table)


_DIGITS: Final = b"0123456789"
_BY_DIGIT: Final = _classes(_DIGITS, SEPARATORS)
_BY_GROUP: Final = _classes(_DIGITS, OTHER_SEPARATORS)
_BY_WIDE: Final = _classes(_DIGITS, b" .-\xa0\0")
_LEADS: Final = b"\xc2\xcd\xd6\xd9\xdb\xdf\xe0\xe1\xe2\xe3\xea\xef\xf0"
"""first bytes in UTF-8 of every digit, and of every space and dash, outside ASCII"""
_BY_SCRIPT: Final = _classes(_DIGITS, b" .-", _LEADS + bytes(range(0x80, 0xC0)))
_BY_HEX: Final = _classes(b"0123456789deDE")
_BY_BASE64: Final = _classes(b"IJKLMNOPCDSTijyzAEQUYcgkosw048tux1235\r\n")
"""the letters that base64 has for digits, spaces, dashes and dots, in ASCII or UTF-16"""
_TWELVE: Final = b"0" * MIN_DIGITS
_HEXED: Final = b"0" * _HEX_MIN
_GROUPS: Final = tuple(
    b"s".join(groups).replace(b"s", b"s" * many)
    for groups in ((b"0000", b"0000", b"0000"), (b"0000", b"000000", b"0000"))
    for many in (1, 2, 3)
)
_BEGIN: Final = tuple(b"0000" + b"s" * many + b"0000" for many in (1, 2, 3))
_PAIRS: Final = (b"00s00s00s00s", b"00ss00ss00ss00ss")
_NARROW: Final = (b"0s0s0s", b"0sss0sss")
_ESCAPED: Final = {
    b"%": (re.compile(rb"%[0-9A-Fa-f]{2}"),),
    b"=": (re.compile(rb"=3[0-9]"),),
    b"&": (re.compile(rb"&#[0-9xX]"),),
    b"\\": tuple(map(re.compile, (rb"\\x[0-9A-Fa-f]{2}", rb"\\u[0-9A-Fa-f{]", rb"\\0?6[0-7]", rb"\\0?7[01]"))),
}
"""an escaped digit, by its first letter; the letters each form begins with are sought as they are, which is fast"""
_CODES: Final = (b"cvv", b"cvc", b"cav", b"csc", b"security", b"verification")


def is_clean(data: bytes) -> bool:
    """One look at something short: False when any of the looks below could find something."""
    return (
        data.isascii()
        and _TWELVE not in data.translate(_BY_DIGIT, OTHER_SEPARATORS)
        and _TWELVE not in data.translate(_BY_BASE64)
        and _HEXED not in data.translate(_BY_HEX)
        and b"\0" not in data
        and b"\\" not in data
        and b"%" not in data
        and b"=3" not in data
        and b"&#" not in data
        and b"0x3" not in data
        and b"0X3" not in data
        and not _names_code(data.lower())
    )


def _names_code(lower: bytes) -> bool:
    short = b"cv" in lower or b"csc" in lower or b"cav" in lower
    return short or b"security" in lower or b"verification" in lower


def digit_spans(data: bytes) -> list[Span]:
    """Where at least twelve digits follow each other, with separators between them, and are not plainly a number.

    A number is a run of digits that no separator joins to others, and that has not the form of a card number.
    """
    image = data.translate(_BY_DIGIT)
    if _TWELVE not in image.translate(None, b"s"):
        return []
    rest, at = bytearray(image), -1
    while (at := image.find(_TWELVE, at + 1)) >= 0:
        end = _run_end(image, at)
        if _stands_alone(image, at, end) and not _may_be_card(data[at:end]):
            rest[at:end] = b"x" * (end - at)
        at = end
    return _spans(bytes(rest), MIN_DIGITS)


def group_spans(data: bytes) -> list[Span]:
    """Where groups of digits, as cards print them, have another separator between them or several."""
    image = data.translate(_BY_GROUP)
    return _at_needles(data, image, _GROUPS) if any(begin in image for begin in _BEGIN) else []


def pair_spans(data: bytes) -> list[Span]:
    """Where hexadecimal pairs of digits could stand in a list."""
    if b"0x3" in data or b"0X3" in data:
        return [(0, len(data))]
    image = data.translate(_BY_GROUP)
    return _at_needles(data, image, _PAIRS) if any(begin in image for begin in _PAIRS) else []


def wide_spans(data: bytes) -> list[Span]:
    """Where digits have NUL bytes between them."""
    if b"\0" not in data:
        return []
    image = data.translate(_BY_WIDE)
    return _at_needles(data, image, _NARROW)


def script_spans(data: bytes) -> list[Span]:
    """Where digits of other scripts could follow each other, or digits with spaces and dashes outside ASCII."""
    if data.isascii():
        return []
    image = data.translate(_BY_SCRIPT)
    if image.count(b"h") > len(image) // _RARE:
        return [span for span in _spans(image.replace(b"h", b"0"), _SCRIPT_MIN) if _mixed(image[slice(*span)])]
    places, at = [], -1
    while (at := image.find(b"h", at + 1)) >= 0:
        if _mixed(image[max(0, at - MARGIN) : at + MARGIN]):
            places.append(at)
        at += _STEP
    return _joined(data, places)


def _mixed(image: bytes) -> bool:
    """Whether a run that is long enough has something outside ASCII."""
    image = image.translate(None, b"s")
    end = -1
    while (at := image.find(b"h", end + 1)) >= 0:
        start, end = image.rfind(b"x", 0, at) + 1, image.find(b"x", at)
        end = len(image) if end < 0 else end
        if end - start >= _SCRIPT_MIN:
            return True
    return False


def hex_runs(data: bytes) -> list[Span]:
    """The runs in which there could be hexadecimal pairs of twelve digits, side by side."""
    return _runs(data.translate(_BY_HEX), _HEX_MIN)


def base64_runs(data: bytes) -> list[Span]:
    """The runs in which there could be three quartets of letters that base64 has for digits."""
    return _runs(data.translate(_BY_BASE64), MIN_DIGITS)


def escaped_spans(data: bytes) -> list[Span]:
    """Where a digit could stand escaped."""
    forms = (form for sign, found in _ESCAPED.items() if sign in data for form in found)
    return _joined(data, sorted(match.start() for form in forms for match in form.finditer(data)))


def code_spans(data: bytes) -> list[Span]:
    """Where a security code is named."""
    lower = data.lower()
    named = [word for word in _CODES if word in lower]
    return _joined(data, sorted(place for word in named for place in _finds(lower, word)))


def _spans(image: bytes, least: int) -> list[Span]:
    """Spans, each with its margin, that cover every run of one class of at least that length, gaps not counted."""
    needle = b"0" * least
    if needle not in image.translate(None, b"s"):
        return []
    return _joined(image, [place for start in _held(image, needle) for place in (start, start + _STEP + _REACH)])


def _held(image: bytes, needle: bytes) -> list[int]:
    """Where the steps begin that hold the needle, gaps not counted: halves are looked at before their halves."""
    found: list[int] = []
    ranges = [(0, len(image))]
    while ranges:
        start, end = ranges.pop()
        if needle not in image[start : end + _REACH].translate(None, b"s"):
            continue
        if end - start <= _STEP:
            found.append(start)
        else:
            middle = (start + end) // 2
            ranges += (middle, end), (start, middle)
    return found


def _runs(image: bytes, least: int) -> list[Span]:
    """Every run of one class of at least that length."""
    found, needle, at = [], b"0" * least, -1
    while (at := image.find(needle, at + 1)) >= 0:
        end = image.find(b"x", at)
        end = len(image) if end < 0 else end
        found.append((at, end))
        at = end
    return found


def _at_needles(data: bytes, image: bytes, needles: tuple[bytes, ...]) -> list[Span]:
    return _joined(data, sorted(place for needle in needles for place in _finds(image, needle)))


def _finds(data: bytes, needle: bytes) -> Iterator[int]:
    at = -1
    while (at := data.find(needle, at + 1)) >= 0:
        yield at


def _joined(data: bytes, places: list[int]) -> list[Span]:
    """Places in order, each with its margin; those that touch as one."""
    found: list[Span] = []
    for place in places:
        start, end = max(0, place - MARGIN), min(len(data), place + MARGIN)
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _run_end(image: bytes, at: int) -> int:
    """Where the run ends that is twelve long at least from `at` on: most end soon."""
    end, last = at + MIN_DIGITS, len(image)
    while end < last and image[end] == _RUN:
        end += 1
    return end


def _stands_alone(image: bytes, start: int, end: int) -> bool:
    """No digit is reached over separators."""
    before, behind = start - 1, end
    while before >= 0 and image[before] == _GAP:
        before -= 1
    while behind < len(image) and image[behind] == _GAP:
        behind += 1
    return (before < 0 or image[before] == _OTHER) and (behind == len(image) or image[behind] == _OTHER)


def _may_be_card(digits: bytes) -> bool:
    """Of a longer run that no one knows: it may have a number behind the tag and length of a chip's track."""
    size = len(digits)
    if size > MAX_DIGITS or (size > MIN_DIGITS + 2 and (b"571" in digits or b"570" in digits)):
        return True
    if digits[0] == _ONE and size != _OLD_JCB:  # moments, counted in any unit since 1970
        return False
    return is_card_number(digits)
