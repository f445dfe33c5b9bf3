"""Rows of `QUERIES` turned into objects: every value arrives as text, booleans as `t` and `f`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from gateway.sql.objects import CastInfo, ColumnInfo, FunctionInfo, HiddenCode, Kind, OperatorInfo, TypeInfo

Row: TypeAlias = tuple[str | None, ...]
Rows: TypeAlias = Mapping[str, Sequence[Row]]

SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast"})
COMPOSITE = "c"
_KINDS = {
    "r": Kind.TABLE,
    "v": Kind.VIEW,
    "m": Kind.MATVIEW,
    "p": Kind.PARTITIONED,
    "f": Kind.FOREIGN,
    "S": Kind.SEQUENCE,
}
_FUNCTION_KINDS = {"f": "function", "a": "aggregate", "w": "window", "p": "procedure"}
_VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}
_TRIGGER_BITS = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}
_RULE_EVENTS = {"1": "select", "2": "update", "3": "insert", "4": "delete"}
_STORING = frozenset({"insert", "update"})
WRITING = frozenset({"insert", "update", "delete"})


def text(value: str | None) -> str:
    """An absent text is an empty one."""
    return value or ""


def number(value: str | None) -> int:
    """An OID, attnum or count; absent is 0."""
    return int(value or 0)


def numbers(value: str | None) -> tuple[int, ...]:
    """A list of numbers with blanks between, as oidvector and `array_to_string` print it."""
    return tuple(int(part) for part in (value or "").split())


def pairs(rows: Sequence[Row]) -> dict[int, set[int]]:
    """OID → OIDs of the second column."""
    found: dict[int, set[int]] = defaultdict(set)
    for first, second in rows:
        found[number(first)].add(number(second))
    return found


def kind_of(letter: str | None, is_partition: str | None) -> Kind:
    """`pg_class.relkind` and `relispartition` in the words of the input document."""
    if is_partition == "t":
        return Kind.PARTITION
    return _KINDS.get(text(letter), Kind.OTHER)


def types_of(rows: Rows) -> dict[int, TypeInfo]:
    """Type OID → type."""
    return {
        number(oid): TypeInfo(
            oid=number(oid),
            schema=text(schema),
            name=text(name),
            kind=text(kind),
            base=number(base),
            base_type=text(base_type),
            category=text(category),
            relation=number(relation),
            element=number(element),
        )
        for oid, schema, name, kind, base, base_type, category, relation, element in rows["types"]
    }


def columns_of(rows: Rows, types: Mapping[int, TypeInfo]) -> dict[int, tuple[ColumnInfo, ...]]:
    """Relation OID → its columns in the server's order."""
    found: dict[int, list[ColumnInfo]] = defaultdict(list)
    for relation, attnum, name, written, type_oid, not_null, generated, default in rows["columns"]:
        base_oid, base_type = _unfold(number(type_oid), text(written), types)
        base = types.get(base_oid)
        found[number(relation)].append(
            ColumnInfo(
                name=text(name),
                attnum=number(attnum),
                type=text(written),
                type_oid=number(type_oid),
                base_type=base_type,
                base_oid=base_oid,
                category=base.category if base else "",
                not_null=not_null == "t",
                generated=bool(generated),
                has_default=default == "t",
            )
        )
    return {oid: tuple(sorted(columns, key=lambda column: column.attnum)) for oid, columns in found.items()}


def _unfold(oid: int, written: str, types: Mapping[int, TypeInfo]) -> tuple[int, str]:
    """A domain's base type with the modifiers of the innermost domain, as `getBaseTypeAndTypmod` finds it."""
    while (found := types.get(oid)) is not None and found.kind == "d":
        oid, written = found.base, found.base_type
    return oid, written


def functions_of(rows: Rows) -> dict[int, FunctionInfo]:
    """Function OID → function."""
    return {number(row[0]): _function(row) for row in rows["functions"]}


def _function(row: Row) -> FunctionInfo:
    oid, schema, name, kind, volatility, definer, leakproof, language, a_set, arguments, result, defaults, variadic = (
        row
    )
    return FunctionInfo(
        oid=number(oid),
        schema=text(schema),
        name=text(name),
        kind=_FUNCTION_KINDS.get(text(kind), "function"),
        volatility=_VOLATILITY.get(text(volatility), "volatile"),
        security_definer=definer == "t",
        leakproof=leakproof == "t",
        language=text(language),
        returns_set=a_set == "t",
        arguments=numbers(arguments),
        result=number(result),
        defaults=number(defaults),
        variadic=variadic == "t",
    )


def operators_of(rows: Rows) -> tuple[OperatorInfo, ...]:
    """Every operator."""
    return tuple(
        OperatorInfo(
            oid=number(oid),
            schema=text(schema),
            name=text(name),
            left=number(left),
            right=number(right),
            result=number(result),
            function=number(function),
        )
        for oid, schema, name, left, right, result, function in rows["operators"]
    )


def casts_of(rows: Rows) -> dict[tuple[int, int], CastInfo]:
    """(source, target) → cast."""
    return {
        (number(source), number(target)): CastInfo(
            source=number(source), target=number(target), function=number(function), implicit=context == "i"
        )
        for source, target, function, context in rows["casts"]
    }


def hidden_code_of(rows: Rows) -> dict[int, tuple[HiddenCode, ...]]:
    """Relation OID → the user-written code its writes run directly."""
    found: dict[int, list[HiddenCode]] = defaultdict(list)
    for relation, name, bits in rows["triggers"]:
        events = frozenset(word for bit, word in _TRIGGER_BITS.items() if number(bits) & bit)
        found[number(relation)].append(HiddenCode(kind="trigger", name=text(name), events=events))
    for relation, name, event in rows["rules"]:
        events = frozenset({_RULE_EVENTS.get(text(event), "insert")})
        found[number(relation)].append(HiddenCode(kind="rule", name=text(name), events=events))
    for query, kind, events in (
        ("policies", "policy", WRITING),
        ("checks", "constraint", _STORING),
        ("defaults", "default", _STORING),
        ("indexes", "index", _STORING),
    ):
        for relation, name in rows[query]:
            found[number(relation)].append(HiddenCode(kind=kind, name=text(name), events=events))
    for oid, tie in _ties(rows):
        found[oid].append(tie)
    return {oid: tuple(code) for oid, code in found.items()}


def _ties(rows: Rows) -> Iterator[tuple[int, HiddenCode]]:
    """Constraints and unique indexes over several columns: whether one may change depends on the others."""
    names = {(number(row[0]), number(row[1])): text(row[2]) for row in rows["columns"]} if rows["ties"] else {}
    for relation, name, attnums in rows["ties"]:
        oid = number(relation)
        columns = frozenset(names.get((oid, attnum), "") for attnum in numbers(attnums))
        yield oid, HiddenCode(kind="constraint", name=text(name), events=frozenset({"update"}), columns=columns)
