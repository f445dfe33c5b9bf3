"""Where the columns of a view come from, column by column, read from its definition.

`pg_depend` does not see whole rows (`to_jsonb(c)`), so the text decides; what it does not prove is `Unproven`, and the
caller then takes every column the view may read. Which rows a view shows is its owner's word and no lineage.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql import grammar
from gateway.sql.objects import RelationInfo
from gateway.sql.tree import Star, children, names, unwrap, walk

SYSTEM_COLUMNS = frozenset({"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"})
_TEXTS = frozenset({"text", "varchar"})
SHOWABLE_TAIL = 4
"""last digits of a card number that may be shown (PCI DSS 4.0.1, requirement 3.4.1)"""


class Source(NamedTuple):
    """A stored column a value may depend on. `tail`: only its last four characters or fewer."""

    relation: int
    attnum: int
    tail: bool = False
    exact: bool = True
    """the value itself, not something made of it"""


Sources: TypeAlias = frozenset[Source]
Output: TypeAlias = tuple[str, Sources]
Relations: TypeAlias = Callable[[Sequence[str]], RelationInfo | None]
NOTHING: Sources = frozenset()


class UnprovenError(Exception):
    """The definition holds something this reader does not follow."""


class _Item(NamedTuple):
    """An entry of a FROM clause. `opaque`: each of its columns, whatever its name, depends on all of these."""

    name: str
    columns: tuple[Output, ...]
    opaque: Sources | None = None

    def everything(self) -> Sources:
        return _union(sources for _, sources in self.columns) | (self.opaque or NOTHING)

    def column(self, name: str) -> Sources | None:
        found = [sources for own, sources in self.columns if own == name]
        if found:
            return _union(found)
        return self.opaque


_Level: TypeAlias = list[_Item]
_Ctes: TypeAlias = Mapping[str, tuple[Output, ...]]


def _union(parts: Iterable[Sources]) -> Sources:
    return NOTHING.union(*parts)


def view_sources(definition: str, relations: Relations) -> tuple[Output, ...]:
    """The outputs of a view's query in order. Raises UnprovenError."""
    return _Reader(relations).query(select_of(definition), [], {})


def expression_sources(expression: str, relation: RelationInfo) -> Sources:
    """The columns a generated column's expression reads. Raises UnprovenError."""
    level = [_item_of(relation, relation.name, ())]
    target = unwrap(select_of(f"SELECT {expression}").target_list[0])
    return _Reader(lambda _name: None).output(target, [level], {})[1]


def called(definition: str) -> frozenset[tuple[str, ...]]:
    """Names of the functions a definition calls, as written."""
    return frozenset(names(node.funcname) for node in walk(select_of(definition)) if isinstance(node, pb.FuncCall))


def select_of(definition: str) -> pb.SelectStmt:
    """The one SELECT of a text. Raises UnprovenError."""
    try:
        statements = grammar.read(definition)
    except Refused as error:
        raise UnprovenError from error
    query = unwrap(statements[0].stmt) if len(statements) == 1 else None
    if not isinstance(query, pb.SelectStmt):
        raise UnprovenError
    return query


def _item_of(relation: RelationInfo, name: str, renamed: Sequence[str]) -> _Item:
    labels = [*renamed, *(column.name for column in relation.columns[len(renamed) :])]
    return _Item(
        name,
        tuple(
            (label, frozenset({Source(relation.oid, column.attnum)}))
            for label, column in zip(labels, relation.columns, strict=False)
        ),
    )


def _renamed(columns: Sequence[Output], alias: pb.Alias) -> tuple[Output, ...]:
    given = names(alias.colnames)
    return tuple((given[i] if i < len(given) else name, sources) for i, (name, sources) in enumerate(columns))


