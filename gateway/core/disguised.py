r"""Card numbers that are not written as `cards.py` reads them: other scripts and separators, encodings, tracks, binary.

For what is stored. An agent chooses many texts that are kept (names in a statement, its application's name, a purpose),
so a number written so that only the plain look passes over it would be stored after all. Found, wherever they stand:

- digits of any script, full-width and raised ones too, with any spaces, dashes and invisible characters between them;
- UTF-16 and UTF-32 of either order; hexadecimal pairs of ASCII or UTF-16 text; base64 of either alphabet, of ASCII or
  UTF-16 text, at any of its three alignments; `%34`, `\x34`, `\064`, `\u0034`, `&#52;`, `=34` and mixtures of those
  with plain digits; one of these inside another;
- the stripe: track 1 and track 2, and track 2 as a chip has it (EMV tag 57); a security code that is called one or
  stands behind a number;
- where it is said that they are, whole fields of a row or of parameters in PostgreSQL's binary format: int8, numeric,
  float8, and packed decimal.

Not found: reversed, shifted, split, spelt, enciphered or hashed numbers: there is no end to these.
Every pattern begins with bytes that are rare in a log, so that looking through clean data stays fast.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from gateway.core.cards import MAX_DIGITS, MIN_DIGITS, Span, is_card_number
from gateway.core.forms import (
    DIGIT,
    Hit,
    Kind,
    ascii_digits,
    based,
    bytes_of,
    called,
    escaped,
    fields,
    grouped,
    hexed,
    listed,
    plain,
    scripted,
    wide,
)
from gateway.core.sieve import (
    MARGIN,
    PIECE,
    base64_runs,
    code_spans,
    digit_spans,
    escaped_spans,
    group_spans,
    hex_runs,
    is_clean,
    pair_spans,
    script_spans,
    wide_spans,
)

__all__ = ["DEPTH", "Hit", "Kind", "find_any", "find_in_words"]

_SHORT: Final = 4096
DEPTH: Final = 2
"""encodings one inside another"""


def find_any(data: bytes, depth: int = DEPTH, *, wire: bool = False) -> list[Hit]:
    """Every card number in `data`, in order and not overlapping, in whatever form, to `depth` encodings.

    `wire`: they are messages of PostgreSQL's protocol, whose binary fields are looked at. Elsewhere a few bytes behind
    what could be their length are too often something else.
    """
    found: list[Hit] = []
    if len(data) <= _SHORT and is_clean(data):
        return found
    for start in range(0, max(1, len(data)), PIECE):
        piece = max(0, start - 2 * MARGIN), min(len(data), start + PIECE)
        found += _within(data, [piece], lambda part: _look(part, depth, wire=wire))
    return _apart(found) if found else found


def _look(data: bytes, depth: int, *, wire: bool) -> Iterator[Hit]:
    """One piece. Each family of patterns is tried only where a quick look says that it could be there."""
    yield from _within(data, digit_spans(data), plain)
    yield from _within(data, group_spans(data), grouped)
    yield from _within(data, wide_spans(data), wide)
    yield from _within(data, script_spans(data), scripted)
    yield from _within(data, code_spans(data), called)
    if wire:
        yield from fields(data)
    if not depth:
        return

    def inside(said: bytes) -> list[Hit]:
        return find_any(said, depth - 1)

    yield from _within(data, pair_spans(data), lambda part: listed(part, inside))
    yield from hexed(data, hex_runs(data), inside)
    yield from based(data, base64_runs(data), inside)
    yield from _within(data, escaped_spans(data), lambda part: escaped(part, inside))


def _within(data: bytes, spans: list[Span], find: Callable[[bytes], Iterable[Hit]]) -> Iterator[Hit]:
    """What is found in parts of `data`. What the edge of a part cuts stands whole in another, or is none."""
    for start, end in spans:
        for hit in find(data[start:end] if end - start < len(data) else data):
            whole = Hit(start + hit.start, start + hit.end, hit.kind)
            if not ((whole.start == start > 0) or (whole.end == end < len(data))):
                yield whole


def find_in_words(text: str) -> list[Hit]:
    """The same for a short text that somebody chose, positions in UTF-8, and without mercy.

    Nothing beside digits speaks for them here, neither a decimal point nor a hash round them; up to three characters of
    any kind but letters may stand between two; and in a longer unbroken run a number of an ordinary length is found.
    """
    runs = [
        Hit(*bytes_of(text, match.span(), "replace"), Kind.RUN)
        for match in _ANY_RUN.finditer(text)
        if _holds([ascii_digits(group[0]) for group in _GROUP.finditer(match[0])])
    ]
    return _apart([*runs, *find_any(text.encode("utf-8", "replace"))])


_ANY_RUN: Final = re.compile(rf"{DIGIT}(?:[\W_]{{0,3}}{DIGIT}){{11,}}")
_GROUP: Final = re.compile(rf"{DIGIT}+")
_ORDINARY: Final = (16, 15, 14, 13, 19)
_VERY_LONG: Final = 1000
"""digits"""


def _holds(groups: list[bytes]) -> bool:
    """Whether groups of digits that stand side by side are a number, or one of them holds one.

    A run that is very long is taken for one: nobody calls anything so, and to look at all of it would take seconds.
    """
    if sum(map(len, groups)) > _VERY_LONG:
        return True
    for first in range(len(groups)):
        joined = b""
        for group in groups[first : first + MAX_DIGITS]:
            joined += group
            if len(joined) > MAX_DIGITS:
                break
            if len(joined) >= MIN_DIGITS and is_card_number(joined):
                return True
    return any(
        is_card_number(group[at : at + length])
        for group in groups
        for length in _ORDINARY
        for at in range(len(group) - length + 1)
    )


def _apart(hits: list[Hit]) -> list[Hit]:
    """In order; what overlaps becomes one."""
    apart: list[Hit] = []
    for hit in sorted(hits, key=lambda each: (each.start, -each.end)):
        if apart and hit.start < apart[-1].end:
            apart[-1] = apart[-1]._replace(end=max(apart[-1].end, hit.end))
        else:
            apart.append(hit)
    return apart
