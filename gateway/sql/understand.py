"""What a text says: one `Understood` for each statement in it. Never raises: what is not understood is a hazard."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.core.statement import Hazard, Parameter, Statement
from gateway.sql import facts, grammar
from gateway.sql.calls import functions
from gateway.sql.catalog import Catalog
from gateway.sql.effects import effect_of, settings_of
from gateway.sql.grammar import Tokens
from gateway.sql.kinds import KindOf, kind_of, kind_of_execute
from gateway.sql.model import Scope, Span, Understood
from gateway.sql.objects import RelationInfo
from gateway.sql.places import Places
from gateway.sql.reader import Reading
from gateway.sql.said import clean_facts
from gateway.sql.second_reader import compare
from gateway.sql.shapes import parameter_class, shape_of
from gateway.sql.tokens import UNAVAILABLE, canonical, cut_names, fixed, redact
from gateway.sql.tree import unwrap

STATEMENTS_MAX: Final = 2000
"""in one message: each takes a fraction of a millisecond to read, and all of them are held at once"""
_NOT_SHOWN: Final = frozenset({"statement.too_long", "statement.too_many"})
_KEPT = 512
"""answers; one of a large join takes 60 kB"""
_KEPT_TEXT_MAX = 16_384
"""characters; answers to longer texts are not kept"""
_cache: "OrderedDict[tuple[object, ...], tuple[Understood, ...]]" = OrderedDict()

__all__ = ["Scope", "Understood", "understand"]


def understand(text: str, catalog: Catalog, scope: Scope) -> tuple[Understood, ...]:
    """Every statement of a message, in order; none for a text without any. Answers are kept by exact text."""
    key = (text, catalog.sha256, scope.search_path, scope.posture.guarded, scope.parameter_types)
    if not scope.prepared and len(text) <= _KEPT_TEXT_MAX:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
        found = _understand(text, catalog, scope)
        _cache[key] = found
        if len(_cache) > _KEPT:
            _cache.popitem(last=False)
        return found
    return _understand(text, catalog, scope)


def _understand(text: str, catalog: Catalog, scope: Scope) -> tuple[Understood, ...]:
    try:
        tokens = grammar.scan(text)
        statements = grammar.parse(text, tokens)
        if len(statements) > STATEMENTS_MAX:
            return (_opaque(text, "statement.too_many", f"{len(statements)} in one message"),)
        raw = text.encode()
        spans = [_span(statement, raw) for statement in statements]
        if spans == [Span(0, len(raw))]:
            piece = _Piece(text, spans[0], tokens, statements[0])
            return (_one(piece, 1, catalog, scope),)
        return tuple(_one(_piece(raw, span), len(spans), catalog, scope) for span in spans)
    except Refused as refused:
        return (_opaque(text, refused.code, refused.detail),)
    except (ValueError, RecursionError):
        return (_opaque(text, "statement.unanalysable"),)


class _Piece(NamedTuple):
    """One statement by itself, so that its locations count from its own start."""

    text: str
    span: Span
    tokens: Tokens
    statement: pb.RawStmt


def _piece(raw: bytes, span: Span) -> _Piece:
    text = raw[span.start : span.stop].decode()
    tokens = grammar.scan(text)
    statements = grammar.parse(text, tokens)
    if len(statements) != 1:
        raise Refused("statement.unanalysable", "a statement does not stand by itself")
    return _Piece(text, span, tokens, statements[0])


def _span(statement: pb.RawStmt, raw: bytes) -> Span:
    start = statement.stmt_location
    stop = start + statement.stmt_len if statement.stmt_len else len(raw)
    while start < stop and raw[start : start + 1].isspace():
        start += 1
    return Span(start, stop)


def _opaque(text: str, code: str, detail: str = "") -> Understood:
    """What was not read: nothing but that."""
    shown = UNAVAILABLE if code in _NOT_SHOWN else redact(text)
    statement = Statement(
        action="unknown",
        category="admin",
        text_redacted=shown,
        sha256=hashlib.sha256(shown.encode()).hexdigest(),
        fingerprint="",
        hazards=(Hazard(code=code, detail=detail),),
    )
    size = len(text.encode(errors="replace"))
    return Understood(statement=statement, text=text, span=Span(0, size), governed=True)


def _one(piece: _Piece, count: int, catalog: Catalog, scope: Scope) -> Understood:
    text, span, tokens, _ = piece
    tree = unwrap(piece.statement.stmt)
    reading = Reading(catalog, scope.search_path, Places(tokens), scope.parameter_types)
    reading.read(tree)
    effect = effect_of(tree)
    inner = _prepared(reading, scope)
    known = [(r.role, catalog.relations[r.oid]) for r in reading.references if r.oid is not None]
    known += [("ddl", relation) for relation in reading.worded if isinstance(relation, RelationInfo)]
    governed = any(relation.governed for _, relation in known)
    if governed:
        reading.hazards |= compare(text, tree, reading)
    statement = _statement(piece, tree, count, reading, scope)
    if inner is not None:
        statement, governed = _with_inner(tree, statement, inner.statement), governed or inner.governed
    governed = governed or any(relation.cascades for role, relation in known if role != "from")
    return Understood(
        statement=statement, text=text, span=span, tokens=tokens, tree=tree, nodes=reading.nodes, effect=effect,
        governed=governed, references=tuple(reading.references), named=tuple(reading.named), levels=reading.levels,
    )  # fmt: skip


def _prepared(reading: Reading, scope: Scope) -> Understood | None:
    """What an EXECUTE runs, wherever it stands (EXPLAIN, CREATE TABLE AS); an unknown one is a hazard."""
    execute = next((node for node in reading.nodes if isinstance(node, pb.ExecuteStmt)), None)
    if execute is None:
        return None
    found = scope.prepared.get(execute.name)
    if found is None:
        reading.hazards.add(Hazard(code="prepared.unknown"))
    return found


def _statement(piece: _Piece, tree: Message, count: int, reading: Reading, scope: Scope) -> Statement:
    """The facts for policy."""
    kind, (shown, cleaned) = kind_of(tree), canonical(piece.text, piece.tokens)
    cut = cut_names(piece.text, piece.tokens)
    settings = settings_of(reading, scope.posture)
    columns = facts.columns(reading, list(_assigned(reading)))
    statement = Statement(
        action=kind.action,
        category=kind.category,
        count=count,
        text_redacted=shown,
        sha256=hashlib.sha256(shown.encode()).hexdigest(),
        fingerprint=grammar.fingerprint(fixed(piece.text, piece.tokens, names=cleaned or bool(cut))),
        relations=facts.relations(reading),
        columns=columns,
        functions=functions(reading),
        settings=settings,
        hazards=tuple(sorted(_kept_hazards(reading, guarded=scope.posture.guarded))),
        parameters=tuple(_parameters(reading, scope)),
        shape=shape_of(tree, reading.nodes),
    )
    return clean_facts(statement, cut)


def _assigned(reading: Reading) -> Iterator[tuple[int, str, str]]:
    for node in reading.nodes:
        if isinstance(node, pb.InsertStmt | pb.UpdateStmt | pb.MergeStmt):
            yield from facts.assigned(reading, node)
        elif isinstance(node, pb.CopyStmt) and node.HasField("relation"):
            yield from facts.copied(reading, node)


def _with_inner(tree: Message, execute: Statement, inner: Statement) -> Statement:
    """EXECUTE does what was prepared: its facts, and those of the arguments."""
    kind = kind_of_execute(tree, KindOf(inner.action, inner.category))
    return msgspec.structs.replace(
        inner,
        action=kind.action,
        category=kind.category,
        text_redacted=execute.text_redacted,
        sha256=execute.sha256,
        fingerprint=execute.fingerprint,
        count=execute.count,
        relations=tuple(sorted({*inner.relations, *execute.relations})),
        functions=tuple(sorted({*inner.functions, *execute.functions})),
        hazards=tuple(sorted({*inner.hazards, *execute.hazards})),
        parameters=execute.parameters,
    )


def _kept_hazards(reading: Reading, *, guarded: bool) -> Iterator[Hazard]:
    """In open posture nothing is protected, so only what could not be read at all stays a hazard."""
    for hazard in reading.hazards:
        if guarded or hazard.code in {"statement.unanalysable", "setting.pinned", "copy.server_file"}:
            yield hazard


def _parameters(reading: Reading, scope: Scope) -> Iterator[Parameter]:
    highest = max(reading.parameters, default=0)
    for number in range(highest):
        oid = scope.parameter_types[number] if number < len(scope.parameter_types) else 0
        info = reading.catalog.types.get(oid)
        name = info.name if info else "unknown"
        yield Parameter(type=name, class_=parameter_class(name, info.category if info else ""))