class _Reader:
    """One definition being read."""

    def __init__(self, relations: Relations) -> None:
        self._relations = relations

    def query(self, select: pb.SelectStmt, outer: list[_Level], ctes: _Ctes) -> tuple[Output, ...]:
        ctes = self._with(select.with_clause, outer, ctes) if select.HasField("with_clause") else ctes
        if select.op != pb.SETOP_NONE:
            left = self.query(select.larg, outer, ctes)
            right = self.query(select.rarg, outer, ctes)
            if len(left) != len(right):
                raise UnprovenError
            return tuple((name, mine | yours) for (name, mine), (_, yours) in zip(left, right, strict=True))
        if select.values_lists:
            return self._values(select, outer, ctes)
        level: _Level = []
        for entry in select.from_clause:
            self._enter(unwrap(entry), level, outer, ctes)
        levels = [*outer, level]
        return tuple(self.output(unwrap(target), levels, ctes) for target in select.target_list)

    def output(self, target: Message, levels: list[_Level], ctes: _Ctes) -> Output:
        if not isinstance(target, pb.ResTarget):
            raise UnprovenError
        value = unwrap(target.val)
        if isinstance(value, pb.ColumnRef) and isinstance(names(value.fields)[-1], Star) and not target.name:
            raise UnprovenError  # PostgreSQL prints definitions with their stars expanded
        name = target.name or (names(value.fields)[-1] if isinstance(value, pb.ColumnRef) else "")
        sources = self._expression(value, levels, ctes)
        return name, sources if _is_plain(value) else frozenset(source._replace(exact=False) for source in sources)

    def _with(self, clause: pb.WithClause, outer: list[_Level], ctes: _Ctes) -> _Ctes:
        known = dict(ctes)
        for entry in clause.ctes:
            cte = unwrap(entry)
            if not isinstance(cte, pb.CommonTableExpr):
                raise UnprovenError
            query = unwrap(cte.ctequery)
            if not isinstance(query, pb.SelectStmt) or cte.HasField("search_clause") or cte.HasField("cycle_clause"):
                raise UnprovenError
            aliases = pb.Alias(colnames=cte.aliascolnames)
            if clause.recursive:
                known[cte.ctename] = self._recursive(cte.ctename, query, aliases, outer, known)
            else:
                known[cte.ctename] = _renamed(self.query(query, outer, known), aliases)
        return known

    def _recursive(
        self,
        name: str,
        query: pb.SelectStmt,
        aliases: pb.Alias,
        outer: list[_Level],
        known: dict[str, tuple[Output, ...]],
    ) -> tuple[Output, ...]:
        """Sources only grow, so repeating until nothing changes ends."""
        base = query
        while base.op != pb.SETOP_NONE:
            base = base.larg
        shape = self.query(base, outer, known)
        found = _renamed([(label, NOTHING) for label, _ in shape], aliases)
        while True:
            again = _renamed(self.query(query, outer, {**known, name: found}), aliases)
            if again == found:
                return found
            found = again

    def _values(self, select: pb.SelectStmt, outer: list[_Level], ctes: _Ctes) -> tuple[Output, ...]:
        rows = [
            [self._expression(cell, outer, ctes) for _, cell in children(unwrap(row))] for row in select.values_lists
        ]
        width = max(len(row) for row in rows)
        return tuple((f"column{i + 1}", _union(row[i] for row in rows if i < len(row))) for i in range(width))

    def _enter(self, entry: Message, level: _Level, outer: list[_Level], ctes: _Ctes) -> None:
        match entry:
            case pb.RangeVar():
                level.append(self._relation(entry, ctes))
            case pb.RangeTableSample():
                self._enter(unwrap(entry.relation), level, outer, ctes)
            case pb.RangeSubselect():
                query = unwrap(entry.subquery)
                if not isinstance(query, pb.SelectStmt):
                    raise UnprovenError
                columns = self.query(query, [*outer, level], ctes)
                level.append(_Item(entry.alias.aliasname, _renamed(columns, entry.alias)))
            case pb.JoinExpr():
                self._join(entry, level, outer, ctes)
            case pb.RangeFunction() | pb.RangeTableFunc() | pb.JsonTable():
                everything = self._expression(entry, [*outer, level], ctes)
                level.append(_Item(entry.alias.aliasname, (), everything))
            case _:
                raise UnprovenError

    def _relation(self, entry: pb.RangeVar, ctes: _Ctes) -> _Item:
        name = entry.alias.aliasname or entry.relname
        if not entry.schemaname and entry.relname in ctes:
            return _Item(name, _renamed(ctes[entry.relname], entry.alias))
        parts = (entry.schemaname, entry.relname) if entry.schemaname else (entry.relname,)
        relation = self._relations(parts)
        if relation is None:
            raise UnprovenError
        return _item_of(relation, name, names(entry.alias.colnames))

    def _join(self, join: pb.JoinExpr, level: _Level, outer: list[_Level], ctes: _Ctes) -> None:
        first = len(level)
        self._enter(unwrap(join.larg), level, outer, ctes)
        self._enter(unwrap(join.rarg), level, outer, ctes)
        everything = _union(item.everything() for item in level[first:])
        if join.HasField("join_using_alias"):
            level.append(_Item(join.join_using_alias.aliasname, (), everything))
        if join.HasField("alias"):
            level[first:] = [_Item(join.alias.aliasname, (), everything)]

    def _expression(self, node: Message, levels: list[_Level], ctes: _Ctes) -> Sources:
        node = unwrap(node)
        if isinstance(node, pb.ColumnRef):
            return _resolve(names(node.fields), levels)
        tail = _tail_of(node)
        if tail is not None:
            return frozenset(source._replace(tail=True) for source in _resolve(names(tail.fields), levels))
        if isinstance(node, pb.SelectStmt):
            return self._nested(node, levels, ctes)
        return _union(self._expression(child, levels, ctes) for _, child in children(node))

    def _nested(self, select: pb.SelectStmt, levels: list[_Level], ctes: _Ctes) -> Sources:
        """Inside an expression a predicate is a value too: everything the sub-query names counts."""
        ctes = self._with(select.with_clause, levels, ctes) if select.HasField("with_clause") else ctes
        if select.op != pb.SETOP_NONE:
            return self._nested(select.larg, levels, ctes) | self._nested(select.rarg, levels, ctes)
        level: _Level = []
        for entry in select.from_clause:
            self._enter(unwrap(entry), level, levels, ctes)
        rest = [child for name, child in children(select) if name not in {"from_clause", "with_clause"}]
        joins = [
            unwrap(node.quals) for node in walk(select) if isinstance(node, pb.JoinExpr) and node.HasField("quals")
        ]
        inner = [*levels, level]
        below = _union(item.everything() for item in level) if joins else NOTHING
        return below | _union(self._expression(child, inner, ctes) for child in rest)


