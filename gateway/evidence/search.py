"""What can be asked of the decisions in the log, and the log's own answer: one pass over its leaves, nothing written.

Leaves are read block by block from the end, and a body only when everything the leaf itself says has matched, so a
search holds one block in memory and stops as soon as it has found enough or is past its time range. The index (`index`)
answers the same questions faster; what it finds is read here, from its leaf, before anybody sees it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import msgspec

from gateway.core.events import EventType
from gateway.evidence.leaf import NAMED, Leaf, decode_leaf
from gateway.evidence.note import Verifier
from gateway.evidence.tiles import WIDTH
from gateway.evidence.view import View, open_views

REMEMBERED: Final = 4096
SLACK_NS: Final = 60_000_000_000
"""how far the clock may have been set back without a leaf being passed over"""
MAX_NS: Final = (1 << 63) - 1
_DECIDED: Final = f'"type":"{EventType.STATEMENT_DECIDED}"'.encode()
_FINISHED: Final = f'"type":"{EventType.STATEMENT_FINISHED}"'.encode()

Rules: TypeAlias = Callable[[str], Mapping[str, tuple[str, ...]]]
"""hex sha256 of a bundle → the controls of each code that its rules give; empty when the bundle is not kept"""


def no_rules(_: str) -> Mapping[str, tuple[str, ...]]:
    """Nothing is known of any bundle."""
    return {}


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
    control: str = ""
    """that one of its rules serves: `PCI-DSS-4.0.1/3.4.1`, or what stands behind the slash"""
    relation: str = ""
    """`schema.name` or just the name"""
    label: str = ""
    """of a relation or column the statement touches"""
    bundle: str = ""
    """the first digits of its sha256"""
    text: str = ""
    """a part of the redacted statement"""
    statement: str = ""
    """the whole redacted statement"""
    session: str = ""
    since_ns: int = 0
    until_ns: int = MAX_NS


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

    def tables(self) -> tuple[str, ...]:
        """`schema.name` of its relations, sorted."""
        return tuple(sorted({_full(relation) for relation in self.relations}))

    def labels(self) -> tuple[str, ...]:
        """Of its relations and columns, sorted."""
        return tuple(sorted({label for each in (*self.relations, *self.columns) for label in each.labels}))


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
    controls: tuple[str, ...]
    """that its rules serve, as far as its bundle is kept"""
    relations: tuple[str, ...]
    labels: tuple[str, ...]
    bundle: str
    """hex"""
    statement: str
    """redacted; empty when no input was stored"""


def search(
    data_dir: Path, query: Query, limit: int, verifier: Verifier | None = None, rules: Rules = no_rules
) -> Iterator[Hit]:
    """At most `limit` decisions, the latest first. FileNotFoundError when there is no log; OSError, ValueError."""
    yield from search_in(open_views(data_dir, verifier), query, limit, rules)


def search_in(views: Iterable[View], query: Query, limit: int, rules: Rules = no_rules) -> Iterator[Hit]:
    """The same in epochs that are open, the newest first."""
    found = 0
    for view in views:
        for hit in _in_epoch(view, query, rules):
            yield hit
            found += 1
            if found == limit:
                return


def _in_epoch(view: View, query: Query, rules: Rules) -> Iterator[Hit]:
    ends: dict[str, Leaf] = {}
    documents = Documents(view, rules)
    for index, data in view.downwards(_end(view, query.until_ns)):
        if _FINISHED in data:
            leaf = decode_leaf(data)
            ends[leaf.did] = leaf
        elif _DECIDED in data:
            leaf = decode_leaf(data)
            if int(leaf.t) < query.since_ns - SLACK_NS:
                return
            end = ends.pop(leaf.did, None)
            if may_match(leaf, end.outcome if end else "", query):
                hit = hit_of(documents, index, leaf, end)
                if matches(hit, query):
                    yield hit


class Documents:
    """Input and decision documents of one epoch. Many decisions name the same ones, so the last are remembered."""

    def __init__(self, view: View, rules: Rules = no_rules) -> None:
        self.epoch = view.reader.epoch
        self._reader = view.reader
        self.statement = lru_cache(REMEMBERED)(self._statement)
        self.codes = lru_cache(REMEMBERED)(self._codes)
        self.rules = lru_cache(REMEMBERED)(rules)

    def _statement(self, name: str) -> Text:
        """The statement of a leaf's `in`; an empty one when there is none, or it was shredded. Raises ValueError."""
        body = self._reader.body(name.removeprefix(NAMED)) if name else None
        return Text() if body is None else statement_of(body)

    def _codes(self, name: str) -> tuple[str, ...]:
        """The codes of a leaf's `out`."""
        body = self._reader.body(name.removeprefix(NAMED)) if name else None
        return () if body is None else codes_of(body)


