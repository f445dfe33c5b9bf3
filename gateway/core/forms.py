r"""How a card number can be written, form by form: each function finds one family of forms wherever it stands.

`disguised.py` says which families there are and tries each only where it can be. `inside` looks at what an encoding
says when it is decoded.
"""

import binascii
import re
import struct
import sys
import unicodedata
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from gateway.core.cards import Span, find_card_numbers, is_card_number


class Kind(Enum):
    """How a number is written."""

    PLAIN = "plain"
    SCRIPT = "other digits or separators"
    WIDE = "UTF-16 or UTF-32"
    HEX = "hexadecimal"
    BASE64 = "base64"
    ESCAPED = "escaped"
    TRACK = "track data"
    CODE = "security code"
    BINARY = "binary field"
    RUN = "inside a longer run of digits"


class Hit(NamedTuple):
    """Where one stands: first byte, the one after the last, and how it is written."""

    start: int
    end: int
    kind: Kind


_NO_BREAK: Final = 0xA0
_ZEROS: Final = re.compile(rb"\x00+")
_SPACES: Final = "\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff\u00ad\u034f\u180e"
_DASHES: Final = "\u058a\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d\u30fb\u00b7\u2022"
DIGIT: Final = r"[\d\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u24ea\u24f5-\u24fd\u2776-\u277e]"
_SCRIPTED: Final = re.compile(rf"{DIGIT}(?:[ .\-{_SPACES}{_DASHES}]{{0,3}}{DIGIT}){{11,}}")
_GAP: Final = rb"([\t_/:,|]|[ \t_/.:,|\-]{2,3})"  # one space, dot or dash is for `cards.py`
_GAPS: Final = re.compile(rb"(?<![0-9])[0-9]{4}%b[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}(?:\1[0-9]{1,3})?(?![0-9])" % _GAP)
_AMEX_GAPS: Final = re.compile(rb"(?<![0-9])[0-9]{4}%b[0-9]{6}\1[0-9]{4,5}(?![0-9])" % _GAP)
_WIDE: Final = re.compile(rb"[0-9](?:\x00{1,3}(?:[ .\-\xa0]\x00{1,3})?[0-9]){11,}")
_HEX: Final = re.compile(rb"3[0-9](?:(?:00|2[0dDeE]){0,3}3[0-9]){11,}")
_HEX_LIST: Final = re.compile(rb"3[0-9](?:(?:[ ,:;\-]{1,2}|, ?0[xX])(?:2[0dDeE][ ,:;\-]{1,2})?3[0-9]){11,}")
_BASE64: Final = re.compile(rb"(?:[I-P][CDSTijyz][AEIMQUYcgkosw048][gtuw-z0-5][\r\n]{0,2}){3,}")
_BASE64_WIDE: Final = re.compile(
    rb"(?:[I-P][AQgw]A[gtuw-z0-5]A[CD][AEIMQUYcgkosw048]A){3,}"  # 3x 00 3x, 00 3x 00: a digit is two bytes
)
_BESIDE: Final = 8
_QUARTET: Final = 4
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_PAIR: Final = re.compile(rb"(?:0[xX])?([23][0-9dDeE])")
_BASE64_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_ESCAPE: Final = re.compile(
    rb"(?:%|\\+x|=(?=[23]))(?P<hex>[0-9A-Fa-f]{2})|\\+u(?P<high>[dD][89abAB][0-9A-Fa-f]{2})\\+u(?P<pair>[dD][c-fC-F][0-9A-Fa-f]{2})"
    rb"|\\+u(?:(?P<u>[0-9A-Fa-f]{4})|\{(?P<v>[0-9A-Fa-f]{1,6})\})"
    rb"|&#(?:(?P<dec>[0-9]{1,7})|[xX](?P<ent>[0-9A-Fa-f]{1,6}));?|\\+0?(?P<oct>[4-7][0-7])"
)
_TRACK_1: Final = re.compile(rb"%?[Bb]([0-9]{12,23})\^[^\^\r\n]{2,26}\^[0-9]{4}[0-9=* ]*[^\r\n?\"]{0,40}\??")
_TRACK_2: Final = re.compile(rb";?([0-9]{12,23})[=Dd]([0-9]{2}(?:0[1-9]|1[0-2])[0-9]{3,}[Ff]?)\??")
_TAG: Final = re.compile(rb"57(?:0[0-9]|1[0-3])")
"""the tag of a chip's track 2, and its length"""
_CODE: Final = re.compile(
    rb"(?i)(?:\bc(?:vv|vc|av|sc)2?|(?:security|verification)[ _\-]?(?:code|value|number))"
    rb"(?:[\"' ]{0,2}(?:is|:|=|#|of)[\"' ]{0,3}|[ _\-])([0-9]{3,4})(?![0-9.])"
)
_CODE_BEHIND: Final = re.compile(
    rb"[ ,;/|]{1,3}(?:(?:exp\w* ?)?[0-9]{2}[/\-][0-9]{2,4}[ ,;/|]{1,3})([0-9]{3,4})(?![0-9])"
)
_FIELD: Final = re.compile(rb"\x00\x00\x00[\x06-\x0a\x0e\x10\x12]")
_INT8: Final = struct.Struct("!q")
_FLOAT8: Final = struct.Struct("!d")
_NUMERIC: Final = struct.Struct("!HhHH")
_EIGHT, _BASE, _WHOLE_MAX = 8, 10_000, 10**17
_PACKED: Final = re.compile(r"([0-9]{12,19})f?\Z")
_DIGITS: Final = b"0123456789"

