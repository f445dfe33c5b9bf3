"""What may be done to a governed target, and RETURNING shown through masks.

A target cannot be spliced. So no protected column of it may be read in SET, WHERE, ON or DO UPDATE; in RETURNING each
reference to one becomes its mask. `EXCLUDED` is the agent's own data. Code that the owner hung on the target (triggers,
rules, policies …) sees raw rows: unless site data lists it, it is refused.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.bindings import bind, locations
from gateway.sql.edits import Edit
from gateway.sql.filtered_writes import filter_write
from gateway.sql.job import Job
from gateway.sql.masks import mask
from gateway.sql.model import Entry, Named, Reference
from gateway.sql.objects import HiddenCode, Kind, RelationInfo
from gateway.sql.quoting import quote
from gateway.sql.sources import refuse_unfiltered_relative
from gateway.sql.tree import Star, unwrap, walk

Write: TypeAlias = pb.InsertStmt | pb.UpdateStmt | pb.DeleteStmt | pb.MergeStmt
_EVENTS = {pb.CMD_INSERT: "insert", pb.CMD_UPDATE: "update", pb.CMD_DELETE: "delete"}


def check_targets(job: Job) -> None:
    """Look at every INSERT, UPDATE, DELETE and MERGE of the statement. Raises Refused."""
    writes = [node for node in job.nodes if isinstance(node, Write)]
    for node in writes:
        reference = job.reference_at(node.relation)
        relation = job.relation(reference) if reference else None
        if reference is None or relation is None:
            continue
        events = frozenset(_events(node))
        refuse_hidden_code(job, relation, events, frozenset(_updated(node)))
        if not job.governed(relation):
            continue
        refuse_unfiltered_relative(job, relation)
        entry = job.entry(reference)
        if entry is None:
            raise Refused("statement.cannot_rewrite", "a target without a name in scope")
        if relation.oid in job.filters:
            filter_write(job, node, reference, relation, entry)
        _refuse_reads(job, node, entry, relation)
        if node.HasField("returning_clause"):
            _Returning(job, node.returning_clause, entry, reference, relation).rewrite()
    _refuse_masked_writes(job, writes)


def refuse_hidden_code(
    job: Job, relation: RelationInfo, events: frozenset[str], updated: frozenset[str] = frozenset()
) -> None:
    """User-written code over governed rows runs only when site data lists it. `updated`: what UPDATE assigns."""
    for hidden in relation.runs:
        name = f"{hidden.relation}.{hidden.name}"
        if hidden.columns and not _tells(job, relation, hidden, updated):
            continue
        if (relation.governed or hidden.governed) and hidden.events & events and name not in job.posture.triggers:
            raise Refused("statement.hidden_code", f"{hidden.kind} {name}")


def _tells(job: Job, relation: RelationInfo, tie: HiddenCode, updated: frozenset[str]) -> bool:
    """Whether an assignment is accepted depends on a protected value that stays: `CHECK (note <> pan)` is an oracle."""
    owner = next(found for found in job.catalog.relations.values() if found.qualified == tie.relation)
    columns = [column for column in owner.columns if column.name in tie.columns]
    hidden = {column.name for column in columns if job.visibility.method(owner, column) is not None}
    if relation.kind is Kind.VIEW:  # its columns may have other names
        return bool(hidden) and hidden != tie.columns
    return bool(tie.columns & updated) and bool(hidden - updated)


def _updated(node: Write) -> Iterator[str]:
    for part in walk(node):
        match part:
            case pb.UpdateStmt() | pb.OnConflictClause():
                yield from (item.res_target.name for item in part.target_list)
            case pb.MergeWhenClause() if part.command_type == pb.CMD_UPDATE:
                yield from (item.res_target.name for item in part.target_list)
            case _:
                continue


def _events(node: Write) -> Iterator[str]:
    match node:
        case pb.InsertStmt():
            yield "insert"
            if node.on_conflict_clause.action == pb.ONCONFLICT_UPDATE:
                yield "update"
        case pb.UpdateStmt():
            yield "update"
        case pb.DeleteStmt():
            yield "delete"
        case pb.MergeStmt():
            for clause in node.merge_when_clauses:
                yield _EVENTS.get(clause.merge_when_clause.command_type, "insert")


def _refuse_reads(job: Job, node: Write, entry: Entry, relation: RelationInfo) -> None:
    inside = locations(node)
    apart = locations(node.returning_clause) if node.HasField("returning_clause") else frozenset()
    if isinstance(node, pb.InsertStmt):
        apart |= locations(node.select_stmt)  # the rows of INSERT come from a query that does not see the target
    for named, column in job.uses(entry):
        if named.start >= 0 and (named.start not in inside or named.start in apart):
            continue
        read = relation.columns if column is None else [relation.column(column)]
        for found in read:
            if found is not None and job.visibility.method(relation, found) is not None:
                raise Refused("statement.target_read", f"{relation.qualified}.{found.name}")
    for name in _changed_inside(node):
        inner = relation.column(name)
        if inner is not None and job.visibility.method(relation, inner) is not None:
            raise Refused("statement.target_read", f"{relation.qualified}.{name}")


def _changed_inside(node: Write) -> Iterator[str]:
    """Columns of which an element or field is assigned: the rest is read, and whether that fails tells what it is."""
    for part in walk(node):
        if isinstance(part, pb.UpdateStmt | pb.MergeWhenClause | pb.OnConflictClause):
            yield from (item.res_target.name for item in _assigned(part) if item.res_target.indirection)


class _Returning:
    """The RETURNING list of one write to a governed target."""

    def __init__(
        self, job: Job, clause: pb.ReturningClause, entry: Entry, reference: Reference, relation: RelationInfo
    ) -> None:
        self._job = job
        self._clause = clause
        self._entry = entry
        self._name = quote(reference.alias)
        self._relation = relation
        self._hidden = {mask.column: mask for mask in job.visibility.masked(relation)}
        self._old_and_new = {"old", "new"} | {option.returning_option.value for option in clause.options}

    def rewrite(self) -> None:
        """Put masks into it. Raises Refused where a reference cannot be replaced."""
        if not self._hidden:
            return
        inside = locations(self._clause)
        whole = {value.location: item.res_target for item in self._clause.exprs if (value := _bare(item)) is not None}
        for named in self._job.understood.named:
            if named.start in inside and named.start >= 0:
                self._one(named, whole.get(named.start))

    def _one(self, named: Named, whole: pb.ResTarget | None) -> None:
        qualifier = self._qualifier(named)
        if qualifier is None:
            return
        spans = self._job.places.parts(named.start)
        if len(spans) != len(named.parts):
            raise Refused("statement.returning_protected", self._relation.qualified)
        start, stop = spans[0].start, spans[-1].stop
        last = named.parts[-1]
        if isinstance(last, Star):
            if whole is None or (len(named.parts) == 1 and not self._alone(named)):
                raise Refused("statement.returning_protected", self._relation.qualified)
            self._job.edits.append(Edit(start, stop, self._job.shown(self._relation, qualifier)))
            self._job.masked |= set(self._hidden.values())
            return
        column = self._relation.column(last)
        if column is None:
            raise Refused("statement.returning_protected", self._relation.qualified)  # a whole row, or a function of it
        if column.name not in self._hidden:
            return
        wanted = self._hidden[column.name]
        text = f"({mask(column, wanted.method, f'{qualifier}.{quote(column.name)}')})"
        text += f" AS {quote(column.name)}" if whole is not None and not whole.name else ""
        self._job.edits.append(Edit(start, stop, text))
        self._job.masked.add(wanted)

    def _qualifier(self, named: Named) -> str | None:
        """What the target goes by in this reference; None when it means something else."""
        if len(named.parts) > 1 and named.parts[-2] in self._old_and_new:
            return quote(named.parts[-2])
        meanings = bind(named, self._job.understood.levels)
        mine = [binding for binding in meanings if binding.entry is self._entry]
        if not mine:
            return None
        star = len(named.parts) == 1 and isinstance(named.parts[0], Star)
        if not star and len(meanings) > len(mine) and any(self._matters(binding.column) for binding in mine):
            raise Refused(
                "statement.returning_protected", f"{self._relation.qualified}: a name that could mean two things"
            )
        return self._name

    def _matters(self, column: str | None) -> bool:
        return column is None or column in self._hidden

    def _alone(self, named: Named) -> bool:
        return self._job.understood.levels[named.level].entries == [self._entry]


def _bare(item: pb.Node) -> pb.ColumnRef | None:
    value = unwrap(item.res_target.val)
    return value if isinstance(value, pb.ColumnRef) else None


def _refuse_masked_writes(job: Job, writes: list[Write]) -> None:
    """A masked value must not be stored as if it were one."""
    storing = [node for node in writes if not isinstance(node, pb.DeleteStmt)]
    storing = [node for node in storing if node.relation.schemaname != "pg_temp"]
    permanent = _permanent_copies(job.nodes)
    if not storing and not permanent:
        return
    stored = job.uses_masks or _returned_masks_travel(job, writes, storing, permanent=permanent)
    wanted = job.posture.write_masked and not any(_assigns_protected(job, node) for node in storing)
    if stored and not wanted:
        raise Refused("statement.masked_write")


def _permanent_copies(nodes: Sequence[Message]) -> bool:
    """CREATE TABLE AS, SELECT INTO or a materialized view that outlives the session."""
    return any(isinstance(node, pb.IntoClause) and node.rel.relpersistence != "t" for node in nodes)


def _returned_masks_travel(job: Job, writes: Sequence[Write], storing: Sequence[Write], *, permanent: bool) -> bool:
    """Rows that one write returns through masks may be stored by another one, or by the statement around it."""
    if not job.masked:
        return False
    return permanent or (len(writes) > 1 and bool(storing))


def _assigns_protected(job: Job, node: Write) -> bool:
    reference = job.reference_at(node.relation)
    relation = job.relation(reference) if reference else None
    if relation is None or not relation.labels:
        return False
    listed = {item.res_target.name for part in walk(node) for item in _assigned(part)}
    protected = {column.name for column in relation.columns if column.labels}
    return not listed or bool(listed & protected)


def _assigned(part: Message) -> Iterator[pb.Node]:
    match part:
        case pb.InsertStmt():
            yield from part.cols
        case pb.UpdateStmt() | pb.MergeWhenClause() | pb.OnConflictClause():
            yield from part.target_list
        case _:
            return
