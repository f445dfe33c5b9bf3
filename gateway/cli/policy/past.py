"""What was decided in a period, gathered from the log: decisions that cannot differ are counted together.

A decision names its input and its answer by their hashes, so a million decisions are a few thousand questions, each
evaluated once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from gateway.core.events import EventType
from gateway.evidence.leaf import NAMED, Leaf, decode_leaf
from gateway.evidence.search import SLACK_NS
from gateway.evidence.tiles import WIDTH
from gateway.evidence.view import View, open_views

Step = Callable[[int, int], None]
"""told what is done, and what there is in all"""
_DECIDED = f'"type":"{EventType.STATEMENT_DECIDED}"'.encode()
_FINISHED = f'"type":"{EventType.STATEMENT_FINISHED}"'.encode()


class Period(NamedTuple):
    """From when (inclusive) to when (exclusive), in nanoseconds since the epoch."""

    since_ns: int = 0
    until_ns: int = 1 << 63

    def holds(self, time_ns: int) -> bool:
        """Whether a moment lies in it."""
        return self.since_ns <= time_ns < self.until_ns


class Group(msgspec.Struct, frozen=True):
    """Decisions of one agent with the same input and the same answer. Hashes in hex, empty: there was none."""

    input: str
    answer: str
    subject: str
    connection: str
    bundle: str
    count: int
    example: str
    """one of the decisions"""


class Logged(NamedTuple):
    """A decided leaf, or one that says how a statement ended, and where it stands."""

    epoch: int
    number: int
    leaf: Leaf

    @property
    def decides(self) -> bool:
        """Which of the two."""
        return self.leaf.type == EventType.STATEMENT_DECIDED


class Past(Protocol):
    """A period of decisions that can be asked again."""

    def groups(self, step: Step) -> list[Group]:
        """All decisions of the period."""
        ...

    def bodies(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Documents by their hash; one that is not there any more is left out."""
        ...


class LoggedPast:
    """Out of the gateway's own log. Methods raise FileNotFoundError without a log; OSError, ValueError."""

    def __init__(self, data_dir: Path, period: Period, connections: Collection[str] = ()) -> None:
        """`connections`: only these; all when there are none."""
        self._period = period
        self._connections = frozenset(connections)
        self._views = list(open_views(data_dir))

    def groups(self, step: Step) -> list[Group]:
        """One pass over the leaves of the period."""
        counts: dict[tuple[str, str, str, str, str], int] = {}
        examples: dict[tuple[str, str, str, str, str], str] = {}
        for leaf in self.leaves(step):
            key = (_hex(leaf.in_), _hex(leaf.out), leaf.who.id if leaf.who else "", leaf.res, _hex(leaf.bundle))
            counts[key] = counts.get(key, 0) + 1
            examples.setdefault(key, leaf.did)
        return [Group(*key, counts[key], examples[key]) for key in counts]

    def leaves(self, step: Step) -> Iterator[Leaf]:
        """The decided leaves of the period."""
        return (each.leaf for each in self.logged(step) if each.decides)

    def logged(self, step: Step, *, ends: bool = False) -> Iterator[Logged]:
        """The same with their places; with every leaf, from the period on, that says how a statement ended.

        Read to the end: behind a leaf that says a later time there may be earlier ones, when somebody set the clock.
        """
        total = sum(view.size for view in self._views)
        done = 0
        for view in self._views:
            for index, data in view.upwards(self._first(view)):
                if index % WIDTH == 0:
                    step(done + index, total)
                if _DECIDED in data:
                    leaf = decode_leaf(data)
                    if self._period.holds(int(leaf.t)) and (not self._connections or leaf.res in self._connections):
                        yield Logged(view.reader.epoch, index, leaf)
                elif ends and _FINISHED in data:
                    yield Logged(view.reader.epoch, index, decode_leaf(data))
            done += view.size

    def bodies(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each is looked for in every epoch; one that was changed is as good as none."""
        for name in names:
            for view in self._views:
                with suppress(ValueError):
                    body = view.reader.body(name)
                    if body is not None:
                        yield name, body
                        break

    def _first(self, view: View) -> int:
        return view.block_before(max(self._period.since_ns - SLACK_NS, 0)) * WIDTH if view.blocks else 0


def _hex(name: str) -> str:
    return name.removeprefix(NAMED)
