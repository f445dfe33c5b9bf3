"""Row filters: the condition is checked before it becomes part of a statement, and its sub-select is a barrier.

The sub-select of a filtered relation ends in `OFFSET 0`: without that fence the planner may run the agent's predicate
on rows the filter hides, and an error or a message would tell what is in them.
"""

from collections.abc import Iterable, Sequence

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.core.verdict import RowFilter
from gateway.sql import grammar
from gateway.sql.catalog import Catalog
from gateway.sql.job import Job
from gateway.sql.objects import RelationInfo
from gateway.sql.tree import names, unwrap, walk

_REFUSED_NODES = (pb.SubLink, pb.SelectStmt, pb.ParamRef, pb.WindowDef, pb.A_Star)
_T = pb.Token


def conditions(filters: Iterable[RowFilter], catalog: Catalog) -> dict[int, str]:
    """Relation OID → the AND of its conditions. Raises Refused for one that cannot be applied."""
    found: dict[int, list[str]] = {}
    for wanted in filters:
        oid = catalog.relation_names.get((wanted.schema, wanted.relation))
        if oid is None:
            raise Refused("obligation.unsupported", f"a row filter on {wanted.schema}.{wanted.relation}")
        _check(wanted.sql, catalog.relations[oid])
        found.setdefault(oid, []).append(wanted.sql)
    return {oid: " AND ".join(f"({sql})" for sql in sorted(set(parts))) for oid, parts in found.items()}


def _check(sql: str, relation: RelationInfo) -> None:
    """One expression over the relation's own columns: no query, parameter or comment; parentheses that pair up."""
    where = f"the row filter of {relation.qualified}"
    try:
        statements = grammar.read(f"SELECT WHERE ({sql}\n)")
        tokens = [token.token for token in grammar.scan(sql, comments=True)]
    except Refused as error:
        raise Refused("obligation.unsupported", where) from error
    select = unwrap(statements[0].stmt)
    if (
        not _is_closed(tokens)
        or len(statements) != 1
        or not isinstance(select, pb.SelectStmt)
        or not _is_condition_only(select)
    ):
        raise Refused("obligation.unsupported", where)
    for node in walk(select.where_clause):
        if isinstance(node, _REFUSED_NODES) or (isinstance(node, pb.ColumnRef) and not _is_own(node, relation)):
            raise Refused("obligation.unsupported", where)


def _is_closed(tokens: Sequence[int]) -> bool:
    depth = 0
    for token in tokens:
        depth += (token == _T.ASCII_40) - (token == _T.ASCII_41)
        if depth < 0 or token in {_T.SQL_COMMENT, _T.C_COMMENT}:
            return False
    return depth == 0


def _is_condition_only(select: pb.SelectStmt) -> bool:
    return {field.name for field, _ in select.ListFields()} <= {"where_clause", "limit_option", "op"}


def _is_own(node: Message, relation: RelationInfo) -> bool:
    if not isinstance(node, pb.ColumnRef):
        return False
    parts = names(node.fields)
    return len(parts) == 1 and relation.column(parts[0]) is not None


def guard_fences(job: Job) -> None:
    """A lock would reach below a fence; EXPLAIN would show what it costs, and so what is there. Raises Refused.

    `explain.py` leaves the estimates out.
    """
    if not any(relation.oid in job.filters for _, relation, _ in job.spliced):
        return
    if any(isinstance(node, pb.LockingClause) for node in job.nodes):
        raise Refused("statement.filter_not_applicable", "row locks")
    explain = next((node for node in job.nodes if isinstance(node, pb.ExplainStmt)), None)
    if explain is None:
        return
    if any(option.def_elem.defname in {"analyze", "costs"} for option in explain.options):
        raise Refused("statement.filter_not_applicable", "EXPLAIN with ANALYZE or COSTS")
