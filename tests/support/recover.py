"""How an attacker would rebuild a card number from what came back: one way each, written for the schema of the cases.

`ways(transcript)` names every way that succeeds. The numbers are public test numbers of the card brands.
"""

import base64
import binascii
import contextlib
import hashlib
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4012888888881881")
IN_A_NOTE = "4222222222222"
SLEPT_SECONDS = 0.15


@dataclass(slots=True)
class Transcript:
    """Everything a client got: rows as text, rows as bytes, every other text, files the server wrote, time spent."""

    rows: list[list[str | None]] = field(default_factory=list)
    binary: list[list[bytes | None]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    file: str = ""
    elapsed: float = 0.0

    @property
    def flat(self) -> str:
        """All text, a line for each row and each message."""
        return "\n".join(["|".join(value or "" for value in row) for row in self.rows] + self.text)

    def cells(self) -> Iterator[str]:
        """Each value that is not NULL."""
        return (value for row in self.rows for value in row if value)

    def byte_cells(self) -> Iterator[bytes]:
        """Each value that is not NULL, as it came."""
        return (value for row in self.binary for value in row if value)


def holds_card(value: str) -> bool:
    """A whole card number stands in it."""
    return any(card in value for card in CARDS)


def _each(derive: Callable[[str], str]) -> Callable[[Transcript], bool]:
    return lambda seen: any(derive(card) in seen.flat.lower() for card in CARDS)


def _first_cells(seen: Transcript) -> str:
    return "".join(row[0] or "" for row in seen.rows if row)


def _as_numeric(value: bytes) -> str:
    """The binary form of numeric: base 10,000 digits after a header of four shorts."""
    count, weight, _sign, _scale = struct.unpack_from(">HhHH", value)
    total = 0
    for digit in struct.unpack_from(f">{count}H", value, 8):
        total = total * 10_000 + digit
    exponent = weight - count + 1
    return str(total * 10_000**exponent) if 0 <= exponent < 8 else ""


def _character_codes(seen: Transcript) -> bool:
    return any(
        holds_card("".join(chr(int(v)) for v in row if v and v.isdecimal() and int(v) < 128)) for row in seen.rows
    )


def _shifted(seen: Transcript) -> bool:
    return any(holds_card(f"{ord(value[0]) - ord('A')}{value[1:]}") for value in seen.cells())


def _third(seen: Transcript) -> bool:
    for value in seen.cells():
        with contextlib.suppress(ValueError, OverflowError):
            if holds_card(str(round(float(value) * 3))):
                return True
    return False


def _moment(card: str) -> str:
    return str((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(card))).replace(tzinfo=None))


def _unquoted(seen: Transcript) -> bool:
    return any(holds_card((row[0] or "").strip()[1:-1].replace("11", "1")) for row in seen.rows if row)


def _sixty_fours(seen: Transcript) -> bool:
    for chunk in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", seen.flat):
        with contextlib.suppress(binascii.Error, ValueError):
            if holds_card(base64.b64decode(chunk + "=" * (-len(chunk) % 4)).decode("latin-1")):
                return True
    return False


WAYS: Mapping[str, Callable[[Transcript], bool]] = MappingProxyType(
    {
        "as it is": lambda seen: holds_card(seen.flat),
        "one more": lambda seen: any(str(int(card) + 1) in seen.flat for card in CARDS),
        "split over columns": lambda seen: any(holds_card("".join(v or "" for v in row)) for row in seen.rows),
        "split over rows": lambda seen: holds_card(_first_cells(seen)),
        "backwards": lambda seen: holds_card(seen.flat[::-1]),
        "letters for digits": lambda seen: holds_card(seen.flat.translate(str.maketrans("abcdefghij", "0123456789"))),
        "base64": _sixty_fours,
        "hexadecimal text": _each(lambda card: card.encode().hex()),
        "md5": _each(lambda card: hashlib.md5(card.encode(), usedforsecurity=False).hexdigest()),
        "sha256": _each(lambda card: hashlib.sha256(card.encode()).hexdigest()),
        "character codes": _character_codes,
        "digits among others": lambda seen: any(
            holds_card(re.sub(r"[^0-9]", "", "".join(v or "" for v in row))) for row in seen.rows
        ),
        "hexadecimal number": _each(lambda card: f"{int(card):x}"),
        "bits": _each(lambda card: f"{int(card):064b}"),
        "microseconds": _each(_moment),
        "a third": _third,
        "first digit shifted": _shifted,
        "in a note": lambda seen: IN_A_NOTE in seen.flat,
        "binary integer": lambda seen: any(
            struct.pack(">q", int(card)) in value for value in seen.byte_cells() for card in CARDS
        ),
        "binary numeric": lambda seen: any(
            holds_card(_as_numeric(value)) for value in seen.byte_cells() if len(value) >= 8 and not len(value) % 2
        ),
        "binary text": lambda seen: any(holds_card(value.decode("latin-1")) for value in seen.byte_cells()),
        "doubled ones between quotes": _unquoted,
        "a file": lambda seen: holds_card(seen.file),
        "time": lambda seen: seen.elapsed > SLEPT_SECONDS,
    }
)


def ways(seen: Transcript, *, timed: bool = False) -> list[str]:
    """The names of every way that rebuilds a card number. Time counts only if `timed`: machines are slow at times."""
    found: list[str] = []
    for name, way in WAYS.items():
        with contextlib.suppress(struct.error):
            if (timed or name != "time") and way(seen):
                found.append(name)
    return found
