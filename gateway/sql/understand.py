"""What a text says: one `Understood` for each statement in it. Never raises: what is not understood is a hazard."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator

import msgspec
import postgast
from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import GatewayError
from gateway.core.statement import Hazard, Parameter, Statement
from gateway.sql import facts
from gateway.sql.catalog import Catalog
from gateway.sql.effects import effect_of, settings_of
from gateway.sql.kinds import kind_of
from gateway.sql.model import Execute, Scope, Span, Understood
from gateway.sql.places import Places
from gateway.sql.reader import Reading
from gateway.sql.second_reader import compare
from gateway.sql.shapes import parameter_class, shape_of
from gateway.sql.tokens import UNAVAILABLE, redact
from gateway.sql.tree import unwrap, walk

TEXT_MAX = 1 << 20
"""bytes; a longer text is not read"""
_KEPT = 4096
_cache: "OrderedDict[tuple[object, ...], tuple[Understood, ...]]" = OrderedDict()

__all__ = ["Scope", "Understood", "understand"]


def understand(text: str, catalog: Catalog, scope: Scope) -> tuple[Understood, ...]:
    """Every statement of a message, in order; none for a text without any. Answers are kept by exact text."""
    key = (text, catalog.sha256, scope.search_path, scope.posture.guarded, scope.parameter_types)
    if not scope.prepared:
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
    raw = text.encode()
    if len(raw) > TEXT_MAX:
        return (_opaque("", raw, "statement.too_long"),)
    try:
        spans = [_span(statement, raw) for statement in postgast.parse(text).stmts]
        pieces = [(raw[span.start : span.stop].decode(), span) for span in spans]
        return tuple(_one(piece, span, len(spans), catalog, scope) for piece, span in pieces)
    except (postgast.PgQueryError, GatewayError, ValueError, RecursionError) as error:
        code = error.code if isinstance(error, GatewayError) else "statement.unanalysable"
        return (_opaque(text, raw, code),)


def _span(statement: pb.RawStmt, raw: bytes) -> Span:
    start = statement.stmt_location
    stop = start + statement.stmt_len if statement.stmt_len else len(raw)
    while start < stop and raw[start : start + 1].isspace():
        start += 1
    return Span(start, stop)


def _opaque(text: str, raw: bytes, code: str) -> Understood:
    shown = redact(text) if text else UNAVAILABLE
    statement = Statement(
        action="unknown",
        category="admin",
        text_redacted=shown,
        sha256=hashlib.sha256(shown.encode()).hexdigest(),
        fingerprint="",
        hazards=(Hazard(code=code),),
    )
    return Understood(statement=statement, text=text, span=Span(0, len(raw)), governed=True)


def _one(text: str, span: Span, count: int, catalog: Catalog, scope: Scope) -> Understood:
    """One statement by itself, so that its locations count from its own start."""
    tree = unwrap(postgast.parse(text).stmts[0].stmt)
    reading = Reading(catalog, scope.search_path, Places(text))
    reading.read(tree)
    effect = effect_of(tree)
    inner = scope.prepared.get(effect.name) if isinstance(effect, Execute) else None
    if isinstance(effect, Execute) and inner is None:
        reading.hazards.add(Hazard(code="prepared.unknown"))
    governed = any(r.oid is not None and catalog.relations[r.oid].governed for r in reading.references)
    if governed:
        reading.hazards |= compare(text, reading)
    statement = _statement(text, tree, count, reading, scope)
    if inner is not None:
        statement, governed = _with_inner(statement, inner.statement), inner.governed
    return Understood(
        statement=statement, text=text, span=span, tree=tree, effect=effect, governed=governed,
        references=tuple(reading.references), named=tuple(reading.named), levels=reading.levels,
    )  # fmt: skip


def _statement(text: str, tree: Message, count: int, reading: Reading, scope: Scope) -> Statement:
    """The facts for policy."""
    kind, shown = kind_of(tree), redact(text)
    settings = settings_of(tree, reading, scope.posture)
    columns = facts.columns(reading, list(_assigned(tree, reading)))
    return Statement(
        action=kind.action,
        category=kind.category,
        count=count,
        text_redacted=shown,
        sha256=hashlib.sha256(shown.encode()).hexdigest(),
        fingerprint=postgast.fingerprint(text).hex,
        relations=facts.relations(reading),
        columns=columns,
        functions=facts.functions(reading),
        settings=settings,
        hazards=tuple(sorted(_kept_hazards(reading, guarded=scope.posture.guarded))),
        parameters=tuple(_parameters(reading, scope)),
        shape=shape_of(tree),
    )


def _assigned(tree: Message, reading: Reading) -> Iterator[tuple[int, str, str]]:
    for node in walk(tree):
        if isinstance(node, pb.InsertStmt | pb.UpdateStmt | pb.MergeStmt):
            yield from facts.assigned(reading, node)


def _with_inner(execute: Statement, inner: Statement) -> Statement:
    """EXECUTE does what was prepared: its facts, and those of the arguments."""
    return msgspec.structs.replace(
        inner,
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
