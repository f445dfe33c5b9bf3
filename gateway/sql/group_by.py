"""GROUP BY on a primary key, repaired: a sub-select has no key, so the columns that depended on it must be listed.

The added columns are determined by the key, so the groups stay what they were (PostgreSQL 18, §7.2.3).
"""

from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.bindings import bind, locations
from gateway.sql.edits import Edit
from gateway.sql.job import Job
from gateway.sql.model import Entry, Named, Reference
from gateway.sql.objects import RelationInfo
from gateway.sql.quoting import quote
from gateway.sql.tree import unwrap

_UNGROUPABLE = frozenset({114, 142, 600, 601, 602, 603, 604, 628, 718})
"""type OIDs without equality: json, xml and the geometric types"""
_T = pb.Token


def repair_groups(job: Job) -> None:
    """Add what each GROUP BY of a spliced relation's key needs."""
    selects = [node for node in job.nodes if isinstance(node, pb.SelectStmt) and node.group_clause]
    for select in selects:
        elements = [unwrap(element) for element in select.group_clause]
        keys = [element for element in elements if isinstance(element, pb.ColumnRef)]
        if not keys or any(isinstance(element, pb.GroupingSet) for element in elements):
            continue
        grouped = [named for named in job.understood.named if named.start in {key.location for key in keys}]
        for reference, relation, name in job.spliced:
            entry = job.entry(reference)
            if entry is not None and all(named.level == reference.level for named in grouped):
                _repair(job, select, grouped, (reference, relation, name, entry))


def _repair(
    job: Job, select: pb.SelectStmt, grouped: list[Named], target: tuple[Reference, RelationInfo, str, Entry]
) -> None:
    reference, relation, name, entry = target
    listed = {
        binding.column
        for named in grouped
        for binding in bind(named, job.understood.levels)
        if binding.entry is entry and binding.column is not None
    }
    key = {column.name for column in relation.columns if column.attnum in relation.primary_key}
    if not key or not key <= listed:
        return
    used = _used(job, select, entry, relation) - listed
    visible = dict(zip((column.name for column in relation.columns), _visible(reference, relation), strict=True))
    added = [f"{name}.{quote(visible[column.name])}" for column in relation.columns if column.name in used]
    if used and _takes_whole_rows(job, select, entry) and all(c.base_oid not in _UNGROUPABLE for c in relation.columns):
        added.append(f"{name}.*")  # the row is an expression of its own: listing all of its columns does not cover it
    if added:
        at = _behind_group_by(job, min(named.start for named in grouped))
        job.edits.append(Edit(at, at, f" {', '.join(added)},"))


def _used(job: Job, select: pb.SelectStmt, entry: Entry, relation: RelationInfo) -> set[str]:
    """Columns named where grouping matters: not in FROM or WHERE, and not of a type that cannot be grouped."""
    groupable = {column.name for column in relation.columns if column.base_oid not in _UNGROUPABLE}
    apart = locations(*select.from_clause, select.where_clause)
    used: set[str] = set()
    for named, column in job.uses(entry):
        if named.start >= 0 and named.start not in apart:
            used |= groupable if column is None else {column} & groupable
    return used


def _takes_whole_rows(job: Job, select: pb.SelectStmt, entry: Entry) -> bool:
    apart = locations(*select.from_clause, select.where_clause)
    return any(column is None and named.start not in apart for named, column in job.uses(entry))


def _visible(reference: Reference, relation: RelationInfo) -> list[str]:
    own = [column.name for column in relation.columns]
    return [*reference.column_aliases[: len(own)], *own[len(reference.column_aliases) :]]


def _behind_group_by(job: Job, first: int) -> int:
    """The end of the nearest `GROUP BY [ALL | DISTINCT]` before a byte offset."""
    tokens = job.places.tokens
    for index in range(job.places.at(first), 0, -1):
        if tokens[index].token == _T.BY and tokens[index - 1].token == _T.GROUP_P:
            behind = index + 1 if tokens[index + 1].token in {_T.ALL, _T.DISTINCT} else index
            return tokens[behind].end
    raise Refused("statement.cannot_rewrite", "GROUP BY does not stand where it should")
