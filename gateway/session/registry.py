"""The names a session has given on the server: prepared statements and portals, mirrored exactly.

SQL PREPARE and the protocol's Parse share one namespace; so do DECLARE and Bind (PostgreSQL 18, §54.2.3). A change is
noted when its message is sent and takes effect when the server confirms it. Until then it holds only within its own
segment: if anything before it in the segment failed, the server skips everything up to Sync, and the change with it. A
look-up from a later segment has to wait, because nobody knows yet which of two statements the name means.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from gateway.session.composition import NOWHERE, Positions
from gateway.session.ruling import Ruling
from gateway.session.shape import Shape


class Space(Enum):
    """The two namespaces."""

    STATEMENT = "prepared statement"
    PORTAL = "portal"


@dataclass(slots=True, eq=False)
class Prepared:
    """A statement the server has planned. `ruling` is None for one without any SQL."""

    ruling: Ruling | None
    text: bytes = b""
    """exact bytes, for the mac; never shown"""
    types: tuple[int, ...] = ()
    """parameter types the client gave at Parse, for reading the text again"""
    shape: Shape | None = None
    """its result as the server described it; None before that"""
    asked: int = -1
    """the last segment in which a Describe of it was sent: it fails together with what stands behind it there"""
    positions: Positions = NOWHERE
    """where the server's error positions stand in the text"""

    def __repr__(self) -> str:
        """Without the text."""
        return f"Prepared({self.ruling!r})"


@dataclass(slots=True, eq=False)
class Portal:
    """A bound statement, and the exact Bind bytes for the mac."""

    prepared: Prepared
    bind: bytes = b""
    formats: tuple[int, ...] = ()
    """of the result, as Bind asked for them"""
    sql_cursor: bool = False
    served: int = 0
    """rows shown so far"""

    def __repr__(self) -> str:
        """Without the values."""
        return f"Portal({self.prepared!r})"


@dataclass(slots=True, eq=False)
class Change:
    """What a message does to a name. `name` None means every name; `value` None removes."""

    space: Space
    name: str | None
    value: Prepared | Portal | None
    segment: int = 0
    number: int = 0
    """order among all changes of a session"""


class MustWaitError(Exception):
    """The name's meaning hangs on an answer of an earlier segment. Wait for the server, then look again."""


@dataclass(slots=True)
class Registry:
    """Confirmed names, and for each name the changes not yet confirmed, oldest first."""

    confirmed: dict[Space, dict[str, Prepared | Portal]] = field(default_factory=lambda: {s: {} for s in Space})
    _pending: dict[tuple[Space, str | None], deque[Change]] = field(default_factory=dict)
    _count: int = 0

    def note(self, change: Change, segment: int) -> Change:
        """Remember a change whose message is being sent in `segment`."""
        self._count += 1
        change.segment, change.number = segment, self._count
        self._pending.setdefault((change.space, change.name), deque()).append(change)
        return change

    def settle(self, change: Change, *, done: bool) -> None:
        """Let the change take effect, or drop it."""
        waiting = self._pending.get((change.space, change.name), deque())
        if change not in waiting:
            return
        waiting.remove(change)
        if not waiting:
            del self._pending[change.space, change.name]
        if done:
            _apply(self.confirmed[change.space], change)

    def forget(self, space: Space, name: str) -> None:
        """Drop a name at once: a Parse that fails takes the unnamed statement with it."""
        self.confirmed[space].pop(name, None)
        self._pending.pop((space, name), None)

    def find(self, space: Space, name: str, segment: int) -> Prepared | Portal | None:
        """What `name` means to a message of `segment`; None when it means nothing. May raise MustWaitError."""
        waiting = [self._pending[key][-1] for key in ((space, name), (space, None)) if key in self._pending]
        if not waiting:
            return self.confirmed[space].get(name)
        latest = max(waiting, key=_number)
        if latest.segment != segment:
            raise MustWaitError
        return latest.value

    def statement(self, name: str, segment: int) -> Prepared | None:
        """The prepared statement called `name`."""
        found = self.find(Space.STATEMENT, name, segment)
        return found if isinstance(found, Prepared) else None

    def portal(self, name: str, segment: int) -> Portal | None:
        """The portal called `name`."""
        found = self.find(Space.PORTAL, name, segment)
        return found if isinstance(found, Portal) else None

    def cursors(self, name: str) -> list[Portal]:
        """Every portal or cursor that `name` may mean until all that was sent has been answered."""
        waiting = [change.value for change in self._pending.get((Space.PORTAL, name), ())]
        found = (self.confirmed[Space.PORTAL].get(name), *waiting)
        return [value for value in found if isinstance(value, Portal)]

    def visible(self, space: Space, segment: int) -> dict[str, Prepared | Portal]:
        """Every name a message of `segment` can use. May raise MustWaitError."""
        names = dict(self.confirmed[space])
        waiting = [change for key, changes in self._pending.items() if key[0] is space for change in changes]
        for change in sorted(waiting, key=_number):
            if change.segment != segment:
                raise MustWaitError
            _apply(names, change)
        return names

    def forget_shapes(self) -> None:
        """Ask anew what every statement gives: its names may mean other relations from now on."""
        for found in self.confirmed[Space.STATEMENT].values():
            if isinstance(found, Prepared):
                found.shape, found.asked = None, -1

    def end_transaction(self) -> None:
        """Portals die with their transaction; cursors made WITH HOLD are asked of the server again when used."""
        portals = self.confirmed[Space.PORTAL]
        for name in [n for n, p in portals.items() if isinstance(p, Portal) and not p.sql_cursor]:
            del portals[name]


def _number(change: Change) -> int:
    return change.number


def _apply(names: dict[str, Prepared | Portal], change: Change) -> None:
    if change.name is None:
        names.clear()
    elif change.value is None:
        names.pop(change.name, None)
    else:
        names[change.name] = change.value
