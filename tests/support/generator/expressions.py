"""Random expressions of a wanted kind over the relations in scope: columns, whole rows, calls, casts, sub-selects."""
# ruff: noqa: S608 -- writing SQL is what this is for

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from tests.support.generator.vocabulary import KINDS, Routine, Vocabulary

PROTECTED = frozenset(
    [
        "pan",
        "cvv",
        "account_ref",
        "x",
        "n",
        "acct",
        "pan_num",
        "pan_raw",
        "numbers",
        "held",
        "track",
        "pin",
        "doc",
        "head",
        "number",
        "short",
        "fixed",
        "card",
        "top",
        "visa",
        "size",
        "PAN",
    ]
) | {"Card №"}
"""names of columns a look at which is worth more"""
_TYPES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "text": ("text", "varchar", "varchar(6)", "bpchar", "char(20)", "name", '"char"'),
        "int": ("int", "int8", "int2"),
        "num": ("numeric", "float8", "numeric(30,2)"),
        "bool": ("bool",),
        "json": ("json",),
        "jsonb": ("jsonb",),
        "bytea": ("bytea",),
        "uuid": ("uuid",),
        "time": ("timestamptz", "date", "timestamp"),
        "texts": ("text[]", "varchar[]"),
        "tsvector": ("tsvector",),
        "tsquery": ("tsquery",),
        "xml": ("xml",),
        "jsonpath": ("jsonpath",),
        "bits": ("bit(8)",),
        "span": ("interval",),
        "oid": ("oid",),
    }
)
_LITERALS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "text": (
            "'4111111111111111'",
            "'************1111'",
            "'4'",
            "'4%'",
            "'%1111'",
            "''",
            "'a'",
            "'[0-9]{4}'",
            "'^4.*1$'",
            "'|'",
            "E'\\\\d+'",
            "$q$x$q$",
            "U&'\\0034'",
            "'УЖ'",
            "'pan'",
            "'{}'",
            "'123'",
            "NULL",
            "'g'",
            "'hex'",
            "'$.pan'",
        ),
        "int": ("0", "1", "2", "3", "4", "5", "6", "12", "-1", "NULL", "1001"),
        "num": ("0.5", "1", "4111111111111111", "1e3", "NULL", "'NaN'"),
        "bool": ("true", "false", "NULL"),
        "json": ("'{\"a\": [1, 2]}'", "'[]'", "NULL"),
        "jsonb": ('\'{"pan": "4", "a": [1, 2]}\'', "'[1]'", "NULL"),
        "bytea": ("'\\x34'", "'4111'", "NULL"),
        "uuid": ("'6b1e1d3e-6c1b-4f5a-9c39-0f5f2a3f7f11'", "NULL"),
        "time": ("'2024-03-01'", "'2025-01-01 00:00+00'", "NULL"),
        "texts": ("'{a,b}'", "ARRAY['pan', '4']", "'{}'", "NULL"),
        "tsvector": ("'pan:1'", "'a b'"),
        "tsquery": ("'pan'", "'a & b'"),
        "xml": ("'<a>4</a>'",),
        "jsonpath": ("'$.pan'", "'$'"),
        "bits": ("B'1010'",),
        "span": ("'1 day'",),
        "oid": ("1259",),
    }
)


@dataclass(frozen=True, slots=True)
class Source:
    """A name in FROM. `columns` are (name as SQL, kind, type); `own` says that whole-row references make sense."""

    name: str
    columns: Sequence[tuple[str, str, str]]


@dataclass(slots=True)
class Scope:
    """The sources of one query level and, through `outer`, of those around it."""

    sources: list[Source] = field(default_factory=list)
    outer: "Scope | None" = None


