"""Opens what a search asks: the index of a log, built up to it on the way; a plain pass over the log; an export."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import dropwhile, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from gateway.cli.audit.progress import Bar
from gateway.cli.audit.words import harmless
from gateway.cli.person import as_owner
from gateway.core.clock import SystemClock
from gateway.core.errors import GatewayError
from gateway.evidence.finder import Finder, Page
from gateway.evidence.index import FOLDER
from gateway.evidence.index_query import Count
from gateway.evidence.note import Verifier
from gateway.evidence.search import Hit, Query, Rules, search
from gateway.evidence.view import open_views
from gateway.policy.archive import read_archive
from gateway.policy.bundle import read_contents
from gateway.policy.store import BundleStore


class Searchable(Protocol):
    """Whatever can be searched."""

    def page(self, query: Query, limit: int, after: str = "") -> Page:
        """At most `limit` decisions, the latest first, behind the decision `after`: KeyError when there is none."""
        ...

    def facet(self, query: Query, name: str) -> list[Count]:
        """How decisions divide, the most frequent first."""
        ...


@contextmanager
def open_finder(data_dir: Path, verifier: Verifier | None = None, place: Path | None = None) -> Iterator[Finder]:
    """The index of a data folder's log, in `place` if that is given. Raises FileNotFoundError, OSError, ValueError.

    A folder that cannot be written to (a copy) gets an index for this once.
    """
    bar = Bar(sys.stderr, SystemClock(), "leaves")
    views = list(open_views(data_dir, verifier))
    with _place(data_dir, place) as folder, as_owner(data_dir):
        finder = Finder(views, folder, rules=rules_of(data_dir), say=tell, progress=bar)
        with closing(finder):
            _ = finder.index
            bar.clear()
            yield finder


@contextmanager
def _place(data_dir: Path, place: Path | None) -> Iterator[Path]:
    if place is not None:
        yield place
    elif os.access(data_dir, os.W_OK | os.X_OK):
        yield data_dir / FOLDER
    else:
        with TemporaryDirectory(prefix="querywarden-index-") as once:
            tell("the data folder cannot be written to: this index is for once; --index DIR keeps it elsewhere")
            yield Path(once) / FOLDER


def tell(text: str) -> None:
    """Say something beside the answer."""
    sys.stderr.write(harmless(text) + "\n")


def rules_of(data_dir: Path) -> Rules:
    """The controls of the rules of bundles that are kept in a folder."""
    store = BundleStore(data_dir)

    @lru_cache(256)
    def read(bundle: str) -> Mapping[str, tuple[str, ...]]:
        try:
            raw = store.read(bundle)
            rules = read_contents(read_archive(raw)).metadata.querywarden.rules if raw else ()
        except (GatewayError, ValueError, OSError):
            return {}
        return {rule.code: rule.controls for rule in rules}

    return read


class Latest:
    """The log itself, and no further than to the first that is found from its end: counts nothing."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def page(self, query: Query, limit: int, after: str = "") -> Page:
        """One, or none."""
        hit = self._finder.latest(query) if limit and not after else None
        return Page((hit,), 1) if hit else Page((), 0)

    def facet(self, query: Query, name: str) -> list[Count]:
        """Of that one."""
        hit = self._finder.latest(query)
        return counted(iter((hit,) if hit else ()), name)


class Pass:
    """Without an index: one pass over the whole log for each question. What the index is held against."""

    def __init__(self, data_dir: Path) -> None:
        self._ask: Callable[[Query], Iterator[Hit]] = lambda query: search(data_dir, query, 0, rules=rules_of(data_dir))

    def page(self, query: Query, limit: int, after: str = "") -> Page:
        """Counts all the others on the way."""
        hits = self._ask(query)
        before = 0
        if after:
            hits = dropwhile(lambda hit: hit.did != after, hits)
            if next(hits, None) is None:
                raise KeyError(after)
            before = 1 + sum(1 for _ in _until(self._ask(query), after))
        found = tuple(islice(hits, limit))
        return Page(found, before + len(found) + sum(1 for _ in hits))

    def facet(self, query: Query, name: str) -> list[Count]:
        """By counting."""
        return counted(self._ask(query), name)


def _until(hits: Iterator[Hit], did: str) -> Iterator[Hit]:
    for hit in hits:
        if hit.did == did:
            return
        yield hit


def counted(hits: Iterator[Hit], name: str) -> list[Count]:
    """How these decisions divide by a facet."""
    counts = Counter(value for hit in hits for value in values_of(hit, name))
    return [Count(*pair) for pair in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def values_of(hit: Hit, name: str) -> tuple[str, ...]:
    """The values that a decision has in a facet."""
    if name in _SETS:
        return tuple(getattr(hit, _SETS[name]))
    value = str(getattr(hit, _NAMES.get(name, name)))
    return () if name == "ended" and not value else (value,)


_SETS: Final = {"relation": "relations", "label": "labels", "rule": "codes", "control": "controls"}
_NAMES: Final = {"agent": "subject", "person": "on_behalf_of"}
"""facet → field of a hit, where they are called otherwise"""
