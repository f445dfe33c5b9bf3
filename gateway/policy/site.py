"""What an organisation says without writing Rego, as structs: `data.site` of a bundle (contracts.md, Site data).

Every entry is complete: a condition that the YAML left out is filled in with "*", so that Rego tests memberships only
and never the absence of something. `read_site.py` reads the YAML; a bundle's data is checked against the same structs.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from gateway.core.site import Posture

SENSITIVE = frozenset({"cvv", "track", "pin"})
"""Labels of sensitive authentication data: only NULL, for everyone (PCI DSS 3.3.1)."""
ACTIONS = frozenset(
    [
        "select",
        "insert",
        "update",
        "delete",
        "merge",
        "truncate",
        "copy_out",
        "copy_in",
        "explain",
        "call",
        "do",
        "fetch",
        "create",
        "create_table_as",
        "alter",
        "drop",
        "comment",
        "security_label",
        "refresh",
        "grant",
        "revoke",
        "create_role",
        "alter_role",
        "drop_role",
        "reassign_owned",
        "drop_owned",
        "vacuum",
        "analyze",
        "cluster",
        "reindex",
        "checkpoint",
        "load",
        "alter_system",
        "create_database",
        "drop_database",
        "set",
        "reset",
        "show",
        "begin",
        "commit",
        "rollback",
        "savepoint",
        "release",
        "rollback_to",
        "prepare_transaction",
        "commit_prepared",
        "rollback_prepared",
        "set_constraints",
        "lock",
        "listen",
        "unlisten",
        "notify",
        "discard",
        "deallocate",
        "close",
        "unknown",
    ]
)

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Names: TypeAlias = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
Action: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(\*|[a-z_]+)$")]
Actions: TypeAlias = Annotated[tuple[Action, ...], msgspec.Meta(min_length=1)]
RelationName: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[^.*\s][^.]*\.[^.*][^.]*$", max_length=256)]
RelationPattern: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^(\*|[^.*\s][^.]*\.(\*|[^.*][^.]*))$", max_length=256)
]
Label: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Labels: TypeAlias = Annotated[tuple[Label, ...], msgspec.Meta(min_length=1)]
Method: TypeAlias = Literal["null", "fixed", "last4", "first6_last4"]
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]  # what JSON holds exactly
TriggerName: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[^.]+\.[^.]+\.[^.]+$", max_length=256)]
SubjectPattern: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(\*|[^*]+\*?)$", max_length=256)]
Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Moment: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:00Z$")]
ANY = ("*",)
WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of site data: a key nobody knows is an error, because it may be a condition that was meant to hold."""


class Grant(_Entry, frozen=True, kw_only=True):
    """Who may do what to which relations."""

    groups: Names
    connections: Names
    relations: Annotated[tuple[RelationPattern, ...], msgspec.Meta(min_length=1)]
    actions: Actions


class Clear(_Entry, frozen=True, kw_only=True):
    """Who may see a label unmasked."""

    groups: Names
    connections: Names
    labels: Labels
    reason_required: bool = False


class Demand(_Entry, frozen=True, kw_only=True):
    """Who must agree."""

    any_of: tuple[Name, ...] = ()
    all_of: tuple[Name, ...] = ()
    min: Positive = 1
    reason_required: bool = False
    ttl: Positive = 300
    """seconds"""


class Approval(_Entry, frozen=True, kw_only=True):
    """When a person must agree first."""

    groups: Names = ANY
    connections: Names = ANY
    actions: Actions = ANY
    labels: tuple[Label, ...] = ()
    clear: bool = False
    without_where: bool = False
    demand: Demand


class Block(_Entry, frozen=True, kw_only=True):
    """What is blocked by name or by pattern."""

    groups: Names = ANY
    connections: Names = ANY
    actions: Actions = ANY
    without_where: bool = False
    """only statements that do not say which rows they mean"""
    pattern: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | UnsetType = UNSET


class Required(_Entry, frozen=True, kw_only=True):
    """What an agent must say of its statement."""

    groups: Names = ANY
    connections: Names = ANY
    actions: Actions = ANY
    labels: tuple[Label, ...] = ()
    purpose: bool = False
    ticket: bool = False


