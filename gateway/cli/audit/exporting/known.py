"""Agents that were seen before a period: whoever is not among them is new."""

from typing import Final

import msgspec

from gateway.core.events import EventType
from gateway.evidence.package.building import Taken
from gateway.evidence.tiles import WIDTH

LOOK_BACK_NS: Final = 30 * 86_400 * 1_000_000_000
_OPENED: Final = f'"type":"{EventType.SESSION_OPENED}"'.encode()


class _Who(msgspec.Struct, frozen=True):
    id: str = ""


class _Leaf(msgspec.Struct, frozen=True):
    who: _Who = _Who()


def known_before(taken: Taken) -> frozenset[str]:
    """Those with a session in the thirty days before. Raises OSError, ValueError."""
    found: set[str] = set()
    since = taken.period.since_ns - LOOK_BACK_NS
    for snapshot, span in taken.epochs:
        first = max(snapshot.block_at(max(since, 0)), snapshot.reader.begin // WIDTH)
        for block in range(first, -(-span.first // WIDTH)):
            for at, raw in enumerate(snapshot.entries(block), block * WIDTH):
                if at < span.first and _OPENED in raw:
                    found.add(msgspec.json.decode(raw, type=_Leaf).who.id)
    return frozenset(found)
