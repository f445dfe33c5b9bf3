"""Conditions that may be evaluated on rows nobody is to see: `column op constant` with an operator that tells nothing.

Such a comparison gives no error and no message whatever the row holds (`pg_proc.proleakproof`). It is copied below a
row filter's fence, so that an index serves it; the agent's own stays where it was, so the answer is the same whatever
joins lie between.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.sql.bindings import bind
from gateway.sql.catalog import PG_CATALOG
from gateway.sql.job import Job
from gateway.sql.model import Entry
from gateway.sql.objects import ColumnInfo, RelationInfo
from gateway.sql.quoting import quote
from gateway.sql.tree import names, unwrap, walk

_BOOL, _INT4, _TEXT, _VARCHAR = 16, 23, 25, 1043
_UNKNOWN: Final = "unknown"


class _Constant(NamedTuple):
    """A literal or parameter: its text, and its type OID; 0 for one that takes the type of the other side."""

    text: str
    type: int


def conjuncts(condition: Message) -> Iterator[Message]:
    """What is joined by AND at the top."""
    node = unwrap(condition)
    if isinstance(node, pb.BoolExpr) and node.boolop == pb.AND_EXPR:
        for part in node.args:
            yield from conjuncts(part)
    else:
        yield node


def below_fence(job: Job, entry: Entry, relation: RelationInfo, level: int) -> list[str]:
    """Conditions of a query level on a filtered relation that its fence may take in; sorted."""
    selects = [node for node in job.nodes if isinstance(node, pb.SelectStmt) and node.HasField("where_clause")]
    parts = [part for select in selects for part in conjuncts(select.where_clause)]
    return sorted({text for part in parts if (text := leakproof(job, part, (entry, relation, level)))})


def leakproof(job: Job, part: Message, target: tuple[Entry, RelationInfo, int]) -> str:
    """One condition in the words it has below the fence; empty when it may not go there."""
    if not isinstance(part, pb.A_Expr) or part.kind != pb.AEXPR_OP or len(part.name) != 1 or not part.HasField("lexpr"):
        return ""
    (name,) = names(part.name)
    left, right = unwrap(part.lexpr), unwrap(part.rexpr)
    mine, other = (left, right) if isinstance(left, pb.ColumnRef) else (right, left)
    column, constant = _column(job, mine, target), _constant(job, other)
    if column is None or constant is None:
        return ""
    kind = _TEXT if column.base_oid == _VARCHAR else column.base_oid
    sides = [(quote(column.name), kind), (constant.text, constant.type or kind)]
    (a, a_type), (b, b_type) = sides if mine is left else reversed(sides)
    return f"{a} OPERATOR({PG_CATALOG}.{name}) {b}" if _tells_nothing(job, name, a_type, b_type) else ""


def _column(job: Job, node: Message, target: tuple[Entry, RelationInfo, int]) -> ColumnInfo | None:
    """The column of the target, when the reference can mean nothing else and it is shown as it is."""
    entry, relation, level = target
    named = next((found for found in job.understood.named if found.node is node), None)
    if named is None or named.level != level:
        return None
    beside = [found for found in job.understood.levels[level].entries if found is not entry]
    if len(named.parts) == 1 and any(found.relation is None for found in beside):
        return None  # what has unknown columns may have one of that name
    meanings = bind(named, job.understood.levels)
    if len(meanings) != 1 or meanings[0].entry is not entry or meanings[0].column is None:
        return None
    column = relation.column(meanings[0].column)
    return column if column is not None and job.visibility.method(relation, column) is None else None


def _constant(job: Job, node: Message) -> _Constant | None:
    match node:
        case pb.A_Const() if node.HasField("sval") and "\\" not in node.sval.sval:
            return _Constant("'" + node.sval.sval.replace("'", "''") + "'", 0)
        case pb.A_Const() if node.HasField("ival"):
            return _Constant(str(node.ival.ival), _INT4)
        case pb.ParamRef():
            return _parameter(job, node.number)
        case _:
            return None


def _parameter(job: Job, number: int) -> _Constant | None:
    """A parameter whose type is given, or that stands nowhere else: the fence must not decide what it is."""
    name = job.understood.statement.parameters[number - 1].type
    if name == _UNKNOWN:
        uses = [node for node in walk(job.tree) if isinstance(node, pb.ParamRef) and node.number == number]
        return _Constant(f"${number}", 0) if len(uses) == 1 else None
    oid = job.catalog.type_names.get((PG_CATALOG, name))
    return _Constant(f"${number}", oid) if oid else None


def _tells_nothing(job: Job, name: str, left: int, right: int) -> bool:
    """The server's own operator on exactly these types is leakproof, and none of somebody else's is in reach."""
    if any(call.kind == "operator" and call.name == name for call in job.understood.statement.functions):
        return False
    for operator in job.catalog.lookup_operators((PG_CATALOG, name), ()):
        if (operator.left, operator.right, operator.result) == (left, right, _BOOL):
            function = job.catalog.functions.get(operator.function)
            return function is not None and function.leakproof
    return False
