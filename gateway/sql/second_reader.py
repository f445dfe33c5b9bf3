"""A second opinion: sqlglot must see the same relations as libpg_query, and no column that our walk has not met.

A differential between two parsers is how a name gets past one of them. The other way round a column may be missing:
sqlglot takes `@pan` for a parameter, and a column too many in our facts only makes policy stricter. Where sqlglot
cannot read a statement at all, that is said (`second_reader_unread`), and policy may refuse it.
"""

import logging
from collections import Counter
from collections.abc import Iterator

import sqlglot
from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from sqlglot import exp
from sqlglot.errors import SqlglotError

from gateway.core.statement import Hazard
from gateway.sql import grammar
from gateway.sql.reader import Reading
from gateway.sql.tokens import cut, fold
from gateway.sql.tree import names, unwrap

READ = (exp.Select, exp.SetOperation, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Subquery, exp.Values)
"""What counts as read"""
_AROUND_A_QUERY = (
    pb.ExplainStmt | pb.PrepareStmt | pb.DeclareCursorStmt | pb.CopyStmt | pb.CreateTableAsStmt | pb.ViewStmt
)
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it logs texts, literals and all
_UNREAD = Hazard(code="second_reader_unread")


def compare(text: str, statement: Message, reading: Reading) -> set[Hazard]:
    """Hazards from a comparison of both readers; empty when they agree.

    Of EXPLAIN, PREPARE, DECLARE, COPY, CREATE TABLE AS and CREATE VIEW the query inside is compared.
    """
    inner = _inner(statement)
    ours = Counter(reference.written[-1] for reference in reading.references if reference.role in {"from", "target"})
    met = _met(reading)
    was_read = False
    for attempt in (text, "") if inner is statement else ("",):
        tree = read(attempt or grammar.deparse(inner))
        if tree is not None and Counter(_relations(tree)) == ours and met.issuperset(columns(tree)):
            return set()
        was_read = was_read or tree is not None
    return {Hazard(code="statement.parser_disagreement")} if was_read else {_UNREAD}


def _met(reading: Reading) -> set[str]:
    """Every name our walk took for that of a column, assigned ones and their fields included."""
    found = {part for named in reading.named for part in named.parts}
    for node in reading.nodes:
        match node:
            case pb.InsertStmt():
                assigned = node.cols
            case pb.UpdateStmt() | pb.OnConflictClause() | pb.MergeWhenClause():
                assigned = node.target_list
            case _:
                continue
        for target in assigned:
            found |= {target.res_target.name, *names(target.res_target.indirection)}
    return found


def columns(tree: exp.Expr) -> Iterator[str]:
    """Names sqlglot takes for those of columns. That of a collation is none."""
    for column in tree.find_all(exp.Column):
        collation = isinstance(column.parent, exp.Collate) and column.parent.expression is column
        if isinstance(column.this, exp.Identifier) and not collation:
            yield _name(column.this)


def _name(identifier: exp.Identifier) -> str:
    return cut(identifier.name) if identifier.quoted else fold(identifier.name)


def _inner(statement: Message) -> Message:
    while isinstance(statement, _AROUND_A_QUERY) and statement.HasField("query"):
        statement = unwrap(statement.query)
    return statement


def read(text: str) -> exp.Expr | None:
    """The tree of sqlglot for a statement it really reads; any exception means that it does not."""
    try:
        tree = sqlglot.parse_one(text, read="postgres")
    except (SqlglotError, TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError):
        return None
    return tree if isinstance(tree, READ) and tree.find(exp.Command) is None else None


def _relations(tree: exp.Expr) -> Iterator[str]:
    """Names of relations, those of CTEs left out where they are visible."""
    for table in tree.find_all(exp.Table):
        identifier = table.this
        if isinstance(table.parent, exp.Lock | exp.Into):  # an alias, and what is made
            continue
        if not isinstance(identifier, exp.Identifier):
            continue
        name = _name(identifier)
        if table.args.get("db") is None and name in _ctes(table):
            continue
        yield name


def _ctes(table: exp.Table) -> set[str]:
    """CTE names visible where a table stands; without RECURSIVE a CTE sees only those before it."""
    known: set[str] = set()
    child: exp.Expr = table
    parent = table.parent
    while parent is not None:
        clause = parent.args.get("with_") or parent.args.get("with")
        if isinstance(clause, exp.With) and child is not clause and not _is_target(parent, child):
            known |= {_alias(cte) for cte in clause.expressions}
        if isinstance(parent, exp.With):
            earlier = (
                parent.expressions if parent.args.get("recursive") else parent.expressions[: _index(parent, child)]
            )
            known |= {_alias(cte) for cte in earlier}
        child, parent = parent, parent.parent
    return known


def _is_target(parent: exp.Expr, child: exp.Expr) -> bool:
    """The target of DML is never a CTE."""
    return isinstance(parent, exp.Insert | exp.Update | exp.Delete | exp.Merge) and parent.this is child


def _index(clause: exp.With, child: exp.Expr) -> int:
    return next((n for n, cte in enumerate(clause.expressions) if cte is child), len(clause.expressions))


def _alias(cte: exp.Expr) -> str:
    alias = cte.args.get("alias")
    identifier = alias.this if alias is not None else None
    if not isinstance(identifier, exp.Identifier):
        return ""
    return _name(identifier)
