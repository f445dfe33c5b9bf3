"""Agents that were seen before a day: whoever had no session in the thirty days before it is new."""

from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.core.events import EventType
from gateway.evidence.package.building import Taken
from gateway.evidence.tiles import WIDTH

DAY_NS: Final = 86_400 * 10**9
LOOK_BACK_NS: Final = 30 * DAY_NS
_OPENED: Final = f'"type":"{EventType.SESSION_OPENED}"'.encode()


class _Who(msgspec.Struct, frozen=True):
    id: str = ""


class _Leaf(msgspec.Struct, frozen=True):
    t: str = "0"
    who: _Who = _Who()


class Known:
    """When each agent was seen last, day by day."""

    def __init__(self, seen: Mapping[str, int]) -> None:
        self._last = dict(seen)

    def at(self, day_begins_ns: int) -> frozenset[str]:
        """Those of the thirty days before."""
        since = day_begins_ns - LOOK_BACK_NS
        return frozenset(agent for agent, last in self._last.items() if since <= last < day_begins_ns)

    def see(self, agents: Mapping[str, int]) -> None:
        """Agents of a day, with when their last session began."""
        for agent, at in agents.items():
            self._last[agent] = max(at, self._last.get(agent, 0))


def seen_before(taken: Taken) -> dict[str, int]:
    """Agent → when its last session before the period began, for the thirty days before. Raises OSError, ValueError."""
    found: dict[str, int] = {}
    since = taken.period.since_ns - LOOK_BACK_NS
    for snapshot, span in taken.epochs:
        first = max(snapshot.block_at(max(since, 0)), snapshot.reader.begin // WIDTH)
        for block in range(first, -(-span.first // WIDTH)):
            for at, raw in enumerate(snapshot.entries(block), block * WIDTH):
                if at < span.first and _OPENED in raw:
                    leaf = msgspec.json.decode(raw, type=_Leaf)
                    found[leaf.who.id] = max(int(leaf.t), found.get(leaf.who.id, 0))
    return {agent: at for agent, at in found.items() if since <= at < taken.period.since_ns}
