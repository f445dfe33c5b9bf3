"""From a request to the canonical input document (RFC 8785): sorted arrays, no nulls, no path the bundle never reads.

The document is what policy sees, what is stored, and what a later recomputation starts from: it holds no literal, and
no card number. Whoever brings the facts has blanked those; here they are looked at once more, because a digest of the
document is part of the answer, and what is blanked only when it is stored would be given away by that digest.
"""

import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable, Mapping

import msgspec
import rfc8785
from msgspec import UNSET, UnsetType

from gateway.core.blanking import clean_name, clean_value, clean_words
from gateway.core.disguised import find_any
from gateway.core.principal import Delegator, Json, Principal
from gateway.core.statement import Statement
from gateway.policy import schema

_DECODER = msgspec.json.Decoder(schema.Document)
_ENCODER = msgspec.json.Encoder(order="sorted")
_REMEMBERED = 1024
_MINUTE_NS = 60 * 1_000_000_000


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """The database that is asked, as the configuration and the server name it."""

    connection: str
    engine: str
    version: str
    database: str
    labels: Mapping[str, str] = {}


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """Everything around a statement that a rule may read. Empty texts are left out of the document."""

    time_ns: int
    """wall clock, nanoseconds since the epoch"""
    channel: str
    """postgres mysql http mcp"""
    transaction: str = "none"
    """none active failed"""
    session_id: str = ""
    session_started_ns: int = 0
    application: str = ""
    client_ip: str = ""
    tls: bool = False
    purpose: str = ""
    ticket: str = ""
    reason: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question to policy."""

    principal: Principal
    resource: Resource
    statement: Statement
    context: Circumstances


class Scribe:
    """Writes documents for one bundle: only the optional paths it reads, statements encoded once."""

    def __init__(self, reads: Iterable[str], bundle_sha256: str = "", revision: str = "") -> None:
        read = tuple(path.split(".") for path in reads)
        self._wanted = frozenset(
            path for path in schema.OPTIONAL if any(_touches(path.split("."), parts) for parts in read)
        )
        self._policy: schema.Policy | UnsetType = UNSET
        if "policy" in self._wanted:
            self._policy = schema.Policy(bundle_sha256=bundle_sha256, revision=revision)
        self._statements: OrderedDict[int, tuple[Statement, msgspec.Raw]] = OrderedDict()

    def write(self, request: Request) -> bytes:
        """The canonical document. Raises msgspec.ValidationError when the request has a value no schema allows."""
        document = {
            "spec": schema.SPEC,
            "subject": self._subject(request.principal),
            "action": {"name": request.statement.action, "category": request.statement.category},
            "resource": _resource(request.resource),
            "statement": self._statement(request.statement),
            "context": self._context(request.context),
        }
        if self._policy is not UNSET:
            document["policy"] = self._policy
        return _ENCODER.encode(document)

    def _subject(self, principal: Principal) -> schema.Subject:
        delegator = principal.on_behalf_of
        return schema.Subject(
            id=clean_name(principal.subject),
            issuer=clean_name(principal.issuer),
            type=principal.type,
            groups=_sorted(map(clean_name, principal.groups)),
            claims=_claims(principal.claims) if "subject.claims" in self._wanted else UNSET,
            on_behalf_of=_delegator(delegator) if delegator else UNSET,
        )

    def _context(self, context: Circumstances) -> schema.Context:
        wanted = self._wanted
        session = schema.Session(
            id=_given(context.session_id, wanted, "context.session.id"),
            started_at=minute(context.session_started_ns) if "context.session.started_at" in wanted else UNSET,
            application=_given(context.application, wanted, "context.session.application"),
            client_ip=_given(context.client_ip, wanted, "context.session.client_ip"),
            tls=context.tls if "context.session.tls" in wanted else UNSET,
        )
        return schema.Context(
            channel=context.channel,  # type: ignore[arg-type]  # checked with the whole document
            transaction=context.transaction,  # type: ignore[arg-type]  # checked with the whole document
            time=minute(context.time_ns) if "context.time" in wanted else UNSET,
            session=session if session != schema.Session() else UNSET,
            purpose=_given(context.purpose, wanted, "context.purpose"),
            ticket=_given(context.ticket, wanted, "context.ticket"),
            reason=_given(context.reason, wanted, "context.reason"),
        )

    def _statement(self, statement: Statement) -> msgspec.Raw:
        """The encoded statement, remembered by identity: the same text gives the same object again and again."""
        known = self._statements.get(id(statement))
        if known is not None:
            return known[1]
        raw = msgspec.Raw(_clean(_ENCODER.encode(self._facts(statement))))
        self._statements[id(statement)] = (statement, raw)  # holding it keeps its id from being given to another
        if len(self._statements) > _REMEMBERED:
            self._statements.popitem(last=False)
        return raw

    def _facts(self, statement: Statement) -> dict[str, object]:
        """The statement's part of the document, arrays sorted by their canonical bytes."""
        facts: dict[str, object] = {
            "dialect": statement.dialect,
            "count": statement.count,
            "text_redacted": statement.text_redacted,
            "relations": _in_order(_without_empty(r, "via", "writes") for r in map(_plain, statement.relations)),
            "columns": _in_order(map(_plain, statement.columns)),
            "functions": _in_order(map(_plain, statement.functions)),
            "settings": sorted(set(statement.settings)),
            "hazards": _in_order(map(_plain, statement.hazards)),
            "shape": statement.shape,
        }
        for name in ("sha256", "fingerprint"):
            if f"statement.{name}" in self._wanted:
                facts[name] = getattr(statement, name)
        if "statement.parameters" in self._wanted:
            facts["parameters"] = statement.parameters  # their order is their meaning
        return facts


