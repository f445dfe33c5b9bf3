"""What PostgreSQL itself understood of a statement: its own parse tree, printed by `debug_print_parse` and read here.

Names are resolved in it: relations and columns by number, functions and operators by OID. Nothing of it comes from
libpg_query, sqlglot or our walks, so it can be held against them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import psycopg
from psycopg import pq

OPTIONS = (
    "-csearch_path=public -cdebug_print_parse=on -cdebug_pretty_print=off -cclient_min_messages=log "
    "-clog_min_messages=fatal"
)
Value: TypeAlias = "str | Node | list[Value]"
_TOKEN = re.compile(r'[{}()]|"(?:\\.|[^"\\])*"|(?:\\.|[^\s(){}\\])+', re.DOTALL)
_WHOLE_ROW = 7
"""which bit of a column set stands for attribute 0; those below are system columns"""
_EXCLUDED = "c"
"""`relkind` of the row that ON CONFLICT calls `excluded`: the agent's own"""
_JOIN = "2"
_NOT_READ = frozenset({"exclRelTlist", "arbiterElems", "joinaliasvars", "eref"})
_SPELLED_AS_CALL = frozenset({"0", "3"})
"""FUNCEXPR.funcformat of what the parser took for a call; the others are casts, and what was put in unasked"""


@dataclass(slots=True)
class Node:
    """One node: its kind in capitals, and its fields as printed."""

    kind: str
    fields: dict[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        return int(self.text(name) or 0)

    def items(self, name: str) -> list[Value]:
        value = self.fields.get(name, [])
        return value if isinstance(value, list) else []


class Read(NamedTuple):
    """A column that an expression reads; attnum 0 is the whole row."""

    relation: int
    attnum: int
    place: int
    """byte offset in the text"""
    target: bool
    """of the relation that is written"""


@dataclass(frozen=True, slots=True)
class Told:
    """A statement in the server's words."""

    trees: tuple[Node, ...]

    def queries(self) -> Iterator[Node]:
        yield from (node for tree in self.trees for node in below(tree) if node.kind == "QUERY")

    def relations(self) -> Iterator[int]:
        """OID of each place a relation is named at."""
        for query in self.queries():
            yield from (entry.number("relid") for entry in _relations(query))

    def columns(self) -> Iterator[tuple[int, int, str]]:
        """(relation OID, attnum, read or written) of each column; a whole row is attnum 0."""
        for query in self.queries():
            for entry in _relations(query):
                for name, how in (("selectedCols", "read"), ("insertedCols", "written"), ("updatedCols", "written")):
                    for bit in entry.items(name)[1:]:
                        yield entry.number("relid"), int(str(bit)) - _WHOLE_ROW, how

    def functions(self) -> Iterator[int]:
        """OID of each function that was written as a call."""
        for tree in self.trees:
            for node in below(tree):
                match node.kind:
                    case "FUNCEXPR" if node.text("funcformat") in _SPELLED_AS_CALL:
                        yield node.number("funcid")
                    case "AGGREF":
                        yield node.number("aggfnoid")
                    case "WINDOWFUNC":
                        yield node.number("winfnoid")
                    case _:
                        continue

    def operators(self) -> Iterator[int]:
        """OID of each operator."""
        for tree in self.trees:
            for node in below(tree):
                if node.kind in {"OPEXPR", "DISTINCTEXPR", "NULLIFEXPR", "SCALARARRAYOPEXPR"}:
                    yield node.number("opno")

    def reads(self) -> "Iterator[Read]":
        """Each column an expression reads."""
        for tree in self.trees:
            yield from _reads(tree, [])


def below(node: Value) -> Iterator[Node]:
    """A node and every one in it."""
    match node:
        case Node():
            yield node
            for value in node.fields.values():
                yield from below(value)
        case list():
            for item in node:
                yield from below(item)
        case _:
            return


def _relations(query: Node) -> list[Node]:
    entries = [entry for entry in query.items("rtable") if isinstance(entry, Node)]
    return [entry for entry in entries if entry.text("rtekind") == "0" and entry.text("relkind") != _EXCLUDED]


def _reads(value: Value, levels: list[Node]) -> Iterator[Read]:
    match value:
        case Node("VAR"):
            yield from _read(value, levels, value.number("location"))
        case Node():
            inner = [*levels, value] if value.kind == "QUERY" else levels
            for name, part in value.fields.items():
                if name not in _NOT_READ:
                    yield from _reads(part, inner)
        case list():
            for item in value:
                yield from _reads(item, levels)
        case _:
            return


def _read(var: Node, levels: list[Node], location: int) -> Iterator[Read]:
    entry = levels[-1 - var.number("varlevelsup")].items("rtable")[var.number("varno") - 1]
    attnum = var.number("varattno")
    if not isinstance(entry, Node):
        raise TypeError("an entry of a range table is a node")
    if entry.text("rtekind") == "0" and entry.text("relkind") != _EXCLUDED:
        target = levels[-1 - var.number("varlevelsup")].number("resultRelation") == var.number("varno")
        yield Read(entry.number("relid"), attnum, location, target)
    if entry.text("rtekind") != _JOIN:
        return
    outer = levels[: len(levels) - var.number("varlevelsup")]
    merged = entry.items("joinaliasvars")
    for alias in merged if attnum == 0 else merged[attnum - 1 : attnum]:
        for node in below(alias):
            if node.kind == "VAR":
                yield from _read(node, outer, location)


class Server:
    """A connection that tells how it reads a statement, without running it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self._printed: list[str] = []
        connection.add_notice_handler(self._note)

    def tell(self, sql: str) -> Told | None:
        """How the server reads one statement; None when it does not accept it."""
        self._printed.clear()
        result = self.connection.pgconn.prepare(b"", sql.encode())
        if result.status != pq.ExecStatus.COMMAND_OK:
            return None
        return Told(tuple(parse(text) for text in self._printed))

    def _note(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.message_primary == "parse tree:":
            self._printed.append(notice.message_detail or "")


def parse(text: str) -> Node:
    """A printed tree."""
    tokens = _TOKEN.findall(text)
    value, _ = _value(tokens, 0)
    if not isinstance(value, Node):
        raise TypeError("a tree is a node")
    return value


def _value(tokens: list[str], at: int) -> tuple[Value, int]:
    match tokens[at]:
        case "{":
            return _node(tokens, at + 1)
        case "(":
            items: list[Value] = []
            at += 1
            while tokens[at] != ")":
                item, at = _value(tokens, at)
                items.append(item)
            return items, at + 1
        case token:
            return token, at + 1


def _node(tokens: list[str], at: int) -> tuple[Node, int]:
    node = Node(tokens[at])
    at += 1
    while tokens[at] != "}":
        name = tokens[at].removeprefix(":")
        at += 1
        values: list[Value] = []
        while tokens[at] != "}" and not tokens[at].startswith(":"):
            value, at = _value(tokens, at)
            values.append(value)
        node.fields[name] = values[0] if len(values) == 1 else values
    return node, at + 1
