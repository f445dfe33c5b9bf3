"""UPDATE and DELETE of a filtered relation: only rows the filter shows are changed, and no other is looked at.

A target cannot be spliced. Where the agent's whole condition is leakproof the filter is added to it. Else the rows are
chosen behind the fence and taken by their key: `WHERE key IN (SELECT key FROM (fenced) AS t WHERE condition)`.
"""

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.bindings import locations
from gateway.sql.edits import Edit
from gateway.sql.job import Job
from gateway.sql.leakproof import conjuncts, leakproof
from gateway.sql.lineage import SYSTEM_COLUMNS
from gateway.sql.model import Entry, Reference
from gateway.sql.objects import RelationInfo
from gateway.sql.quoting import quote
from gateway.sql.sources import derived
from gateway.sql.tree import walk

_T = pb.Token
_DEPTH = {_T.ASCII_40: 1, _T.ASCII_91: 1, _T.ASCII_41: -1, _T.ASCII_93: -1}
_PLAIN_PARTS = len(("range", "column"))


def filter_write(job: Job, node: Message, reference: Reference, relation: RelationInfo, entry: Entry) -> None:
    """Add the filter to a write of its relation. Raises Refused where it cannot be applied."""
    key = [column.name for column in relation.columns if column.attnum in relation.primary_key]
    match node:
        case pb.UpdateStmt() if not node.from_clause:
            # Whether a new key is accepted says whether a hidden row has it.
            fits = not {target.res_target.name for target in node.target_list} & set(key)
        case pb.DeleteStmt():
            fits = not node.using_clause
        case _:
            fits = False
    beyond = any(isinstance(other, pb.ExplainStmt) for other in job.nodes) or any(
        isinstance(part, pb.CurrentOfExpr) for part in walk(node)
    )
    if not fits or beyond or not isinstance(node, pb.UpdateStmt | pb.DeleteStmt):
        raise Refused("statement.filter_not_applicable", f"a write to {relation.qualified}")
    condition = job.filters[relation.oid]
    if not node.HasField("where_clause"):
        end = _end(job, job.places.at(reference.name.start))
        job.edits.append(Edit(end, end, f" WHERE ({condition})"))
        return
    start, end = _condition(job, node.where_clause)
    target = (entry, relation, reference.level)
    if all(leakproof(job, part, target) for part in conjuncts(node.where_clause)):
        job.edits.append(Edit(end, end, f" AND ({condition})"))
        return
    _refuse_reaching_out(job, node.where_clause, relation)
    if not key:
        raise Refused("statement.filter_not_applicable", f"a write to {relation.qualified}, which has no key")
    name = quote(reference.alias)
    listed = ", ".join(f"{name}.{quote(column)}" for column in key)
    fenced = f"{derived(job, relation, only=reference.only)} AS {name}"
    job.edits.append(Edit(start, start, f" ({listed}) IN (SELECT {listed} FROM {fenced} WHERE ("))
    job.edits.append(Edit(end, end, "))"))


def _refuse_reaching_out(job: Job, condition: Message, relation: RelationInfo) -> None:
    """Behind the fence the condition has to mean the fence's columns: what would mean the target's row is refused."""
    inside = locations(condition)
    if any(
        len(named.parts) > _PLAIN_PARTS or named.parts[-1] in SYSTEM_COLUMNS
        for named in job.understood.named
        if named.start in inside
    ):
        raise Refused("statement.filter_not_applicable", f"a write to {relation.qualified} by what is not its column")


def _condition(job: Job, condition: Message) -> tuple[int, int]:
    """Where a WHERE clause's expression starts and ends, in bytes."""
    places = [place for node in walk(condition) if (place := getattr(node, "location", -1)) >= 0]
    tokens = job.places.tokens
    for index in range(job.places.at(min(places)) if places else -1, -1, -1):
        if tokens[index].token == _T.WHERE:
            return tokens[index].end, _end(job, index + 1)
    raise Refused("statement.cannot_rewrite", "WHERE does not stand where it should")


def _end(job: Job, index: int) -> int:
    """The end of the last token before RETURNING, the parenthesis around the statement, or its end."""
    tokens, depth = job.places.tokens, 0
    for at in range(index, len(tokens)):
        kind = tokens[at].token
        depth += _DEPTH.get(kind, 0)
        if depth < 0 or (depth == 0 and kind in {_T.RETURNING, _T.ASCII_59}):
            return tokens[at - 1].end
    return tokens[-1].end
