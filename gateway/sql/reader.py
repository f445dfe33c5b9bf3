"""One walk over libpg_query's tree: every relation with its place, every column name with its clause and query level.

Scopes are PostgreSQL's (18, §7.2 and §7.8): a CTE hides a relation only where it is visible, never a target of DML;
without RECURSIVE only later siblings see it. A node type that is not listed in `nodes.py` is a hazard, not a pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.statement import Hazard
from gateway.sql.catalog import Catalog
from gateway.sql.model import Entry, Level, Named, Reference, Span
from gateway.sql.nodes import CARRIERS, KNOWN
from gateway.sql.objects import RelationInfo
from gateway.sql.places import Places
from gateway.sql.tree import STAR, Star, children, names, unwrap, walk
from gateway.sql.worded import Words, worded

_CLAUSES = {
    "target_list": "select", "distinct_clause": "select", "where_clause": "where", "group_clause": "group",
    "having_clause": "having", "sort_clause": "order", "window_clause": "window", "limit_offset": "limit",
    "limit_count": "limit", "values_lists": "select", "returning_list": "returning", "from_clause": "join",
}  # fmt: skip


_BETWEEN = dict.fromkeys(
    (pb.AEXPR_BETWEEN, pb.AEXPR_NOT_BETWEEN, pb.AEXPR_BETWEEN_SYM, pb.AEXPR_NOT_BETWEEN_SYM),
    (("<",), ("<=",), (">",), (">=",)),
)
"""What BETWEEN is made of"""
_SYNTAX = {
    "JsonScalarExpr": "json_scalar", "JsonParseExpr": "json", "JsonSerializeExpr": "json_serialize",
    "JsonObjectConstructor": "json_object", "JsonObjectAgg": "json_objectagg", "JsonArrayConstructor": "json_array",
    "JsonArrayAgg": "json_arrayagg", "JsonTable": "json_table", "MergeSupportFunc": "merge_action",
}  # fmt: skip
"""Functions of the grammar that an older server takes for calls of somebody's own function"""
_JSON_FUNCTIONS = {
    pb.JSON_EXISTS_OP: "json_exists", pb.JSON_QUERY_OP: "json_query", pb.JSON_VALUE_OP: "json_value",
    pb.JSON_TABLE_OP: "json_table",
}  # fmt: skip
_VALUES = (pb.A_Const, pb.String, pb.Integer, pb.Float, pb.Boolean, pb.BitString, pb.A_Star)
_PLAIN = frozenset({*_VALUES, pb.List, pb.ColumnRef, pb.ResTarget, pb.TypeName, pb.ParamRef})
_ALIASED = (pb.RangeFunction, pb.RangeTableFunc, pb.JsonTable)


@dataclass(slots=True)
class Call:
    """A function, operator or type name as written, and what it is used as."""

    parts: tuple[str, ...]
    kind: str
    node: Message


