"""What the index says: where decisions are that a query means, how many, and how they divide. Everything is bound."""

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.evidence.index import Index, key_of, place_of, split_place
from gateway.evidence.index_build import folded_of
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
from gateway.evidence.search import Query

MANY: Final = 20_000
"""so many decisions are walked through by time until enough are found; fewer are gathered and sorted"""
SHORTEST: Final = 3
"""characters that the full-text index can look for"""
FACETS: Final = (
    "agent",
    "person",
    "connection",
    "action",
    "outcome",
    "bundle",
    "relation",
    "label",
    "rule",
    "control",
    "ended",
)
_IN_SETS: Final = {
    "relation": ("asked_term", "asked", RELATION),
    "label": ("asked_term", "asked", LABEL),
    "rule": ("reasons_term", "reasons", RULE),
    "control": ("reasons_term", "reasons", CONTROL),
}
"""facet → table, the column of a shape that it belongs to, kind of term"""


_TERM: Final = "(SELECT id FROM term WHERE kind = ? AND value = ?)"


class Place(NamedTuple):
    """Where a decision is said to be."""

    number: int
    """in the index"""
    origin: str
    leaf: int
    end_leaf: int | None
    """of the leaf that says how it ended"""
    time_ns: int


class Count(NamedTuple):
    """How many decisions have a value."""

    value: str
    decisions: int


class _Condition:
    """A WHERE that grows; every value is bound."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[object] = []

    def add(self, sql: str, *values: object) -> None:
        self.parts.append(sql)
        self.values += values

    def text(self) -> str:
        return " AND ".join(self.parts) or "1"


def count(index: Index, query: Query) -> int:
    """How many decisions are meant. Raises Damaged."""
    where = _decisions(index, query)
    found = index.one(f"SELECT count(*) FROM decision d WHERE {where.text()}", *where.values)  # noqa: S608 -- bound
    return found if isinstance(found, int) else 0


def find(index: Index, query: Query, limit: int, after: Place | None = None, total: int = 0) -> Iterator[Place]:
    """At most `limit` of them, the latest first, those behind `after`. `total`: what `count` says. Raises Damaged."""
    where = _decisions(index, query)
    if after is not None:
        where.add("(d.t, d.id) < (?, ?)", after.time_ns, after.number)
    by = "NOT INDEXED" if not where.parts else ""
    if total > MANY:
        by = "INDEXED BY decision_t"
    order = "ORDER BY d.t DESC, d.id DESC LIMIT ?"
    sql = f"SELECT d.id, d.end_leaf, d.t FROM decision d {by} WHERE {where.text()} {order}"  # noqa: S608 -- bound
    rows = index.database.execute(sql, [*where.values, limit]).fetchall()
    origins = _origins(index)
    for number, end_leaf, time_ns in rows:
        log, leaf = split_place(number)
        yield Place(number, origins.get(log, ""), leaf, end_leaf, time_ns)


def places(index: Index, did: str) -> list[Place]:
    """Every place at which a decision's id stands. Raises Damaged."""
    origins = _origins(index)
    rows = index.database.execute("SELECT id, end_leaf, t FROM decision WHERE did = ? ORDER BY id", (key_of(did),))
    found = []
    for number, end_leaf, time_ns in rows:
        log, leaf = split_place(number)
        found.append(Place(number, origins.get(log, ""), leaf, end_leaf, time_ns))
    return found


def in_force(index: Index, place: Place, bundle: str) -> Place | None:
    """The leaf by which a bundle (hex) last came into force before a decision. Raises Damaged."""
    sql = (
        "SELECT max(f.id) FROM force f JOIN term t ON t.id = f.bundle WHERE t.kind = ? AND t.value = ? AND f.id < ?"
        " AND f.id >= ?"
    )
    log, _ = split_place(place.number)
    found = index.one(sql, BUNDLE, bundle, place.number, place_of(log, 0))
    return None if not isinstance(found, int) else Place(found, place.origin, split_place(found)[1], None, 0)


def facet(index: Index, query: Query, name: str) -> list[Count]:
    """How the decisions that are meant divide by one of FACETS, the most frequent first. Raises Damaged."""
    where = _decisions(index, query)
    shapes = f"SELECT d.shape AS shape, count(*) AS n FROM decision d WHERE {where.text()} GROUP BY d.shape"  # noqa: S608 -- bound
    if name in _IN_SETS:
        table, column, kind = _IN_SETS[name]
        sql = (
            f"SELECT t.value, sum(c.n) FROM ({shapes}) c JOIN shape s ON s.id = c.shape"  # noqa: S608 -- our own names
            f" JOIN {table} x ON x.{column} = s.{column} JOIN term t ON t.id = x.term AND t.kind = {kind}"
        )
    elif name == "ended":
        where.add("d.ended IS NOT NULL")
        sql = f"SELECT t.value, count(*) FROM decision d JOIN term t ON t.id = d.ended WHERE {where.text()}"  # noqa: S608 -- bound
    else:
        sql = (
            f"SELECT t.value, sum(c.n) FROM ({shapes}) c JOIN shape s ON s.id = c.shape JOIN term t ON t.id = s.{name}"  # noqa: S608 -- our own names
        )
    rows = index.database.execute(f"{sql} GROUP BY t.value ORDER BY 2 DESC, 1", where.values)
    return [Count(str(value), int(number)) for value, number in rows]


