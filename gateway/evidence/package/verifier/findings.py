"""What a verification says: findings with stable names, and how strict reading fails with one."""

from __future__ import annotations

import base64
import json
from typing import NamedTuple

INCOMPLETE = frozenset(
    {"zip.cut", "file.missing", "period.uncovered", "sample.missing", "bundle.missing", "population.missing"}
)
"""something is not there; every other finding but a note means that something was changed"""
NOTES = frozenset(
    {
        "key.unproved",
        "witness.none",
        "seed.given",
        "population.unrecorded",
        "heartbeat.late",
        "log.degraded",
        "log.recovered",
        "clock.jumped",
        "time.elsewhere",
        "recording.unproved",
    }
)
"""what a reader must know, though nothing is wrong"""


class Finding(NamedTuple):
    """Something that does not hold, or that a reader must know."""

    name: str
    where: str
    text: str


class Broken(Exception):
    """What was read does not hold."""

    def __init__(self, name: str, where: str, text: str) -> None:
        super().__init__(name, where, text)
        self.finding = Finding(name, where, text)


def need(holds: object, name: str, where: str, text: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(name, where, text)


LEAF = "leaf.unreadable"
"""what a leaf is called that is none"""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object that names nothing twice: of two that have one name another reader may take the other."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError
    return made


def _refused(_: str) -> None:
    """NaN and the infinities are no JSON."""
    raise ValueError


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refused)


def parsed(raw: bytes, where: str, name: str = "file.unreadable") -> dict[str, object]:
    """A JSON object. Raises Broken. Leaves, of which there may be a million, are read faster and less strictly.

    That they are written the one canonical way is for `audit verify` to say of the log itself.
    """
    try:
        value = json.loads(raw) if name == LEAF else _STRICT.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Broken(name, where, "not JSON") from None
    if not isinstance(value, dict):
        raise Broken(name, where, "not an object")
    return value


def mapping(value: object) -> dict[str, object]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[object]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """A text; an empty one for anything else."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """A whole number; -1 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def decimal(value: object) -> int:
    """A whole number written as a text; -1 for anything else."""
    said = text(value)
    return int(said) if said.isascii() and said.isdigit() and len(said) < 24 else -1  # noqa: PLR2004 -- no time is longer


def unbase64(said: str, where: str, name: str) -> bytes:
    """Base64 in its one spelling. Raises Broken."""
    try:
        raw = base64.b64decode(said, validate=True)
    except ValueError:
        raise Broken(name, where, "not base64") from None
    need(base64.b64encode(raw).decode() == said, name, where, "not base64 as it is written")
    return raw
