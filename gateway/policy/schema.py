"""The policy input document as structs: the same shapes as `policies/schema/input.json`, checked on every evaluation.

The JSON Schema is written from these structs (`python -m gateway policy check` says when it is stale), so the two are
equal by construction. Everything that may be left out is UNSET, never null: Rego then sees an undefined path.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from gateway.core.principal import Json

SPEC = "querywarden/input/v1"

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
Minute: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:00Z$")]
Sha256: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Clause: TypeAlias = Literal[
    "select", "where", "join", "group", "order", "having", "window", "limit", "set", "returning", "insert"
]
RelationKind: TypeAlias = Literal[
    "table", "view", "matview", "partition", "partitioned", "foreign", "sequence", "system", "function", "unknown"
]
Category: TypeAlias = Literal["read", "write", "ddl", "dcl", "session", "transaction", "procedure", "admin"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the document: no field that the schema does not know."""


class OnBehalfOf(_Part, frozen=True, kw_only=True):
    """The person an agent acts for."""

    id: Name
    groups: tuple[str, ...]


class Subject(_Part, frozen=True, kw_only=True):
    """Who asks."""

    id: Name
    issuer: str
    type: str
    groups: tuple[str, ...]
    claims: dict[str, Json] | UnsetType = UNSET
    on_behalf_of: OnBehalfOf | UnsetType = UNSET


class Action(_Part, frozen=True, kw_only=True):
    """What is asked for."""

    name: Name
    category: Category


class Resource(_Part, frozen=True, kw_only=True):
    """Of which database."""

    connection: Name
    engine: Literal["postgres", "mysql"]
    version: str
    database: str
    labels: dict[str, str]


class Relation(_Part, frozen=True, kw_only=True):
    """A relation the statement touches."""

    schema: str
    name: Name
    kind: RelationKind
    access: tuple[Literal["read", "write"], ...]
    labels: tuple[str, ...]
    via: tuple[str, ...] | UnsetType = UNSET
    writes: tuple[Literal["insert", "update", "delete", "merge"], ...] | UnsetType = UNSET


class Column(_Part, frozen=True, kw_only=True):
    """A column the statement names or reaches."""

    schema: str
    relation: Name
    name: Name
    labels: tuple[str, ...]
    clauses: tuple[Clause, ...]


class Function(_Part, frozen=True, kw_only=True):
    """A function, operator, cast, aggregate or procedure the statement calls."""

    schema: str
    name: Name
    kind: Literal["function", "operator", "cast", "aggregate", "procedure"]


class Hazard(_Part, frozen=True, kw_only=True):
    """What could not be understood."""

    code: Name
    detail: str


class Parameter(_Part, frozen=True, kw_only=True):
    """A bound parameter, without its value."""

    type: str
    class_: str = msgspec.field(name="class")


class Shape(_Part, frozen=True, kw_only=True):
    """Coarse form of the outermost query."""

    has_where: bool
    limit: bool
    joins: Count
    cartesian: bool
    set_operation: bool
    locking: bool


class Statement(_Part, frozen=True, kw_only=True):
    """The statement, without a literal."""

    dialect: Literal["postgres", "mysql"]
    count: Count
    text_redacted: str
    sha256: Sha256 | UnsetType = UNSET
    fingerprint: str | UnsetType = UNSET
    relations: tuple[Relation, ...]
    columns: tuple[Column, ...]
    functions: tuple[Function, ...]
    settings: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    parameters: tuple[Parameter, ...] | UnsetType = UNSET
    shape: Shape


class Session(_Part, frozen=True, kw_only=True):
    """The session, as far as a rule reads it."""

    id: str | UnsetType = UNSET
    started_at: Minute | UnsetType = UNSET
    application: str | UnsetType = UNSET
    client_ip: str | UnsetType = UNSET
    tls: bool | UnsetType = UNSET


class Usage(_Part, frozen=True, kw_only=True):
    """Budget counters, frozen into the document."""

    rows_by_label: dict[str, int]
    statements: Count
    window: Count


class Approval(_Part, frozen=True, kw_only=True):
    """An approval that was asked for."""

    id: str
    status: str
    approvers: tuple[str, ...]
    expires_at: Minute


class Context(_Part, frozen=True, kw_only=True):
    """The circumstances."""

    channel: Literal["postgres", "mysql", "http", "mcp"]
    transaction: Literal["none", "active", "failed"]
    time: Minute | UnsetType = UNSET
    session: Session | UnsetType = UNSET
    purpose: str | UnsetType = UNSET
    ticket: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    usage: Usage | UnsetType = UNSET
    approvals: tuple[Approval, ...] | UnsetType = UNSET


class Policy(_Part, frozen=True, kw_only=True):
    """The bundle that decides."""

    bundle_sha256: Sha256
    revision: str


class Document(_Part, frozen=True, kw_only=True):
    """The whole input document."""

    spec: Literal["querywarden/input/v1"]
    subject: Subject
    action: Action
    resource: Resource
    statement: Statement
    context: Context
    policy: Policy | UnsetType = UNSET


OPTIONAL = (
    "subject.claims",
    "statement.sha256",
    "statement.fingerprint",
    "statement.parameters",
    "context.time",
    "context.session.id",
    "context.session.started_at",
    "context.session.application",
    "context.session.client_ip",
    "context.session.tls",
    "context.purpose",
    "context.ticket",
    "context.reason",
    "context.usage",
    "context.approvals",
    "policy",
)
"""Paths that a document holds only when the bundle reads them, so that equal questions are equal documents."""


def json_schema(kind: type[msgspec.Struct], title: str) -> dict[str, Json]:
    """The JSON Schema of a struct with every reference resolved in place: OPA's type checker reads no `$ref`."""
    (schema,), parts = msgspec.json.schema_components([kind], schema_hook=_anything, ref_template="{name}")
    found = _inlined(schema, parts)
    if not isinstance(found, dict):
        raise TypeError("a struct has an object schema")
    return {"$schema": "http://json-schema.org/draft-07/schema#", **found, "title": title}


def _anything(kind: type) -> dict[str, Json]:
    """The schema of `Json`: any value."""
    if kind is not object:
        raise NotImplementedError
    return {"description": "any JSON value"}  # an empty schema would count as none


def _inlined(value: Json, parts: dict[str, dict[str, Json]]) -> Json:
    match value:
        case {"$ref": str() as name}:
            return _inlined(parts[name], parts)
        case dict():
            return {key: _inlined(part, parts) for key, part in value.items() if key != "title"}
        case list():
            return [_inlined(part, parts) for part in value]
    return value
