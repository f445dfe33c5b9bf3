"""Searches an exported history (docs/reference/history.md) through DuckDB: the same questions, the same answers.

Conditions on what a statement says are worked out once for all decisions that are alike, by the code that reads the
log's own documents; DuckDB counts, sorts and cuts.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.cli.audit.index_desk import rules_of, values_of
from gateway.cli.policy.parquet import open_history, readable
from gateway.evidence.finder import Page
from gateway.evidence.index_query import Count
from gateway.evidence.search import Hit, Query, Text, codes_of, controls_of, matches, statement_of

ALIKE: Final = ("subject", "on_behalf_of", "connection", "action", "outcome", "bundle", "input", "answer", "refused")
"""columns by which decisions are alike"""
_BATCH: Final = 2000
_ORDER: Final = "ORDER BY d.time_ns DESC, d.epoch DESC, d.leaf DESC"


class _Alike(NamedTuple):
    """Decisions that differ only in time, session and end."""

    subject: str
    on_behalf_of: str
    connection: str
    action: str
    outcome: str
    bundle: str
    input: str
    answer: str
    refused: str


class HistoryDesk:
    """One exported history. Methods raise ValueError for a document that was changed, ConfigError for no history."""

    def __init__(self, folder: Path) -> None:
        self._database = open_history(folder)
        self._rules = rules_of(folder)

    def page(self, query: Query, limit: int, after: str = "") -> Page:
        """At most `limit` decisions, the latest first, behind the decision `after`: KeyError when there is none."""
        with readable():
            return self._page(query, limit, after)

    def facet(self, query: Query, name: str) -> list[Count]:
        """How decisions divide, the most frequent first."""
        with readable():
            return self._facet(query, name)

    def _page(self, query: Query, limit: int, after: str) -> Page:
        wanted = self._wanted(query)
        where, values = _conditions(query)
        source = f"FROM decisions d JOIN wanted w USING ({', '.join(ALIKE)}) WHERE {where}"
        total = self._number(f"SELECT count(*) {source}", values)
        if after:
            source += " AND (d.time_ns, d.epoch, d.leaf) < (?, ?, ?)"
            values = [*values, *self._place(after)]
        rows = self._database.execute(
            f"SELECT w.id, d.epoch, d.leaf, d.did, d.sid, d.time_ns, d.ended {source} {_ORDER} LIMIT ?",
            [*values, limit],
        ).fetchall()
        hits = (
            msgspec.structs.replace(
                wanted[row[0]], epoch=row[1], leaf=row[2], did=row[3], sid=row[4], time_ns=row[5], ended=row[6]
            )
            for row in rows
        )
        return Page(tuple(hits), total)

    def _facet(self, query: Query, name: str) -> list[Count]:
        wanted = self._wanted(query)
        where, values = _conditions(query)
        rows = self._database.execute(
            f"SELECT w.id, d.ended, count(*) FROM decisions d JOIN wanted w USING ({', '.join(ALIKE)})"  # noqa: S608 -- bound
            f" WHERE {where} GROUP BY w.id, d.ended",
            values,
        ).fetchall()
        counts: Counter[str] = Counter()
        for number, ended, decisions in rows:
            for value in values_of(msgspec.structs.replace(wanted[number], ended=ended), name):
                counts[value] += decisions
        return [Count(*pair) for pair in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]

    def _place(self, did: str) -> tuple[int, int, int]:
        found = self._database.execute(
            "SELECT time_ns, epoch, leaf FROM decisions WHERE did = ? ORDER BY epoch DESC, leaf DESC LIMIT 1", [did]
        ).fetchone()
        if found is None:
            raise KeyError(did)
        return int(found[0]), int(found[1]), int(found[2])

    def _number(self, sql: str, values: list[object]) -> int:
        found = self._database.execute(sql, values).fetchone()
        return int(found[0]) if found else 0

    def _wanted(self, query: Query) -> list[Hit]:
        """Those kinds of decisions that can be meant, which stand in the table `wanted` by their number here."""
        kept = [(alike, hit) for alike, hit in self._kinds if _may_match(hit, query) and matches(hit, query)]
        columns = ", ".join(f"{name} VARCHAR" for name in ALIKE)
        self._database.execute(f"CREATE OR REPLACE TEMP TABLE wanted (id BIGINT, {columns})")
        lists = [list(range(len(kept))), *([alike[at] for alike, _ in kept] for at in range(len(ALIKE)))]
        unnested = ", ".join("unnest(?)" for _ in lists)
        if kept:
            self._database.execute(f"INSERT INTO wanted SELECT {unnested}", lists)
        return [hit for _, hit in kept]

    @cached_property
    def _kinds(self) -> list[tuple[_Alike, Hit]]:
        rows = self._database.execute(f"SELECT DISTINCT {', '.join(ALIKE)} FROM decisions").fetchall()  # noqa: S608 -- our own
        kinds = [_Alike(*row) for row in rows]
        said = {name: statement_of(raw) for name, raw in self._documents("input")}
        given = {name: codes_of(raw) for name, raw in self._documents("answer")}
        return [(kind, self._hit(kind, said.get(kind.input, Text()), given.get(kind.answer, ()))) for kind in kinds]

    def _documents(self, column: str) -> Iterator[tuple[str, bytes]]:
        """Those that a column of decisions names. Raises ValueError for one that is not what it is named."""
        cursor = self._database.cursor()
        named = f"SELECT {column} FROM decisions"  # noqa: S608 -- our own
        cursor.execute(f"SELECT sha256, any_value(text) FROM documents WHERE sha256 IN ({named}) GROUP BY sha256")  # noqa: S608 -- our own
        while batch := cursor.fetchmany(_BATCH):
            for name, text in batch:
                raw = str(text).encode()
                if hashlib.sha256(raw).hexdigest() != name:
                    raise ValueError(f"the document {name} of the history was changed")
                yield str(name), raw

    def _hit(self, alike: _Alike, statement: Text, given: tuple[str, ...]) -> Hit:
        codes = tuple(dict.fromkeys([*([alike.refused] if alike.refused else []), *given]))
        return Hit(
            epoch=0,
            leaf=0,
            did="",
            sid="",
            time_ns=0,
            subject=alike.subject,
            on_behalf_of=alike.on_behalf_of,
            connection=alike.connection,
            action=alike.action,
            outcome=alike.outcome,
            ended="",
            codes=codes,
            controls=controls_of(self._rules(alike.bundle), codes) if alike.bundle else (),
            relations=statement.tables(),
            labels=statement.labels(),
            bundle=alike.bundle,
            statement=statement.text_redacted,
        )


def _may_match(hit: Hit, query: Query) -> bool:
    """What all decisions of a kind have in common."""
    return (
        query.subject in {"", hit.subject, hit.on_behalf_of}
        and query.connection in {"", hit.connection}
        and query.action in {"", hit.action}
        and hit.bundle.startswith(query.bundle)
    )


def _conditions(query: Query) -> tuple[str, list[object]]:
    """What each decision has of its own."""
    parts, values = ["d.time_ns >= ?", "d.time_ns <= ?"], list[object]([query.since_ns, query.until_ns])
    if query.session:
        parts.append("d.sid = ?")
        values.append(query.session)
    if query.outcome:
        parts.append("(d.outcome = ? OR d.ended = ?)")
        values += [query.outcome, query.outcome]
    return " AND ".join(parts), values