Inside: TypeAlias = Callable[[bytes], list[Hit]]


def plain(data: bytes) -> Iterator[Hit]:
    """Numbers as `cards.py` reads them, and what stands behind them."""
    for start, end in find_card_numbers(data):
        yield Hit(start, end, Kind.PLAIN)
        if (behind := _CODE_BEHIND.match(data, end)) is not None:
            yield Hit(*behind.span(1), Kind.CODE)
    for pattern in (_TRACK_1, _TRACK_2):
        for track in pattern.finditer(data):
            digits = track[1]
            starts = (0, *(tag.end() for tag in _TAG.finditer(digits)))
            if any(is_card_number(digits[start:]) for start in starts):
                yield Hit(*track.span(), Kind.TRACK)


def grouped(data: bytes) -> Iterator[Hit]:
    """Numbers in groups as cards print them, with other characters between the groups, or several."""
    for pattern in (_GAPS, _AMEX_GAPS):
        for match in pattern.finditer(data):
            if is_card_number(_only_digits(match[0])):
                yield Hit(*match.span(), Kind.SCRIPT)


def wide(data: bytes) -> Iterator[Hit]:
    """Numbers in UTF-16 or UTF-32, of either order. More zeros than elsewhere part two of them."""
    for match in _WIDE.finditer(data):
        plain, places, before = bytearray(), list[int](), 0
        usual = min(len(zeros) for zeros in _ZEROS.findall(match[0]))
        for at, byte in enumerate(match[0]):
            if byte:
                if plain and at - before - 1 > usual:
                    plain += b" "
                    places.append(before)
                plain += b" " if byte == _NO_BREAK else bytes((byte,))
                places.append(at)
                before = at
        for first, end in find_card_numbers(bytes(plain)):
            yield Hit(match.start() + places[first], match.start() + places[end - 1] + 1, Kind.WIDE)


def scripted(data: bytes) -> Iterator[Hit]:
    """Numbers with digits of another script, or with spaces, dashes or invisible characters outside ASCII."""
    text = data.decode("utf-8", "surrogateescape")
    for match in _SCRIPTED.finditer(text):
        if match[0].isascii():
            continue
        places: list[int] = []
        plain = bytearray()
        for at, character in enumerate(match[0]):
            digit = _digit(character)
            if digit is None and plain[-1:] == b" ":
                continue
            plain += b" " if digit is None else b"%d" % digit
            places.append(at)
        for start, end in find_card_numbers(bytes(plain)):
            span = match.start() + places[start], match.start() + places[end - 1] + 1
            yield Hit(*bytes_of(text, span, "surrogateescape"), Kind.SCRIPT)


def called(data: bytes) -> Iterator[Hit]:
    """Security codes that are called one."""
    return (Hit(*code.span(1), Kind.CODE) for code in _CODE.finditer(data))


def hexed(data: bytes, runs: list[Span], inside: Inside) -> Iterator[Hit]:
    """Numbers in hexadecimal pairs, side by side."""
    for run in runs:
        for match in _HEX.finditer(data, *run):
            if inside(bytes.fromhex(match[0].decode("ascii")).replace(b"\0", b"")):
                yield Hit(*match.span(), Kind.HEX)


def listed(data: bytes, inside: Inside) -> Iterator[Hit]:
    """Numbers in a list of hexadecimal pairs."""
    for match in _HEX_LIST.finditer(data):
        pairs = b"".join(_PAIR.findall(match[0]))
        if inside(bytes.fromhex(pairs.decode("ascii"))):
            yield Hit(*match.span(), Kind.HEX)