def check(document: bytes) -> schema.Document:
    """The document as structs. Raises msgspec.ValidationError when it is not one."""
    return _DECODER.decode(document)


def canonical(value: object) -> bytes:
    """RFC 8785 bytes of any JSON value."""
    return rfc8785.dumps(msgspec.to_builtins(value))


def minute(time_ns: int) -> str:
    """RFC 3339 in UTC, cut to the minute, so that decisions of one minute can share an answer."""
    whole = time_ns - time_ns % _MINUTE_NS
    moment = dt.datetime.fromtimestamp(whole // 1_000_000_000, tz=dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:00Z")


def _touches(optional: list[str], read: list[str]) -> bool:
    """A rule that reads a path reads what is below it, and needs what is above it."""
    shared = min(len(optional), len(read))
    return optional[:shared] == read[:shared]


def _given(text: str, wanted: frozenset[str], path: str) -> str | UnsetType:
    return clean_words(text) if text and path in wanted else UNSET


def _resource(resource: Resource) -> Resource:
    """The same without card numbers: nearly always itself."""
    texts = (resource.connection, resource.database, resource.version)
    connection, database, version = map(clean_name, texts)
    if (connection, database, version) == texts:
        return resource
    return msgspec.structs.replace(resource, connection=connection, database=database, version=version)


def _delegator(delegator: Delegator) -> schema.OnBehalfOf:
    return schema.OnBehalfOf(id=clean_name(delegator.id), groups=_sorted(map(clean_name, delegator.groups)))


def _claims(claims: Mapping[str, Json]) -> dict[str, Json]:
    """Clean claims; the verifier lets no others in."""
    plain = dict(claims)
    return {name: clean_value(value) for name, value in plain.items()} if find_any(_ENCODER.encode(plain)) else plain


def _clean(facts: bytes) -> bytes:
    """Encoded facts of a statement without card numbers, whoever made them."""
    return _ENCODER.encode(clean_value(msgspec.json.decode(facts))) if find_any(facts) else facts


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _plain(part: msgspec.Struct) -> dict[str, object]:
    """A fact as builtins, the arrays in it sorted."""
    found: dict[str, object] = msgspec.to_builtins(part)
    return {key: sorted(set(value)) if isinstance(value, list | tuple) else value for key, value in found.items()}


def _without_empty(part: dict[str, object], *keys: str) -> dict[str, object]:
    return {name: value for name, value in part.items() if value or name not in keys}


def _in_order(parts: Iterable[dict[str, object]]) -> list[msgspec.Raw]:
    return [msgspec.Raw(encoded) for encoded in sorted({_ENCODER.encode(part) for part in parts})]