def statement_of(document: bytes) -> Text:
    """The statement of an input document. Raises msgspec.DecodeError."""
    return msgspec.json.decode(document, type=Asked).statement


def codes_of(answer: bytes) -> tuple[str, ...]:
    """The codes of a decision document. Raises msgspec.DecodeError."""
    return tuple(each.code for each in msgspec.json.decode(answer, type=Answered).reasons)


def refusal_of(leaf: Leaf) -> str:
    """The code of the gateway's own refusal."""
    if isinstance(leaf.data, msgspec.UnsetType) or b'"refused"' not in bytes(leaf.data):
        return ""
    return msgspec.convert(leaf.facts(), Refused).refused.code


def controls_of(rules: Mapping[str, tuple[str, ...]], codes: tuple[str, ...]) -> tuple[str, ...]:
    """The controls that rules with these codes serve, sorted."""
    return tuple(sorted({control for code in codes for control in rules.get(code, ())}))


def hit_of(documents: Documents, index: int, leaf: Leaf, end: Leaf | None) -> Hit:
    """A decided leaf, with what its documents say. Raises OSError and ValueError."""
    who, own = leaf.who, refusal_of(leaf)
    statement = documents.statement(leaf.in_)
    codes = tuple(dict.fromkeys([*([own] if own else []), *documents.codes(leaf.out)]))
    bundle = leaf.bundle.removeprefix(NAMED)
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
        ended=end.outcome if end else "",
        codes=codes,
        controls=controls_of(documents.rules(bundle), codes) if bundle else (),
        relations=statement.tables(),
        labels=statement.labels(),
        bundle=bundle,
        statement=statement.text_redacted,
    )


def may_match(leaf: Leaf, ended: str, query: Query) -> bool:
    """Whether the leaf itself says what is looked for."""
    who = leaf.who
    wanted = (
        (query.subject, {who.id, who.on_behalf_of} if who else set()),
        (query.connection, {leaf.res}),
        (query.action, {leaf.act}),
        (query.outcome, {leaf.outcome, ended}),
        (query.session, {leaf.sid}),
    )
    if not all(not text or text in texts for text, texts in wanted):
        return False
    if query.bundle and not leaf.bundle.removeprefix(NAMED).startswith(query.bundle):
        return False
    return query.since_ns <= int(leaf.t) <= query.until_ns


def matches(hit: Hit, query: Query) -> bool:
    """Whether the documents say what is looked for too."""
    return (
        (not query.code or query.code in hit.codes)
        and (not query.control or any(serves(control, query.control) for control in hit.controls))
        and (not query.relation or any(is_named(table, query.relation) for table in hit.relations))
        and (not query.label or query.label in hit.labels)
        and (not query.statement or query.statement == hit.statement)
        and query.text.casefold() in hit.statement.casefold()
    )


def serves(control: str, wanted: str) -> bool:
    """Whether a control is the one that is meant: whole, or what stands behind its slash."""
    return control == wanted or control.endswith(f"/{wanted}")


def is_named(table: str, wanted: str) -> bool:
    """Whether `schema.name` is the table that is meant: whole, or just its name."""
    return table == wanted or table.endswith(f".{wanted}")


def _end(view: View, until_ns: int) -> int:
    """The number behind the last leaf that can be old enough, with room for outcomes that came later."""
    last = view.block_at(min(until_ns + SLACK_NS, 1 << 63)) if view.blocks else 0
    return min(view.size, (last + 1) * WIDTH)


def _full(relation: Named) -> str:
    return f"{relation.schema}.{relation.name}" if relation.schema else relation.name
