"""What a statement is called: action and category of the input document, from the root of libpg_query's tree."""

from typing import Final, NamedTuple

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.sql.tree import unwrap


class KindOf(NamedTuple):
    """Action and category, as the input document has them."""

    action: str
    category: str


READ, WRITE, DDL, DCL, SESSION = "read", "write", "ddl", "dcl", "session"
TRANSACTION, PROCEDURE, ADMIN = "transaction", "procedure", "admin"

_PLAIN: Final[dict[str, KindOf]] = {
    "SelectStmt": KindOf("select", READ),
    "InsertStmt": KindOf("insert", WRITE),
    "UpdateStmt": KindOf("update", WRITE),
    "DeleteStmt": KindOf("delete", WRITE),
    "MergeStmt": KindOf("merge", WRITE),
    "TruncateStmt": KindOf("truncate", WRITE),
    "CallStmt": KindOf("call", PROCEDURE),
    "DoStmt": KindOf("do", PROCEDURE),
    "ExecuteStmt": KindOf("execute", SESSION),
    "DeallocateStmt": KindOf("deallocate", SESSION),
    "FetchStmt": KindOf("fetch", READ),
    "ClosePortalStmt": KindOf("close", SESSION),
    "ListenStmt": KindOf("listen", SESSION),
    "UnlistenStmt": KindOf("unlisten", SESSION),
    "NotifyStmt": KindOf("notify", SESSION),
    "DiscardStmt": KindOf("discard", SESSION),
    "VariableShowStmt": KindOf("show", SESSION),
    "ConstraintsSetStmt": KindOf("set_constraints", TRANSACTION),
    "LockStmt": KindOf("lock", TRANSACTION),
    "GrantStmt": KindOf("grant", DCL),
    "GrantRoleStmt": KindOf("grant", DCL),
    "AlterDefaultPrivilegesStmt": KindOf("grant", DCL),
    "CreateRoleStmt": KindOf("create_role", DCL),
    "AlterRoleStmt": KindOf("alter_role", DCL),
    "AlterRoleSetStmt": KindOf("alter_role", DCL),
    "DropRoleStmt": KindOf("drop_role", DCL),
    "ReassignOwnedStmt": KindOf("reassign_owned", DCL),
    "DropOwnedStmt": KindOf("drop_owned", DCL),
    "CommentStmt": KindOf("comment", DDL),
    "SecLabelStmt": KindOf("security_label", DDL),
    "RenameStmt": KindOf("alter", DDL),
    "RefreshMatViewStmt": KindOf("refresh", DDL),
    "ImportForeignSchemaStmt": KindOf("create", DDL),
    "ViewStmt": KindOf("create", DDL),
    "IndexStmt": KindOf("create", DDL),
    "RuleStmt": KindOf("create", DDL),
    "DefineStmt": KindOf("create", DDL),
    "CompositeTypeStmt": KindOf("create", DDL),
    "VacuumStmt": KindOf("vacuum", ADMIN),
    "ClusterStmt": KindOf("cluster", ADMIN),
    "ReindexStmt": KindOf("reindex", ADMIN),
    "CheckPointStmt": KindOf("checkpoint", ADMIN),
    "LoadStmt": KindOf("load", ADMIN),
    "AlterSystemStmt": KindOf("alter_system", ADMIN),
    "CreatedbStmt": KindOf("create_database", ADMIN),
    "DropdbStmt": KindOf("drop_database", ADMIN),
}
_BY_PREFIX: Final = (("Create", "create"), ("Alter", "alter"), ("Drop", "drop"))
_TRANSACTION: Final = {
    pb.TRANS_STMT_BEGIN: "begin",
    pb.TRANS_STMT_START: "begin",
    pb.TRANS_STMT_COMMIT: "commit",
    pb.TRANS_STMT_ROLLBACK: "rollback",
    pb.TRANS_STMT_SAVEPOINT: "savepoint",
    pb.TRANS_STMT_RELEASE: "release",
    pb.TRANS_STMT_ROLLBACK_TO: "rollback_to",
    pb.TRANS_STMT_PREPARE: "prepare_transaction",
    pb.TRANS_STMT_COMMIT_PREPARED: "commit_prepared",
    pb.TRANS_STMT_ROLLBACK_PREPARED: "rollback_prepared",
}
_WITHOUT_ACTION: Final = KindOf("unknown", ADMIN)


def kind_of(node: Message) -> KindOf:  # noqa: PLR0911 -- one line a kind of statement
    """The kind of a root node. A statement that runs another one is as strong as the strongest part of it."""
    match node:
        case pb.SelectStmt():
            return KindOf("select", READ) if not _into(node) else KindOf("create_table_as", DDL)
        case pb.TransactionStmt():
            return KindOf(_TRANSACTION.get(node.kind, "unknown"), TRANSACTION)
        case pb.VariableSetStmt():
            reset = node.kind in {pb.VAR_RESET, pb.VAR_RESET_ALL}
            return KindOf("reset" if reset else "set", SESSION)
        case pb.CopyStmt():
            return KindOf("copy_in", WRITE) if node.is_from else KindOf("copy_out", READ)
        case pb.ExplainStmt():
            inner = kind_of(unwrap(node.query))
            return inner if analyzes(node) and inner.category != READ else KindOf("explain", READ)
        case pb.PrepareStmt() | pb.DeclareCursorStmt():
            return kind_of(unwrap(node.query))
        case pb.CreateTableAsStmt():
            return KindOf("create_table_as", DDL)
        case pb.VacuumStmt():
            return KindOf("vacuum" if node.is_vacuumcmd else "analyze", ADMIN)
        case pb.GrantStmt() | pb.GrantRoleStmt():
            return KindOf("grant" if node.is_grant else "revoke", DCL)
        case _:
            return _by_name(type(node).__name__)


def kind_of_execute(node: Message, inner: KindOf) -> KindOf:
    """The kind of a statement that runs a prepared one: of EXECUTE itself, or of EXPLAIN or CREATE TABLE AS over it."""
    match node:
        case pb.ExplainStmt():
            return inner if analyzes(node) and inner.category != READ else KindOf("explain", READ)
        case pb.ExecuteStmt():
            return inner
        case _:
            return kind_of(node)


def analyzes(node: pb.ExplainStmt) -> bool:
    """EXPLAIN ANALYZE runs what it explains. Any spelling of the option counts, even `off`: better too strict."""
    options = [unwrap(option) for option in node.options]
    return any(isinstance(option, pb.DefElem) and option.defname.lower() == "analyze" for option in options)


def _by_name(name: str) -> KindOf:
    if name in _PLAIN:
        return _PLAIN[name]
    for prefix, action in _BY_PREFIX:
        if name.startswith(prefix):
            return KindOf(action, DDL)
    return _WITHOUT_ACTION


def _into(node: pb.SelectStmt) -> bool:
    return node.HasField("into_clause") or (node.HasField("larg") and _into(node.larg))
