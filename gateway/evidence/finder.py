"""Finds decisions by the index and believes only the log: each hit is read from its leaf before it is handed out.

An index that points at something else than it says is thrown away and built again, once, and that is said. What it
leaves out or counts wrong cannot be seen from here, but for a decision that is asked for by its id: for that there is
`index_compare`, beside one derived anew.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from gateway.core.events import EventType
from gateway.evidence.explain import knows
from gateway.evidence.index import FILE, Damaged, Index, alone, create, trouble_of
from gateway.evidence.index_build import OtherLog, Progress, update
from gateway.evidence.index_query import Count, Place, count, facet, find, in_force, places
from gateway.evidence.leaf import Leaf, LeafError, decode_leaf
from gateway.evidence.search import Documents, Hit, Query, Rules, hit_of, matches, may_match, search_in
from gateway.evidence.view import View

Say = Callable[[str], None]
Answer = TypeVar("Answer")


class Disagrees(ValueError):
    """The index says something else than the log. The text says what."""


class Page(NamedTuple):
    """Some of what was found."""

    hits: tuple[Hit, ...]
    total: int
    """how many there are in all, by the index"""


class Found(NamedTuple):
    """Where the leaves are that tell of a decision."""

    view: View
    decided: int
    finished: int | None
    activated: int | None
    """brought its bundle into force"""


class Finder:
    """One moment of a log, and its index. Methods raise OSError and ValueError, and ConfigError for a linked index."""

    def __init__(
        self, views: Sequence[View], folder: Path, *, rules: Rules, say: Say, progress: Progress | None = None
    ) -> None:
        """`folder` is the index's own; `say` is told of everything but a small step forward."""
        self._views = list(views)
        self._by_origin = {view.reader.verifier.name: view for view in self._views}
        self._path = folder / FILE
        self._rules, self._say, self._progress = rules, say, progress
        self._documents = {name: Documents(view, rules) for name, view in self._by_origin.items()}
        self._index: Index | None = None

    @property
    def index(self) -> Index:
        """Up to the log, as it was when this began."""
        if self._index is None:
            self._index = self.refresh()
        return self._index

    def refresh(self) -> Index:
        """Bring the index up to the log; build it anew when it is of no use."""
        with alone(self._path.parent):
            return self._opened()

    def _opened(self) -> Index:
        if not self._path.exists():
            return self._built("")
        try:
            index = Index(self._path)
            trouble = index.why_not
            if not trouble:
                update(index, self._views, self._rules, self._progress)
                return index
        except OtherLog as other:
            trouble = str(other)
        except PermissionError:
            trouble = "it belongs to somebody else"
        except Damaged as damage:
            trouble = trouble_of(damage)
        return self._built(trouble)

    def _built(self, why: str) -> Index:
        """A new one."""
        if why:
            self._say(f"the index is built again from the log: {why}")
        try:
            create(self._path)
            index = Index(self._path)
            update(index, self._views, self._rules, self._progress)
        except Damaged as damage:
            raise OSError(None, f"the index cannot be written: {damage}", str(self._path)) from damage
        return index

    def page(self, query: Query, limit: int, after: str = "") -> Page:
        """At most `limit` decisions, the latest first, behind the decision `after`: KeyError when there is none."""

        def ask() -> Page:
            total = count(self.index, query)
            start = self._place(after) if after else None
            found = find(self.index, query, limit, start, total)
            return Page(tuple(self._hit(place, query) for place in found), total)

        return self._believed(ask)

    def facet(self, query: Query, name: str) -> list[Count]:
        """How decisions divide, by the index."""
        return self._believed(lambda: facet(self.index, query, name))

    def latest(self, query: Query) -> Hit | None:
        """The last decision, by the log and without the index: reads from its end as far as there is none."""
        return next(search_in(self._views, query, 1, self._rules), None)

    def places(self, did: str) -> list[Found]:
        """Every decision with this id: there is one, unless somebody made another.

        That there is none is what the log says, read from end to end, and not only the index.
        """

        def ask() -> list[Found]:
            return [self._told(place, did) for place in places(self.index, did)]

        found = self._believed(ask)
        if not found and any(knows(view, did) for view in self._views):
            self._distrust(f"it leaves out {did}")
            found = ask()
        return found

    def _distrust(self, why: str) -> None:
        """Build the index anew: what it left out cannot be seen from what it finds, but somebody has seen it."""
        self.close()
        with alone(self._path.parent):
            self._index = self._built(why)

    def close(self) -> None:
        """Let go of the file."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def _believed(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except Disagrees as lie:
            trouble = str(lie)
        except Damaged as damage:
            trouble = trouble_of(damage)
        self._distrust(trouble)
        return ask()

    def _place(self, did: str) -> Place:
        found = places(self.index, did)
        if not found:
            raise KeyError(did)
        return found[-1]

    def _hit(self, place: Place, query: Query) -> Hit:
        """The decision at a place, by the log. Raises Disagrees."""
        leaf, end = self._leaf(place, place.leaf), None
        if leaf.type != EventType.STATEMENT_DECIDED or int(leaf.t) != place.time_ns:
            raise Disagrees(f"leaf {place.leaf} of {place.origin} is not the decision it says")
        if place.end_leaf is not None:
            end = self._leaf(place, place.end_leaf)
            if end.type != EventType.STATEMENT_FINISHED or end.did != leaf.did:
                raise Disagrees(f"leaf {place.end_leaf} of {place.origin} is not the end of {leaf.did}")
        hit = hit_of(self._documents[place.origin], place.leaf, leaf, end)
        if not (may_match(leaf, hit.ended, query) and matches(hit, query)):
            raise Disagrees(f"leaf {place.leaf} of {place.origin} is not what was asked for")
        return hit

    def _told(self, place: Place, did: str) -> Found:
        hit = self._hit(place, Query())
        if hit.did != did:
            raise Disagrees(f"leaf {place.leaf} of {place.origin} is not {did}")
        force = in_force(self.index, place, hit.bundle) if hit.bundle else None
        if force is not None:
            leaf = self._leaf(force, force.leaf)
            if leaf.bundle != f"sha256:{hit.bundle}" or not leaf.type.startswith("bundle."):
                raise Disagrees(f"leaf {force.leaf} of {force.origin} brought no bundle into force")
        view = self._by_origin[place.origin]
        return Found(view, place.leaf, place.end_leaf, force.leaf if force else None)

    def _leaf(self, place: Place, number: int) -> Leaf:
        view = self._by_origin.get(place.origin)
        if view is None:
            raise Disagrees(f"there is no log {place.origin}")
        if not view.begin <= number < view.size:
            raise Disagrees(f"{place.origin} has no leaf {number}")
        try:
            return decode_leaf(view.leaf(number))
        except LeafError as error:
            raise Disagrees(f"leaf {number} of {place.origin} cannot be read") from error