@dataclass(slots=True)
class Reading:
    """What the walk found."""

    catalog: Catalog
    search_path: tuple[str, ...]
    places: Places
    parameter_types: tuple[int, ...] = ()
    nodes: tuple[Message, ...] = ()
    """every message of the statement but plain values and names, depth first"""
    references: list[Reference] = field(default_factory=list)
    writes: dict[int, set[str]] = field(default_factory=dict)
    """index of a reference to a target → insert, update, delete, merge"""
    named: list[Named] = field(default_factory=list)
    levels: dict[int, Level] = field(default_factory=dict)
    worded: list[RelationInfo | Words] = field(default_factory=list)
    """relations named by words; those the snapshot does not know by their name"""
    calls: list[Call] = field(default_factory=list)
    parameters: set[int] = field(default_factory=set)
    hazards: set[Hazard] = field(default_factory=set)

    def read(self, statement: Message) -> None:
        """Walk one statement."""
        self.nodes = tuple(node for node in walk(statement) if type(node) not in _PLAIN)
        for node in self.nodes:
            for words in worded(node):
                self.worded.append(self.catalog.resolve(words[-2:], self.search_path) or words)
        level = self._level(None)
        if isinstance(statement, pb.CopyStmt) and statement.HasField("relation"):
            self._copy(statement, level)
        else:
            self._any(statement, level, {}, "select")

    def _copy(self, node: pb.CopyStmt, level: Level) -> None:
        """COPY of a relation: it is read when it goes out, written when it comes in."""
        self._calls(node)
        self._relation(node.relation, level, {}, "ddl" if node.is_from else "copied")
        for name, child in children(node):
            if name != "relation":
                self._any(child, level, {}, _CLAUSES.get(name, "select"))

    def _level(self, outer: Level | None) -> Level:
        level = Level(len(self.levels), outer)
        self.levels[level.number] = level
        return level

    def _any(self, node: Message, level: Level, ctes: Mapping[str, object], clause: str) -> None:  # noqa: C901 -- a kind a case
        """Any node. Those that open scopes have their own reader; the rest are walked through."""
        if isinstance(node, _VALUES):
            return
        kind = type(node).__name__
        if kind == "Node":
            return  # an empty place in a list
        if kind not in KNOWN:
            self.hazards.add(Hazard(code="statement.unanalysable", detail=f"unknown construct {kind}"))
        if kind in CARRIERS or _moves_names(node):
            self.hazards.add(Hazard(code="statement.carries_code", detail=kind))
        match node:
            case pb.SelectStmt():
                self._select(node, self._level(level), ctes)
            case pb.InsertStmt() | pb.UpdateStmt() | pb.DeleteStmt() | pb.MergeStmt():
                self._change(node, self._level(level), ctes)
            case pb.RangeVar():
                self._relation(node, level, {}, "ddl")
            case pb.ColumnRef():
                self._column(node, level, clause)
            case pb.LockingClause() | pb.Alias():
                return
            case pb.MultiAssignRef() if node.colno > 1:
                return  # `(a, b) = (SELECT …)`: the tree repeats the source for each column
            case _:
                self._calls(node)
                for name, child in children(node):
                    self._any(child, level, ctes, _CLAUSES.get(name, clause) if name == "window_clause" else clause)

    def _calls(self, node: Message) -> None:  # noqa: C901 -- a kind a case
        match node:
            case pb.FuncCall():
                self.calls.append(Call(names(node.funcname), "function", node))
            case pb.A_Expr():
                for name in _BETWEEN.get(node.kind, (names(node.name),)):
                    self.calls.append(Call(name, "operator", node))
            case pb.CaseExpr() if node.HasField("arg"):
                self.calls.append(Call(("=",), "operator", node))
            case pb.SubLink() if node.HasField("testexpr"):
                self.calls.append(Call(names(node.oper_name) or ("=",), "operator", node))
            case pb.SortBy() if node.use_op:
                self.calls.append(Call(names(node.use_op), "operator", node))
            case pb.TypeName():
                self.calls.append(Call(names(node.names), "cast", node))
            case pb.JsonFuncExpr():
                self.calls.append(Call((_JSON_FUNCTIONS.get(node.op, ""),), "syntax", node))
            case pb.ParamRef():
                self.parameters.add(node.number)
            case pb.CopyStmt() if node.filename or node.is_program:
                self.hazards.add(Hazard(code="copy.server_file"))
            case _ if type(node).__name__ in _SYNTAX:
                self.calls.append(Call((_SYNTAX[type(node).__name__],), "syntax", node))
            case _:
                return

    def _select(self, node: pb.SelectStmt, level: Level, ctes: Mapping[str, object]) -> None:
        ctes = self._with(node.with_clause, level, ctes)
        if node.op != pb.SETOP_NONE:
            self._select(node.larg, self._level(level.outer), ctes)
            self._select(node.rarg, self._level(level.outer), ctes)
        for source in node.from_clause:
            self._source(unwrap(source), level, ctes)
        for name, child in children(node):
            if name not in {"with_clause", "from_clause", "larg", "rarg"}:
                self._any(child, level, ctes, _CLAUSES.get(name, "select"))

    def _with(self, clause: pb.WithClause, level: Level, ctes: Mapping[str, object]) -> Mapping[str, object]:
        known = dict(ctes)
        found = [unwrap(item) for item in clause.ctes]
        if clause.recursive:
            known |= {cte.ctename: cte for cte in found if isinstance(cte, pb.CommonTableExpr)}
        for cte in found:
            if isinstance(cte, pb.CommonTableExpr):
                self._any(unwrap(cte.ctequery), level, known, "select")
                for name, child in children(cte):
                    if name != "ctequery":
                        self._any(child, level, known, "select")
                known[cte.ctename] = cte
        return known

    def _change(
        self,
        node: pb.InsertStmt | pb.UpdateStmt | pb.DeleteStmt | pb.MergeStmt,
        level: Level,
        ctes: Mapping[str, object],
    ) -> None:
        """INSERT, UPDATE, DELETE, MERGE. A CTE never hides their target."""
        ctes = self._with(node.with_clause, level, ctes)
        self.writes[len(self.references)] = _writes(node)
        self._relation(node.relation, level, {}, "target")
        if isinstance(node, pb.InsertStmt):
            self._conflict(node.on_conflict_clause.infer, level)
        for name, child in children(node):
            match name:
                case "with_clause" | "relation":
                    continue
                case "from_clause" | "using_clause" | "source_relation":
                    self._source(child, level, ctes)
                case "where_clause" | "join_condition":
                    self._any(child, level, ctes, "where" if name == "where_clause" else "join")
                case "target_list" | "merge_when_clauses" | "on_conflict_clause":
                    self._any(child, level, ctes, "set")
                case "cols":
                    self._any(child, level, ctes, "insert")
                case "returning_list" | "returning_clause":
                    self._any(child, level, ctes, "returning")
                case _:
                    self._any(child, level, ctes, "insert")

    def _conflict(self, infer: pb.InferClause, level: Level) -> None:
        """`ON CONFLICT (column)` compares: the server asks for the right to read that column."""
        for element in infer.index_elems:
            if element.index_elem.name:
                parts = (element.index_elem.name,)
                self.named.append(Named(node=infer, parts=parts, level=level.number, clause="where", start=-1))

    def _source(self, node: Message, level: Level, ctes: Mapping[str, object]) -> None:  # noqa: C901, PLR0912 -- a kind a case
        """An entry of FROM, USING or a join."""
        match node:
            case pb.RangeVar():
                self._relation(node, level, ctes, "from")
            case pb.JoinExpr():
                first = len(level.entries)
                self._source(unwrap(node.larg), level, ctes)
                self._source(unwrap(node.rarg), level, ctes)
                if node.using_clause or node.is_natural:
                    self.calls.append(Call(("=",), "operator", node))
                if node.is_natural:  # whatever names both sides have
                    star = (Star(STAR),)
                    self.named.append(Named(node=node, parts=star, level=level.number, clause="join", start=-1))
                for column in names(node.using_clause):
                    self.named.append(Named(node=node, parts=(column,), level=level.number, clause="join", start=-1))
                if node.HasField("quals"):
                    self._any(unwrap(node.quals), level, ctes, "join")
                joined = tuple(level.entries[first:])
                for alias in (node.alias, node.join_using_alias):
                    if alias.aliasname:
                        level.entries.append(Entry(alias.aliasname, renamed=names(alias.colnames), members=joined))
            case pb.RangeTableSample():
                relation = unwrap(node.relation)
                if isinstance(relation, pb.RangeVar):
                    self._relation(relation, level, ctes, "from", self.places.sample(node.location))
                self.calls.append(Call(names(node.method), "function", node))
                for name, child in children(node):
                    if name in {"args", "repeatable"}:
                        self._any(child, level, ctes, "join")
            case pb.RangeSubselect():
                self._any(unwrap(node.subquery), level, ctes, "select")
                level.entries.append(Entry(node.alias.aliasname, renamed=names(node.alias.colnames)))
            case _:
                self._any(node, level, ctes, "join")
                named = node.alias.aliasname if isinstance(node, _ALIASED) else ""
                level.entries.append(Entry(named or _function_name(node)))

    def _relation(
        self, node: pb.RangeVar, level: Level, ctes: Mapping[str, object], role: str, sample: Span | None = None
    ) -> None:
        alias = node.alias
        if not node.schemaname and not node.catalogname and node.relname in ctes:
            level.entries.append(Entry(alias.aliasname or node.relname, renamed=names(alias.colnames)))
            return
        parts = tuple(part for part in (node.schemaname, node.relname) if part)
        relation = self.catalog.resolve(parts, self.search_path)
        if relation is None and self.catalog.encoding != "UTF8" and not "".join(parts).isascii():
            self.hazards.add(Hazard(code="statement.unanalysable", detail="a name outside ASCII"))
        self.references.append(
            Reference(
                node=node,
                name=self.places.relation(node.location, only=not node.inh and role != "ddl"),
                oid=relation.oid if relation else None,
                written=tuple(part for part in (node.catalogname, *parts) if part),
                alias=alias.aliasname or node.relname,
                has_alias=bool(alias.aliasname),
                column_aliases=names(alias.colnames),
                only=not node.inh,
                sample=sample,
                role=role,
                level=level.number,
            )
        )
        schema = relation.schema if relation and not alias.aliasname else ""
        renamed = names(alias.colnames)
        level.entries.append(Entry(alias.aliasname or node.relname, relation, renamed, schema))

    def _column(self, node: pb.ColumnRef, level: Level, clause: str) -> None:
        parts = names(node.fields)
        self.named.append(Named(node=node, parts=parts, level=level.number, clause=clause, start=node.location))


def _moves_names(node: Message) -> bool:
    """A schema, function or type gets another name or place: what the lists allow by name would be another thing."""
    match node:
        case pb.RenameStmt():
            return not node.HasField("relation")
        case pb.AlterObjectSchemaStmt():
            return not node.HasField("relation")
        case _:
            return False


def _writes(node: pb.InsertStmt | pb.UpdateStmt | pb.DeleteStmt | pb.MergeStmt) -> set[str]:
    """What a statement does to its target. An upsert updates, too."""
    match node:
        case pb.InsertStmt():
            updates = node.on_conflict_clause.action == pb.ONCONFLICT_UPDATE
            return {"insert", "update"} if updates else {"insert"}
        case pb.UpdateStmt():
            return {"update"}
        case pb.DeleteStmt():
            return {"delete"}
        case _:
            return {"merge"}


def _function_name(node: Message) -> str:
    """A function in FROM is named after itself."""
    for _, child in children(node):
        if isinstance(child, pb.FuncCall):
            return names(child.funcname)[-1]
        found = _function_name(child) if isinstance(child, pb.List) else ""
        if found:
            return found
    return ""