def _is_plain(value: Message) -> bool:
    """A column as it is; a cast to text does not change a digit."""
    while isinstance(value, pb.TypeCast) and names(value.type_name.names)[-1] in _TEXTS:
        if value.type_name.typmods or value.type_name.array_bounds:
            return False
        value = unwrap(value.arg)
    return isinstance(value, pb.ColumnRef)


def _resolve(name: tuple[str, ...], levels: list[_Level]) -> Sources:
    for level in reversed(levels):
        found = _in_level(name, level)
        if found is not None:
            return found
    raise UnprovenError


def _in_level(name: tuple[str, ...], level: _Level) -> Sources | None:
    last = name[-1]
    if len(name) == 1:
        parts = [sources for item in level if (sources := item.column(last)) is not None]
        parts += [item.everything() for item in level if item.name == last]
        return _union(parts) if parts else None
    items = [item for item in level if item.name == name[-2]]
    if not items:
        return None
    if isinstance(last, Star):
        return _union(item.everything() for item in items)
    parts = [sources for item in items if (sources := item.column(last)) is not None]
    if not parts and last not in SYSTEM_COLUMNS:
        raise UnprovenError
    return _union(parts)


def _tail_of(node: Message) -> pb.ColumnRef | None:
    """The column of `right(column, n)` with n from 1 to 4: the part of a card number anybody may see."""
    if not isinstance(node, pb.FuncCall) or names(node.funcname) not in {("right",), ("pg_catalog", "right")}:
        return None
    if len(node.args) != len(("text", "length")):
        return None
    value, length = unwrap(node.args[0]), unwrap(node.args[1])
    while isinstance(value, pb.TypeCast):
        if names(value.type_name.names)[-1] != "text":
            return None
        value = unwrap(value.arg)
    if not isinstance(value, pb.ColumnRef) or not isinstance(length, pb.A_Const) or not length.HasField("ival"):
        return None
    return value if 1 <= length.ival.ival <= SHOWABLE_TAIL else None
