"""Definitions on governed relations: only forms without an expression or a query.

Two RENAMEs in one transaction swapped names under the snapshot and read a raw value; a CHECK is an oracle; ADD FOREIGN
KEY prints a stored key. So what is not listed here is refused, whatever policy said.
"""

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.job import Job
from gateway.sql.sources import refuse_unfiltered_relative
from gateway.sql.targets import refuse_hidden_code
from gateway.sql.tree import unwrap, walk

_INNER = (pb.SelectStmt, pb.InsertStmt, pb.UpdateStmt, pb.DeleteStmt, pb.MergeStmt)
_WRAPPERS = (pb.ExplainStmt, pb.PrepareStmt, pb.DeclareCursorStmt, pb.CreateTableAsStmt, pb.ViewStmt)
_QUERIES = (*_INNER, *_WRAPPERS, pb.LockStmt)
"""Statements whose sources are spliced and whose targets are checked; LOCK shows nothing."""
_READ_ROWS_ONLY = (pb.VacuumStmt, pb.DropStmt)
_HARMLESS_COLUMN = frozenset({pb.CONSTR_NULL})


def refuse_governed_ddl(job: Job, tree: Message) -> None:
    """Raise Refused for a command that names a governed relation and is not known to be safe."""
    named = [
        relation
        for reference in job.understood.references
        if reference.role not in {"from", "target"}
        and (relation := job.relation(reference)) is not None
        and job.governed(relation)
    ]
    match tree:
        case pb.TruncateStmt():
            for relation in named:
                refuse_hidden_code(job, relation, frozenset({"truncate"}))
                refuse_unfiltered_relative(job, relation)
                if relation.oid in job.filters:
                    raise Refused("statement.filter_not_applicable", f"TRUNCATE of {relation.qualified}")
        case pb.AlterTableStmt() if all(_adds_plain_column(unwrap(command)) for command in tree.cmds):
            return
        case pb.ViewStmt() | pb.CreateTableAsStmt() | pb.SelectStmt() if named and _is_temporary(tree):
            raise Refused("statement.governed_ddl", f"a temporary relation in front of {named[0].qualified}")
        case _:
            if named and not isinstance(tree, (*_QUERIES, *_READ_ROWS_ONLY)):
                raise Refused("statement.governed_ddl", named[0].qualified)
            if any(True for _ in job.sources()) and not isinstance(tree, (*_QUERIES, pb.CopyStmt)):
                raise Refused("statement.governed_ddl", "a query inside a definition")


def _is_temporary(tree: Message) -> bool:
    """It makes a relation of this session alone, which is found before others of its name."""
    made = [node.rel for node in walk(tree) if isinstance(node, pb.IntoClause)]
    made += [tree.view] if isinstance(tree, pb.ViewStmt) else []
    return any(relation.relpersistence == "t" for relation in made)


def _adds_plain_column(command: Message) -> bool:
    """ADD COLUMN name type, without default, constraint or expression."""
    if not isinstance(command, pb.AlterTableCmd) or command.subtype != pb.AT_AddColumn:
        return False
    column = unwrap(getattr(command, "def"))
    plain = isinstance(column, pb.ColumnDef) and not column.HasField("raw_default")
    constraints = [node for node in walk(column) if isinstance(node, pb.Constraint)]
    return plain and all(constraint.contype in _HARMLESS_COLUMN for constraint in constraints)
