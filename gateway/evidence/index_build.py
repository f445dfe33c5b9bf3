"""Brings the search index up to the log: leaf by leaf, from where it stands, in transactions of their own.

Where it stands is known by the hash of the last leaf that was taken in, which no other leaf has (each has a salt). What
was taken in behind the checkpoint may be lost in a crash: then the index goes back to the last leaf that was signed. If
that is not there either, it is an index of another log.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from gateway.core.events import EventType
from gateway.evidence.index import Index, key_of, place_of
from gateway.evidence.index_forget import forget_pruned
from gateway.evidence.index_schema import (
    ACTION,
    AGENT,
    BUNDLE,
    CONNECTION,
    CONTROL,
    ENDED,
    LABEL,
    OUTCOME,
    PERSON,
    RELATION,
    RULE,
)
from gateway.evidence.leaf import NAMED, Leaf, decode_leaf
from gateway.evidence.merkle import leaf_hash
from gateway.evidence.search import Documents, Rules, Text, controls_of, refusal_of
from gateway.evidence.view import View

BATCH: Final = 20_000
"""leaves in a transaction"""
MAX_CACHED: Final = 200_000
Progress = Callable[[int, int], None]
_DECIDED, _FINISHED = EventType.STATEMENT_DECIDED.value, EventType.STATEMENT_FINISHED.value
_FORCES: Final = frozenset({EventType.BUNDLE_ACTIVATED.value, EventType.BUNDLE_ROLLED_BACK.value})
_WANTED: Final = tuple(f'"type":"{name}"'.encode() for name in (_DECIDED, _FINISHED, *sorted(_FORCES)))


class OtherLog(Exception):
    """The index is of another log than the one that lies here. The text says how that is known."""


class _Standing(NamedTuple):
    """How far a log has been taken in."""

    log: int
    done: int


def update(index: Index, views: Iterable[View], rules: Rules, progress: Progress | None = None) -> int:
    """Take in what is new; how many leaves that were. Raises OtherLog, Damaged, OSError, ValueError."""
    taken, known, names = 0, set(_origins(index)), _Names(index)
    for view in sorted(views, key=lambda view: view.reader.epoch):
        origin = view.reader.verifier.name
        known.discard(origin)
        with index.writing():
            standing = _standing(index, view, origin)
            forget_pruned(index, standing.log, view.begin)
        while standing.done < view.size:
            with index.writing():
                standing = _standing(index, view, origin)
                last = _Batch(names, view, standing.log, rules).run(standing.done)
            taken += last - standing.done
            standing = _Standing(standing.log, last)
            if progress is not None:
                progress(last, view.size)
    if known:
        raise OtherLog(f"it knows {', '.join(sorted(known))}, which does not lie here")
    return taken


def _origins(index: Index) -> Iterator[str]:
    for (origin,) in index.database.execute("SELECT origin FROM log"):
        yield str(origin)


def _standing(index: Index, view: View, origin: str) -> _Standing:
    """Where to go on. Raises OtherLog."""
    row = index.database.execute("SELECT id, done, last, kept, kept_last FROM log WHERE origin = ?", (origin,))
    found = row.fetchone()
    if found is None:
        insert = "INSERT INTO log (origin, done, last, kept, kept_last) VALUES (?, 0, x'', 0, x'')"
        return _Standing(int(index.database.execute(insert, (origin,)).lastrowid or 0), 0)
    log, done, last, kept, kept_last = found
    if _is_at(view, done, last):
        return _Standing(log, done)
    if not _is_at(view, kept, kept_last):
        raise OtherLog(f"the leaves of {origin} are others")
    _go_back(index, log, kept)
    return _Standing(log, kept)


def _is_at(view: View, done: int, last: bytes) -> bool:
    """Whether the leaf before `done` is the one that was there."""
    if not done or done > view.size:
        return not done
    if done > view.signed:
        return leaf_hash(view.leaf(done - 1)) == last
    return view.reader.node()(0, done - 1) == last  # the leaf may be pruned; its hash stays


def _go_back(index: Index, log: int, done: int) -> None:
    """Forget what was taken in from leaf `done` on."""
    start, stop = place_of(log, done), place_of(log + 1, 0)
    first = place_of(log, 0)
    sets = "UPDATE decision SET ended = NULL, end_leaf = NULL WHERE id >= ? AND id < ? AND end_leaf >= ?"
    index.database.execute("DELETE FROM decision WHERE id >= ? AND id < ?", (start, stop))
    index.database.execute("DELETE FROM force WHERE id >= ? AND id < ?", (start, stop))
    index.database.execute(sets, (first, start, done))


class _Batch:
    """One transaction over one log."""

    def __init__(self, names: "_Names", view: View, log: int, rules: Rules) -> None:
        names.keep_small()
        self._names, self._view, self._log = names, view, log
        self._documents = Documents(view, rules)
        self._rows: list[list[object]] = []
        self._open: dict[str, list[object]] = {}
        self._ends: list[tuple[int, int, bytes, int, int]] = []
        self._forces: list[tuple[int, int]] = []

    def run(self, start: int) -> int:
        """Take in at most BATCH leaves; the number behind the last one."""
        number, data = start - 1, b""
        for number, data in islice(self._view.upwards(start), BATCH):
            if any(mark in data for mark in _WANTED):
                self._take(number, decode_leaf(data))
        done = number + 1
        if not data:
            return self._view.size  # all that is new was pruned before it was seen
        self._write()
        self._remember(done, data)
        return done

    def _take(self, number: int, leaf: Leaf) -> None:
        if leaf.type == _DECIDED:
            place, session = place_of(self._log, number), self._names.session(leaf.sid)
            row: list[object] = [place, int(leaf.t), key_of(leaf.did), session, self._shape(leaf), None, None]
            self._rows.append(row)
            self._open[leaf.did] = row
        elif leaf.type == _FINISHED:
            self._end(number, leaf)
        elif leaf.type in _FORCES:
            bundle = self._names.term(BUNDLE, leaf.bundle.removeprefix(NAMED))
            self._forces.append((place_of(self._log, number), bundle))

    def _end(self, number: int, leaf: Leaf) -> None:
        ended, row = self._names.term(ENDED, leaf.outcome), self._open.get(leaf.did)
        if row is not None:
            row[-2:] = ended, number
        else:
            first, stop = place_of(self._log, 0), place_of(self._log + 1, 0)
            self._ends.append((ended, number, key_of(leaf.did), first, stop))

    def _shape(self, leaf: Leaf) -> int:
        who = leaf.who
        agent, person = (who.id, who.on_behalf_of) if who else ("", "")
        own = refusal_of(leaf)
        key = (agent, person, leaf.res, leaf.act, leaf.outcome, leaf.bundle, leaf.in_, leaf.out, own)
        found = self._names.shapes.get(key)
        if found is None:
            found = self._names.shapes[key] = self._new_shape(leaf, agent, person, own)
        return found

    def _new_shape(self, leaf: Leaf, agent: str, person: str, own: str) -> int:
        term, bundle = self._names.term, leaf.bundle.removeprefix(NAMED)
        return self._names.shape(
            term(AGENT, agent),
            term(PERSON, person),
            term(CONNECTION, leaf.res),
            term(ACTION, leaf.act),
            term(OUTCOME, leaf.outcome),
            term(BUNDLE, bundle),
            self._asked(leaf.in_),
            self._reasons(leaf.out, own, bundle),
        )

    def _asked(self, name: str) -> int:
        known = self._names.asked(name)
        if known is not None:
            return known
        statement = self._statement(name)
        terms = [(RELATION, table) for table in statement.tables()] + [(LABEL, label) for label in statement.labels()]
        return self._names.new_asked(name, statement.text_redacted, terms)

    def _reasons(self, name: str, own: str, bundle: str) -> int:
        key = f"{name} {own} {bundle}"
        known = self._names.reasons(key)
        if known is not None:
            return known
        codes = (*([own] if own else []), *self._codes(name))
        controls = controls_of(self._documents.rules(bundle), codes) if bundle else ()
        return self._names.new_reasons(key, [(RULE, code) for code in codes] + [(CONTROL, each) for each in controls])

    def _statement(self, name: str) -> Text:
        """One damaged document must not keep all others from being found; `audit verify` names it."""
        try:
            return self._documents.statement(name)
        except ValueError:
            return Text()

    def _codes(self, name: str) -> tuple[str, ...]:
        try:
            return self._documents.codes(name)
        except ValueError:
            return ()

    def _write(self) -> None:
        database = self._names.index.database
        database.executemany("INSERT OR REPLACE INTO decision VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows)
        database.executemany(
            "UPDATE decision SET ended = ?, end_leaf = ? WHERE did = ? AND id >= ? AND id < ?", self._ends
        )
        database.executemany("INSERT OR REPLACE INTO force VALUES (?, ?)", self._forces)

    def _remember(self, done: int, data: bytes) -> None:
        last = leaf_hash(data)
        sets, values = "done = ?, last = ?", [done, last]
        if done <= self._view.signed:
            sets, values = f"{sets}, kept = ?, kept_last = ?", [*values, done, last]
        self._names.index.database.execute(f"UPDATE log SET {sets} WHERE id = ?", [*values, self._log])  # noqa: S608 -- our own


class _Names:
    """Numbers of texts, sets and shapes: those that are known from the file, remembered, the others made."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.shapes: dict[tuple[str, ...], int] = {}
        self._terms: dict[tuple[int, str], int] = {}
        self._sessions: dict[str, int] = {}

    def keep_small(self) -> None:
        """Remember nothing when it has become too much."""
        for known in (self.shapes, self._terms, self._sessions):
            if len(known) > MAX_CACHED:
                known.clear()

    def term(self, kind: int, value: str) -> int:
        """The number of a text."""
        key = (kind, value)
        found = self._terms.get(key)
        if found is None:
            found = self._terms[key] = self._number("term", ("kind", "value"), key)
        return found

    def session(self, sid: str) -> int:
        """The number of a session."""
        found = self._sessions.get(sid)
        if found is None:
            found = self._sessions[sid] = self._number("session", ("sid",), (sid,))
        return found

    def shape(self, *parts: int) -> int:
        """The number of a shape."""
        columns = ("agent", "person", "connection", "action", "outcome", "bundle", "asked", "reasons")
        return self._number("shape", columns, parts)

    def asked(self, name: str) -> int | None:
        """The number of an input document that is known."""
        return self._find("asked", ("sha256",), (_raw(name),))

    def new_asked(self, name: str, text: str, terms: Iterable[tuple[int, str]]) -> int:
        """The number of a new one."""
        number = self._number("asked", ("sha256", "said"), (_raw(name), self._said(text)))
        self._set("asked_term", number, terms)
        return number

    def reasons(self, key: str) -> int | None:
        """The number of an answer under a bundle that is known."""
        return self._find("reasons", ("name",), (key,))

    def new_reasons(self, key: str, terms: Iterable[tuple[int, str]]) -> int:
        """The number of a new one."""
        number = self._number("reasons", ("name",), (key,))
        self._set("reasons_term", number, terms)
        return number

    def _said(self, text: str) -> int:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        found = self._find("said", ("sha256",), (digest,))
        if found is None:
            folded = folded_of(text)
            found = self._number("said", ("sha256", "folded"), (digest, folded))
            if self.index.has_words:
                self.index.database.execute("INSERT INTO word (rowid, folded) VALUES (?, ?)", (found, folded))
        return found

    def _set(self, table: str, number: int, terms: Iterable[tuple[int, str]]) -> None:
        rows = [(number, self.term(*each)) for each in terms]
        self.index.database.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", rows)  # noqa: S608 -- our own

    def _number(self, table: str, columns: tuple[str, ...], values: tuple[object, ...]) -> int:
        found = self._find(table, columns, values)
        if found is not None:
            return found
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 -- our own names
        return int(self.index.database.execute(insert, values).lastrowid or 0)

    def _find(self, table: str, columns: tuple[str, ...], values: tuple[object, ...]) -> int | None:
        where = " AND ".join(f"{column} = ?" for column in columns)
        row = self.index.database.execute(f"SELECT id FROM {table} WHERE {where}", values).fetchone()  # noqa: S608 -- our own
        return None if row is None else int(row[0])


def folded_of(text: str) -> str:
    """A text as it is searched: without case, and fit to be stored."""
    return text.casefold().replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _raw(name: str) -> bytes:
    return bytes.fromhex(name.removeprefix(NAMED))
