"""Finds decisions in the log, latest first: one pass over the leaves, no index, nothing written.

Leaves are read block by block from the end, and a body only when everything the leaf itself says has matched, so a
search holds one block in memory and stops as soon as it has found enough or is past its time range.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.core.events import EventType
from gateway.evidence.leaf import NAMED, Leaf, decode_leaf
from gateway.evidence.note import Verifier
from gateway.evidence.tiles import WIDTH
from gateway.evidence.view import View, open_views

REMEMBERED: Final = 4096
SLACK_NS: Final = 60_000_000_000
"""how far the clock may have been set back without a leaf being passed over"""
_DECIDED: Final = f'"type":"{EventType.STATEMENT_DECIDED}"'.encode()
_FINISHED: Final = f'"type":"{EventType.STATEMENT_FINISHED}"'.encode()


class Query(NamedTuple):
    """What is looked for; everything given must hold. Texts are compared as they are written, `text` without case."""

    subject: str = ""
    """the agent, or the person it acted for"""
    connection: str = ""
    action: str = ""
    outcome: str = ""
    """of the decision (`deny`), or how the statement ended (`outcome_unknown`)"""
    code: str = ""
    """of a rule that contributed or of the gateway's own refusal"""
    relation: str = ""
    """`schema.name` or just the name"""
    label: str = ""
    """of a relation or column the statement touches"""
    text: str = ""
    """a part of the redacted statement"""
    session: str = ""
    since_ns: int = 0
    until_ns: int = 1 << 63


class Named(msgspec.Struct, frozen=True):
    """A relation or column of an input document, as far as a search looks."""

    name: str
    schema: str = ""
    relation: str = ""
    labels: tuple[str, ...] = ()


class Text(msgspec.Struct, frozen=True):
    """The statement of an input document, as far as a search looks."""

    text_redacted: str = ""
    relations: tuple[Named, ...] = ()
    columns: tuple[Named, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """An input document, as far as a search looks."""

    statement: Text = Text()


class Given(msgspec.Struct, frozen=True):
    """A reason of a decision document."""

    code: str


class Answered(msgspec.Struct, frozen=True):
    """A decision document, as far as a search looks."""

    reasons: tuple[Given, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """Why the gateway itself refused, in the facts of the leaf."""

    code: str = ""


class Refused(msgspec.Struct, frozen=True):
    """The facts of a decided leaf, as far as a search looks."""

    refused: Refusal = Refusal()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that was found."""

    epoch: int
    leaf: int
    did: str
    sid: str
    time_ns: int
    subject: str
    on_behalf_of: str
    connection: str
    action: str
    outcome: str
    ended: str
    """how it ended; empty when it was not let through, or runs still"""
    codes: tuple[str, ...]
    relations: tuple[str, ...]
    statement: str
    """redacted; empty when no input was stored"""


def search(data_dir: Path, query: Query, limit: int, verifier: Verifier | None = None) -> Iterator[Hit]:
    """At most `limit` decisions, the latest first. FileNotFoundError when there is no log; OSError, ValueError."""
    found = 0
    for view in open_views(data_dir, verifier):
        for hit in _in_epoch(view, query):
            yield hit
            found += 1
            if found == limit:
                return


def _in_epoch(view: View, query: Query) -> Iterator[Hit]:
    ends: dict[str, Leaf] = {}
    documents = Documents(view)
    for index, data in view.downwards(_end(view, query.until_ns)):
        if _FINISHED in data:
            leaf = decode_leaf(data)
            ends[leaf.did] = leaf
        elif _DECIDED in data:
            leaf = decode_leaf(data)
            if int(leaf.t) < query.since_ns - SLACK_NS:
                return
            hit = _match(documents, index, leaf, ends.pop(leaf.did, None), query)
            if hit is not None:
                yield hit


class Documents:
    """Input and decision documents of one epoch. Many decisions name the same ones, so the last are remembered."""

    def __init__(self, view: View) -> None:
        self.epoch = view.reader.epoch
        self._reader = view.reader
        self.statement = lru_cache(REMEMBERED)(self._statement)
        self.codes = lru_cache(REMEMBERED)(self._codes)

    def _statement(self, name: str) -> Text:
        """The statement of a leaf's `in`; an empty one when there is none, or it was shredded. Raises ValueError."""
        body = self._reader.body(name.removeprefix(NAMED)) if name else None
        return Text() if body is None else msgspec.json.decode(body, type=Asked).statement

    def _codes(self, name: str) -> tuple[str, ...]:
        """The codes of a leaf's `out`."""
        body = self._reader.body(name.removeprefix(NAMED)) if name else None
        return () if body is None else tuple(each.code for each in msgspec.json.decode(body, type=Answered).reasons)


def _end(view: View, until_ns: int) -> int:
    """The number behind the last leaf that can be old enough, with room for outcomes that came later."""
    last = view.block_at(min(until_ns + SLACK_NS, 1 << 63)) if view.blocks else 0
    return min(view.size, (last + 1) * WIDTH)


def _match(documents: Documents, index: int, leaf: Leaf, end: Leaf | None, query: Query) -> Hit | None:
    """A hit when leaf and bodies say what is looked for."""
    who, ended = leaf.who, end.outcome if end else ""
    wanted = (
        (query.subject, {who.id, who.on_behalf_of} if who else set()),
        (query.connection, {leaf.res}),
        (query.action, {leaf.act}),
        (query.outcome, {leaf.outcome, ended}),
        (query.session, {leaf.sid}),
    )
    if not all(not text or text in texts for text, texts in wanted):
        return None
    if not query.since_ns <= int(leaf.t) <= query.until_ns:
        return None
    statement = documents.statement(leaf.in_)
    own = msgspec.convert(leaf.facts(), Refused).refused.code
    codes = tuple(dict.fromkeys([*([own] if own else []), *documents.codes(leaf.out)]))
    if not _says(statement, codes, query):
        return None
    return Hit(
        epoch=documents.epoch,
        leaf=index,
        did=leaf.did,
        sid=leaf.sid,
        time_ns=int(leaf.t),
        subject=who.id if who else "",
        on_behalf_of=who.on_behalf_of if who else "",
        connection=leaf.res,
        action=leaf.act,
        outcome=leaf.outcome,
        ended=ended,
        codes=codes,
        relations=tuple(sorted({_full(relation) for relation in statement.relations})),
        statement=statement.text_redacted,
    )


def _says(statement: Text, codes: tuple[str, ...], query: Query) -> bool:
    """Whether the documents say what is looked for."""
    named = (*statement.relations, *statement.columns)
    return (
        (not query.code or query.code in codes)
        and (not query.relation or any(query.relation in {r.name, _full(r)} for r in statement.relations))
        and (not query.label or any(query.label in each.labels for each in named))
        and query.text.casefold() in statement.text_redacted.casefold()
    )


def _full(relation: Named) -> str:
    return f"{relation.schema}.{relation.name}" if relation.schema else relation.name