class Hours(_Entry, frozen=True, kw_only=True):
    """When a group is served; several entries add up. Hours that end before they begin go over midnight."""

    groups: Names = ANY
    connections: Names = ANY
    days: Annotated[tuple[Day, ...], msgspec.Meta(min_length=1)] = WEEK
    """on which the hours begin"""
    from_: Annotated[int, msgspec.Meta(ge=0, le=1439)] = msgspec.field(name="from", default=0)
    """minute of the day"""
    to: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 1440
    """minute of the day, the first one outside"""
    utc_offset: Annotated[int, msgspec.Meta(ge=-14 * 60, le=14 * 60)] = 0
    """minutes that the clock of the hours is ahead of UTC"""


class ApplicationIdentity(_Entry, frozen=True, kw_only=True):
    """Identities that applications log in with, and people do not."""

    subjects: Annotated[tuple[SubjectPattern, ...], msgspec.Meta(min_length=1)] = ANY
    groups: Names = ANY
    connections: Names = ANY
    programs: tuple[Name, ...] = ()
    """what the client may call itself; empty: anything that is no known tool for people"""
    on_behalf_of_required: bool = False
    """only with a token that names whom it acts for"""


class InteractiveException(_Entry, frozen=True, kw_only=True):
    """Interactive use of an application's identity, agreed on for a time."""

    subjects: Annotated[tuple[SubjectPattern, ...], msgspec.Meta(min_length=1)]
    connections: Names = ANY
    until: Moment
    ticket: Name
    approved_by: Name


class BreakGlass(_Entry, frozen=True, kw_only=True):
    """Who sees a label in an emergency, with a reason and a ticket."""

    groups: Names
    connections: Names
    labels: Labels


class Filter(_Entry, frozen=True, kw_only=True):
    """Which rows a group sees."""

    groups: Names = ANY
    connections: Names = ANY
    relation: RelationName
    sql: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Limit(_Entry, frozen=True, kw_only=True):
    """Upper bounds."""

    groups: Names = ANY
    connections: Names = ANY
    rows: Positive | UnsetType = UNSET
    bytes: Positive | UnsetType = UNSET
    seconds: Positive | UnsetType = UNSET
    rows_by_label: dict[Label, Positive] = {}
    window: Positive = 3600
    """seconds over which rows_by_label counts"""


class ScanExempt(_Entry, frozen=True, kw_only=True):
    """Columns the card scan leaves alone."""

    connection: Name
    relation: RelationName
    columns: Names


class FunctionList(_Entry, frozen=True, kw_only=True):
    """Functions allowed beyond the built-in list, as `schema.name`."""

    allow: tuple[RelationName, ...] = ()


class TriggerList(_Entry, frozen=True, kw_only=True):
    """Triggers that may run on governed targets, as `schema.table.trigger`."""

    allow: tuple[TriggerName, ...] = ()


class Site(_Entry, frozen=True, kw_only=True):
    """All of `data.site`."""

    classification: dict[Name, dict[RelationName, dict[Name, Labels]]] = {}
    grants: tuple[Grant, ...] = ()
    masks: dict[Label, Method] = {}
    clear: tuple[Clear, ...] = ()
    approvals: tuple[Approval, ...] = ()
    deny: tuple[Block, ...] = ()
    required: tuple[Required, ...] = ()
    hours: tuple[Hours, ...] = ()
    application_identities: tuple[ApplicationIdentity, ...] = ()
    interactive_exceptions: tuple[InteractiveException, ...] = ()
    break_glass: tuple[BreakGlass, ...] = ()
    filters: tuple[Filter, ...] = ()
    limits: tuple[Limit, ...] = ()
    functions: FunctionList = FunctionList()
    scan_exempt: tuple[ScanExempt, ...] = ()
    triggers: TriggerList = TriggerList()
    write_masked: bool = False
    posture: dict[Name, Literal["guarded", "open"]] = {}

    def posture_of(self, connection: str) -> Posture:
        """How one connection is governed."""
        exempt: dict[str, tuple[str, ...]] = {}
        for entry in self.scan_exempt:
            if entry.connection == connection:
                exempt[entry.relation] = tuple(sorted({*exempt.get(entry.relation, ()), *entry.columns}))
        return Posture(
            guarded=self.posture.get(connection) != "open",
            labels=dict(self.classification.get(connection, {})),
            filtered=tuple(sorted({f.relation for f in self.filters if names_connection(f.connections, connection)})),
            functions=tuple(sorted(self.functions.allow)),
            triggers=tuple(sorted(self.triggers.allow)),
            scan_exempt=exempt,
            write_masked=self.write_masked,
        )