def based(data: bytes, runs: list[Span], inside: Inside) -> Iterator[Hit]:
    """Numbers in base64: the quartets that are surely digits, and those beside them."""
    for run in runs:
        for match in (match for pattern in (_BASE64, _BASE64_WIDE) for match in pattern.finditer(data, *run)):
            start, stop = _beside(data, *match.span())
            letters = data[start:stop].translate(_FROM_URL, b"\r\n")
            letters = letters[: len(letters) - (len(letters) % 4 == 1)]
            if inside(binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))):
                yield Hit(start, stop, Kind.BASE64)


def _beside(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """Up to eight letters more on each side, whole quartets in front, so that bytes come out as they went in."""
    for _ in range(_BESIDE // _QUARTET):
        if start < _QUARTET or not _BASE64_LETTERS.issuperset(data[start - _QUARTET : start]):
            break
        start -= _QUARTET
    end = stop
    while stop < len(data) and stop - end < _BESIDE and data[stop] in _BASE64_LETTERS:
        stop += 1
    return start, stop


def escaped(data: bytes, inside: Inside) -> Iterator[Hit]:
    """Numbers in which digits are escaped.

    Read twice: with every escape decoded, and with those alone that stand for digits and what is between them. A sign
    that begins an escape may be none (`LIKE '%55…'`).
    """
    seen = {data}
    for only_digits in (True, False):
        said, places = _unescaped(data, only_digits=only_digits)
        if said not in seen:
            seen.add(said)
            for hit in inside(said):
                yield Hit(places[hit.start], places[hit.end], Kind.ESCAPED)


def _unescaped(window: bytes, *, only_digits: bool) -> tuple[bytes, list[int]]:
    """What it says, and where each byte of that began (one more: the end)."""
    said, places, at = bytearray(), [], 0
    for match in _ESCAPE.finditer(window):
        one = _decoded(match)
        if only_digits and one not in _DIGITS_AND_GAPS:
            continue
        said += window[at : match.start()] + one
        places += [*range(at, match.start()), *[match.start()] * len(one)]
        at = match.end()
    said += window[at:]
    places += range(at, len(window) + 1)
    return bytes(said), places


def _decoded(match: re.Match[bytes]) -> bytes:
    form = match.lastgroup or ""
    number = int(match[form], {"dec": 10, "oct": 8}.get(form, 16))
    if form == "pair":
        number = 0x10000 + ((int(match["high"], 16) & 0x3FF) << 10) + (number & 0x3FF)
    if form in {"hex", "oct"}:
        return bytes([number])
    return chr(number).encode("utf-8", "replace") if number <= sys.maxunicode else b"?"


_DIGITS_AND_GAPS: Final = frozenset(b"%c" % byte for byte in b"0123456789 .-")


def fields(data: bytes) -> Iterator[Hit]:
    """Values of PostgreSQL's binary format behind their length: a row's, a parameter's, binary COPY's."""
    for match in _FIELD.finditer(data):
        start, size = match.end(), data[match.end() - 1]
        field = data[start : start + size]
        if len(field) == size and any(is_card_number(digits) for digits in _numbers(field)):
            yield Hit(start, start + size, Kind.BINARY)


def _numbers(field: bytes) -> Iterator[bytes]:
    """What a field would be as a number, in digits. Eight letters are as good as eight bytes: text is left alone."""
    if field.isascii() and field.decode("ascii").isprintable():
        return
    if (packed := _PACKED.match(field.hex())) is not None:
        yield packed[1].encode()
    if len(field) == _EIGHT:
        (whole,), (real,) = _INT8.unpack(field), _FLOAT8.unpack(field)
        yield from (b"%d" % int(number) for number in (whole, real) if 0 < number < _WHOLE_MAX)
        return
    if len(field) > _NUMERIC.size and not len(field) % 2:
        count, weight, sign, scale = _NUMERIC.unpack_from(field)
        digits = struct.unpack(f"!{(len(field) - _NUMERIC.size) // 2}H", field[_NUMERIC.size :])
        if count == len(digits) <= weight + 1 <= 2 * count and not sign and not scale and max(digits) < _BASE:
            yield (b"".join(b"%04d" % digit for digit in digits) + b"0000" * (weight + 1 - count)).lstrip(b"0")


def _only_digits(text: bytes) -> bytes:
    return bytes(byte for byte in text if byte in _DIGITS)


def ascii_digits(text: str) -> bytes:
    """The digits of a text, whatever their script, as ASCII."""
    return b"".join(b"%d" % digit for digit in map(_digit, text) if digit is not None)


def _digit(character: str) -> int | None:
    """What a digit of any script, raised, lowered or circled, stands for."""
    return unicodedata.digit(character, None)


def bytes_of(text: str, span: tuple[int, int], errors: str) -> tuple[int, int]:
    """A span of characters as one of bytes."""
    start = len(text[: span[0]].encode("utf-8", errors))
    return start, start + len(text[span[0] : span[1]].encode("utf-8", errors))