class Expressions:
    """Writes expressions. A query writer is put in by whoever can write queries."""

    def __init__(self, rng: random.Random, vocabulary: Vocabulary) -> None:
        self.rng = rng
        self.vocabulary = vocabulary
        self.scope = Scope()
        self.query: Callable[[Sequence[str], int], str] = lambda kinds, _: f"SELECT {', '.join(['NULL'] * len(kinds))}"
        """writes a sub-select that returns columns of these kinds"""

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def value(self, kind: str, depth: int) -> str:
        """An expression of a kind; it need not be valid always, only often."""
        if kind == "any":
            kind = self.rng.choice(["text", "text", "text", "int", "row", "texts", "jsonb", "num"])
        if kind == "row":
            return self.row(depth)
        if depth <= 0 or self.chance(0.3):
            return self.leaf(kind)
        makers: list[tuple[int, Callable[[str, int], str]]] = [
            (8, self.call),
            (6, self.operator),
            (2, self.cast),
            (2, self.conditional),
            (2, self.sub_select),
            (2, self.special),
        ]
        weights, chosen = zip(*makers, strict=True)
        make: Callable[[str, int], str] = self.rng.choices(chosen, weights)[0]
        return make(kind, depth - 1)

    def leaf(self, kind: str) -> str:
        """A column of that kind where there is one, else a literal."""
        found = self.columns(kind)
        if found and self.chance(0.85):
            return self.rng.choice(found)
        if kind in {"text", "json", "jsonb"} and self.chance(0.1):
            return self.row_as(kind)
        literal = self.rng.choice(_LITERALS.get(kind, ("NULL",)))
        return literal if kind == "bool" else f"{literal}::{self.type_of(kind)}"

    def type_of(self, kind: str) -> str:
        choices = _TYPES.get(kind, ("text",))
        return choices[0] if self.chance(0.85) else self.rng.choice(choices)

    def columns(self, kind: str) -> list[str]:
        """References to every column of a kind; protected ones several times, outer levels once."""
        found: list[str] = []
        scope: Scope | None = self.scope
        while scope is not None:
            for source in scope.sources:
                for name, of, _ in source.columns:
                    if of == kind:
                        shown = name if self.chance(0.15) and len(scope.sources) == 1 else f"{source.name}.{name}"
                        times = 4 if name.strip('"') in PROTECTED else 1
                        found += [shown] * (times if scope is self.scope else 1)
            scope = scope.outer
        return found

    def row(self, depth: int) -> str:
        """A row value: a whole-row reference, ROW(…), a sub-select that returns one."""
        sources = self.scope.sources or (self.scope.outer.sources if self.scope.outer else [])
        choice = self.rng.random()
        if sources and choice < 0.7:
            name = self.rng.choice(sources).name
            return name if choice < 0.5 else f"ROW({name}.*)"
        if choice < 0.9:
            return f"ROW({', '.join(self.leaf(self.rng.choice(['text', 'int', 'jsonb'])) for _ in range(2))})"
        return f"(SELECT q FROM ({self.query(['text', 'int'], depth - 1)}) AS q LIMIT 1)"

    def row_as(self, kind: str) -> str:
        row = self.row(0)
        return f"({row})::text" if kind == "text" else f"{'to_jsonb' if kind == 'jsonb' else 'row_to_json'}({row})"

    def call(self, kind: str, depth: int) -> str:
        if self.chance(0.004):
            return self.rng.choice(self.vocabulary.refused)
        routines = [found for found in self.vocabulary.functions.get(kind, ()) if not found.many]
        if not routines:
            return self.leaf(kind)
        return self.applied(self._weighted(routines), depth)

    def _weighted(self, routines: Sequence[Routine]) -> Routine:
        """Functions of text, json, rows and arrays come up more often."""
        prized = [
            found
            for found in routines
            if any(KINDS[argument] in {"text", "json", "jsonb", "row", "texts", "any"} for argument in found.arguments)
        ]
        return self.rng.choice(prized if prized and self.chance(0.8) else routines)

    def applied(self, routine: Routine, depth: int) -> str:
        arguments = [self.argument(argument, depth) for argument in routine.arguments]
        prefix = "pg_catalog." if self.chance(0.1) else ""
        return f"{prefix}{_quoted(routine.name)}({', '.join(arguments)})"

    def argument(self, type_name: str, depth: int) -> str:
        """A value of exactly this type where that is needed to find the function."""
        value = self.value(KINDS[type_name], depth)
        if type_name in {
            "record",
            '"any"',
            "anyelement",
            "anycompatible",
            "anynonarray",
            "anyarray",
            "anycompatiblearray",
            "text",
        }:
            return value
        return f"({value})::{type_name}"

    def operator(self, kind: str, depth: int) -> str:
        routines = self.vocabulary.operators.get(kind, ())
        prized = [found for found in routines if {KINDS[a] for a in found.arguments} & {"text", "jsonb", "row", "json"}]
        if not routines:
            return self.leaf(kind)
        routine = self.rng.choice(prized if prized and self.chance(0.7) else routines)
        left, right = (self.argument(argument, depth) for argument in routine.arguments)
        name = f"OPERATOR(pg_catalog.{routine.name})" if self.chance(0.1) else routine.name
        return f"(({left}) {name} ({right}))"

    def cast(self, kind: str, depth: int) -> str:
        origin = self.rng.choice(["text", "text", "int", "jsonb", "texts", "row"]) if kind == "text" else "text"
        value, target = self.value(origin, depth), self.type_of(kind)
        return f"CAST({value} AS {target})" if self.chance(0.3) else f"({value})::{target}"

    def conditional(self, kind: str, depth: int) -> str:
        one, two = self.value(kind, depth), self.leaf(kind)
        match self.rng.randrange(5):
            case 0:
                return f"COALESCE({one}, {two})"
            case 1:
                return f"NULLIF({one}, {two})"
            case 2:
                return f"{self.rng.choice(['GREATEST', 'LEAST'])}({one}, {two})"
            case 3:
                return f"CASE {self.leaf('text')} WHEN {self.leaf('text')} THEN {one} ELSE {two} END"
            case _:
                return f"CASE WHEN {self.condition(depth)} THEN {one} ELSE {two} END"

    def sub_select(self, kind: str, depth: int) -> str:
        if kind == "texts":
            return f"ARRAY({self.query(['text'], depth)})"
        if kind == "bool" and self.chance(0.6):
            inner = self.query(["text"], depth)
            test = self.rng.choice(["IN", "NOT IN", "= ANY", "<> ALL", "> ANY", "LIKE ANY"])
            return f"EXISTS ({inner})" if self.chance(0.3) else f"({self.value('text', depth)} {test} ({inner}))"
        return f"({self.query([kind], depth)} LIMIT 1)"

    def special(self, kind: str, depth: int) -> str:
        """What has a syntax of its own."""
        match kind:
            case "bool":
                return self.condition(depth)
            case "text":
                return self._special_text(self.value("text", depth), self.rng.randrange(1, 17))
            case "int":
                return self.rng.choice(
                    [f"position('4' IN {self.value('text', depth)})", f"extract(year FROM {self.leaf('time')})::int"]
                )
            case "texts":
                return f"ARRAY[{self.value('text', depth)}, {self.leaf('text')}]"
            case _:
                return self.leaf(kind)

    def _special_text(self, text: str, number: int) -> str:
        return self.rng.choice(
            [
                f"substring({text} FROM {number} FOR 3)",
                f"overlay({text} PLACING 'x' FROM {number})",
                f"trim(BOTH '*' FROM {text})",
                f'({text} COLLATE "C")',
                f"substring({text} FROM '[0-9]+')",
                f"(regexp_match({text}, '(.)(.)'))[1]",
                f"repeat({text}, 2)",
                f"lpad({text}, 20, 'x')",
                f"({self.leaf('texts')})[{self.rng.randrange(1, 3)}]",
                f"XMLFOREST({text} AS v, {self.row(0)} AS r)::text",
                f"XMLELEMENT(name v, XMLATTRIBUTES({text} AS a))::text",
                f"XMLSERIALIZE(CONTENT XMLELEMENT(name v, {text}) AS text)",
                f"({text} AT TIME ZONE 'UTC')::text",
                f"(SELECT z FROM (SELECT {text}) AS z)::text",
                "(held).number",
                f"({self.row(0)}).pan",
                f"({self._any_source()}.held).number",
                f"{self._any_source()}.text",
                f"format('%s', {self.row(0)})",
                f"concat_ws('|', {self.row(0)}, {text})",
                f"normalize({text})",
                f"(({self.row(0)})::text)",
            ]
        )

    def _any_source(self) -> str:
        return self.rng.choice([source.name for source in self.scope.sources] or ["cards"])

    def condition(self, depth: int) -> str:
        """A predicate, mostly on text."""
        text = self.value("text", depth)
        ways: list[Callable[[], str]] = [
            lambda: f"{text} {self.rng.choice(['LIKE', 'ILIKE', 'NOT LIKE', 'SIMILAR TO'])} {self.leaf('text')}",
            lambda: f"{text} IS {self.rng.choice(['NULL', 'NOT NULL'])}",
            lambda: f"{text} BETWEEN {self.leaf('text')} AND {self.leaf('text')}",
            lambda: f"{text} IN ({self.leaf('text')}, {self.leaf('text')})",
            lambda: f"{text} IS DISTINCT FROM {self.leaf('text')}",
            lambda: f"{self.row(depth)} {self.rng.choice(['IS NULL', 'IS NOT NULL', 'IS NOT DISTINCT FROM NULL'])}",
            lambda: f"NOT ({self.value('bool', depth)})",
            lambda: f"({self.value('bool', depth)} {self.rng.choice(['AND', 'OR'])} {self.leaf('bool')})",
            lambda: f"({self.value('int', depth)} {self.rng.choice(['<', '=', '>='])} {self.leaf('int')})",
        ]
        return self.rng.choice(ways)()


def _quoted(name: str) -> str:
    return (
        f'"{name}"'
        if name in {"char", "left", "right", "overlay", "substring", "position", "bit", "varchar", "text"}
        else name
    )