def names_connection(connections: tuple[str, ...], connection: str) -> bool:
    """Whether a list of an entry names a connection."""
    return "*" in connections or connection in connections


def contradictions(site: Site) -> Iterator[tuple[str, str]]:
    """What no single entry shows: (path like `clear[0].labels`, sentence). Empty when the site data can be used."""
    yield from _open_postures(site)
    yield from _sensitive_labels(site)
    yield from _unknown_actions(site)
    yield from _empty_entries(site)
    yield from _vague_entries(site)


def _sensitive_labels(site: Site) -> Iterator[tuple[str, str]]:
    for label, method in site.masks.items():
        if label in SENSITIVE and method != "null":
            yield f"masks.{label}", f'the label {label} accepts only the mask "null"'
    for number, clear in enumerate(site.clear):
        if banned := sorted(SENSITIVE & set(clear.labels)):
            yield f"clear[{number}].labels", f"nobody can be cleared for {', '.join(banned)}"
    for number, glass in enumerate(site.break_glass):
        if banned := sorted(SENSITIVE & set(glass.labels)):
            yield f"break_glass[{number}].labels", f"no emergency shows {', '.join(banned)}"
        for wide in ("groups", "connections"):
            if "*" in getattr(glass, wide):
                yield f"break_glass[{number}].{wide}", f"name the {wide}: an emergency is not for everyone everywhere"


def _unknown_actions(site: Site) -> Iterator[tuple[str, str]]:
    for place, entries in _with_actions(site).items():
        for number, actions in enumerate(entries):
            if unknown := sorted(set(actions) - ACTIONS - {"*"}):
                near = get_close_matches(unknown[0], sorted(ACTIONS), 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                yield f"{place}[{number}].actions", f"no such action: {', '.join(unknown)}{hint}"


def _empty_entries(site: Site) -> Iterator[tuple[str, str]]:
    for number, approval in enumerate(site.approvals):
        if not approval.demand.any_of and not approval.demand.all_of:
            yield f"approvals[{number}].approvers", "say who must agree: any_of or all_of"
    for number, limit in enumerate(site.limits):
        if (limit.rows, limit.bytes, limit.seconds) == (UNSET, UNSET, UNSET) and not limit.rows_by_label:
            yield f"limits[{number}]", "a limit needs rows, bytes, seconds or rows_by_label"
    for number, entry in enumerate(site.required):
        if not entry.purpose and not entry.ticket:
            yield f"required[{number}]", "say what must be given: purpose: true or ticket: true"
    for number, block in enumerate(site.deny):
        if block.pattern is UNSET and block.actions == ANY:
            yield f"deny[{number}]", "say what is blocked: actions or a pattern"


def _vague_entries(site: Site) -> Iterator[tuple[str, str]]:
    for number, hours in enumerate(site.hours):
        if hours.from_ == hours.to:
            yield f"hours[{number}]", "the hours end when they begin: leave out from and to for the whole day"
    for number, identity in enumerate(site.application_identities):
        if identity.subjects == ANY and identity.groups == ANY:
            yield f"application_identities[{number}]", "say which identities: subjects or groups"


def _open_postures(site: Site) -> Iterator[tuple[str, str]]:
    for connection, posture in site.posture.items():
        if posture == "guarded":
            continue
        if site.classification.get(connection):
            yield f"posture.{connection}", f"{connection} has classified columns, so it cannot be open"
        if any(names_connection(entry.connections, connection) for entry in site.filters):
            yield f"posture.{connection}", f"{connection} has row filters, so it cannot be open"


def _with_actions(site: Site) -> Mapping[str, list[tuple[str, ...]]]:
    return {
        "grants": [entry.actions for entry in site.grants],
        "approvals": [entry.actions for entry in site.approvals],
        "deny": [entry.actions for entry in site.deny],
        "required": [entry.actions for entry in site.required],
    }
