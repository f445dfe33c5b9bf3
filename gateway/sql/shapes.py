"""Coarse form of a statement, and the classes of its parameters."""

from collections.abc import Iterable

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.statement import Shape
from gateway.sql.tree import unwrap, walk

_CLASSES = {"N": "number", "S": "text", "D": "temporal", "T": "temporal", "B": "boolean", "A": "array"}
_BY_NAME = {"bytea": "binary", "json": "json", "jsonb": "json", "uuid": "uuid"}


def parameter_class(name: str, category: str) -> str:
    """The class of a type, by its name and `pg_type.typcategory`."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    return _CLASSES.get(category, "unknown" if name == "unknown" else "other")


def shape_of(tree: Message, nodes: Iterable[Message]) -> Shape:
    """The form of the outermost query, or of what EXPLAIN, COPY, DECLARE or PREPARE run. `nodes`: all of the tree."""
    inner = tree
    while isinstance(inner, pb.ExplainStmt | pb.PrepareStmt | pb.DeclareCursorStmt | pb.CopyStmt):
        if not inner.HasField("query"):
            return Shape()
        inner = unwrap(inner.query)
    match inner:
        case pb.SelectStmt():
            return _select(inner, nodes)
        case pb.UpdateStmt() | pb.DeleteStmt():
            return Shape(has_where=_conditional(nodes))
        case pb.InsertStmt() if inner.on_conflict_clause.action == pb.ONCONFLICT_UPDATE:
            return Shape(has_where=_conditional(nodes))  # the conflict is the condition
        case _:
            return Shape()


def _conditional(nodes: Iterable[Message]) -> bool:
    """Every UPDATE and DELETE has a condition, those in WITH included: one without would change all rows."""
    return all(node.HasField("where_clause") for node in nodes if isinstance(node, pb.UpdateStmt | pb.DeleteStmt))


def _select(select: pb.SelectStmt, nodes: Iterable[Message]) -> Shape:
    sources = [unwrap(source) for source in select.from_clause]
    joins = [node for source in sources for node in walk(source) if isinstance(node, pb.JoinExpr)]
    unconditional = any(not join.HasField("quals") and not join.using_clause and not join.is_natural for join in joins)
    return Shape(
        has_where=select.HasField("where_clause") and _conditional(nodes),
        limit=select.HasField("limit_count"),
        joins=len(joins),
        cartesian=unconditional or (len(sources) > 1 and not select.HasField("where_clause")),
        set_operation=select.op != pb.SETOP_NONE,
        locking=bool(select.locking_clause),
    )