def _origins(index: Index) -> dict[int, str]:
    return {int(number): str(origin) for number, origin in index.database.execute("SELECT id, origin FROM log")}


def _decisions(index: Index, query: Query) -> _Condition:
    """Conditions on `decision d`."""
    where, shapes = _Condition(), _shapes(index, query)
    if query.outcome:
        _add_outcome(index, where, shapes, query.outcome)
    if query.session:
        where.add("d.session = (SELECT id FROM session WHERE sid = ?)", query.session)
    if shapes.parts:
        where.add(f"d.shape IN (SELECT s.id FROM shape s WHERE {shapes.text()})", *shapes.values)  # noqa: S608 -- bound
    if query.since_ns > 0:
        where.add("d.t >= ?", query.since_ns)
    if query.until_ns < Query().until_ns:
        where.add("d.t <= ?", query.until_ns)
    return where


def _add_outcome(index: Index, where: _Condition, shapes: _Condition, outcome: str) -> None:
    """Of the decision, or of the statement: hardly any word is both, and for one alone the shapes may be enough."""
    decided = index.one(f"SELECT {_TERM}", OUTCOME, outcome) is not None
    if index.one(f"SELECT {_TERM}", ENDED, outcome) is None:
        shapes.add(f"s.outcome = {_TERM}", OUTCOME, outcome)
    elif not decided:
        where.add(f"d.ended = {_TERM}", ENDED, outcome)
    else:
        shape = f"d.shape IN (SELECT s.id FROM shape s WHERE s.outcome = {_TERM})"  # noqa: S608 -- bound
        where.add(f"({shape} OR d.ended = {_TERM})", OUTCOME, outcome, ENDED, outcome)


def _shapes(index: Index, query: Query) -> _Condition:
    """Conditions on `shape s`."""
    where = _Condition()
    if query.subject:
        where.add(f"(s.agent = {_TERM} OR s.person = {_TERM})", AGENT, query.subject, PERSON, query.subject)
    if query.connection:
        where.add(f"s.connection = {_TERM}", CONNECTION, query.connection)
    if query.action:
        where.add(f"s.action = {_TERM}", ACTION, query.action)
    if query.bundle:
        starts = "SELECT id FROM term WHERE kind = ? AND substr(value, 1, ?) = ?"
        where.add(f"s.bundle IN ({starts})", BUNDLE, len(query.bundle), query.bundle)
    _add_sets(where, query)
    if query.text or query.statement:
        said = _said(index, query)
        asked = f"SELECT a.id FROM asked a WHERE a.said IN (SELECT w.id FROM said w WHERE {said.text()})"  # noqa: S608 -- bound
        where.add(f"s.asked IN ({asked})", *said.values)
    return where


def _add_sets(where: _Condition, query: Query) -> None:
    ends = "kind = ? AND (value = ? OR substr(value, -?) = ?)"
    if query.relation:
        dotted = f".{query.relation}"
        _add_set(where, "relation", ends, RELATION, query.relation, len(dotted), dotted)
    if query.label:
        _add_set(where, "label", "kind = ? AND value = ?", LABEL, query.label)
    if query.code:
        _add_set(where, "rule", "kind = ? AND value = ?", RULE, query.code)
    if query.control:
        slashed = f"/{query.control}"
        _add_set(where, "control", ends, CONTROL, query.control, len(slashed), slashed)


def _add_set(where: _Condition, name: str, terms: str, *values: object) -> None:
    table, column, _ = _IN_SETS[name]
    inner = f"SELECT {column} FROM {table} WHERE term IN (SELECT id FROM term WHERE {terms})"  # noqa: S608 -- our own names
    where.add(f"s.{column} IN ({inner})", *values)


def _said(index: Index, query: Query) -> _Condition:
    """Conditions on `said w`."""
    where = _Condition()
    if query.text:
        folded = folded_of(query.text)
        if index.has_words and len(folded) >= SHORTEST:
            phrase = '"' + folded.replace('"', '""') + '"'
            where.add("w.id IN (SELECT rowid FROM word WHERE word MATCH ?)", phrase)
        where.add("instr(w.folded, ?) > 0", folded)
    if query.statement:
        where.add("w.sha256 = ?", hashlib.sha256(query.statement.encode("utf-8", "replace")).digest())
    return where
