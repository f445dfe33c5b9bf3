"""What the database holds, as one immutable snapshot: relations, columns, functions, and which of them show card data.

The snapshot is built from rows the caller read (`QUERIES`, simple SQL over pg_catalog of PostgreSQL 13 to 18) and from
the site's labels. Labels are closed over everything through which a labelled value can come: see `closure.py`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import msgspec

from gateway.core.site import Posture
from gateway.sql import closure, rows
from gateway.sql.closure import Place
from gateway.sql.objects import (
    CastInfo,
    ColumnInfo,
    FunctionInfo,
    HiddenCode,
    Kind,
    OperatorInfo,
    RelationInfo,
    TypeInfo,
)
from gateway.sql.queries import QUERIES
from gateway.sql.rows import Rows, number, numbers, text

__all__ = [
    "PG_CATALOG",
    "QUERIES",
    "SYSTEM_SCHEMAS",
    "CastInfo",
    "Catalog",
    "ColumnInfo",
    "FunctionInfo",
    "HiddenCode",
    "Kind",
    "OperatorInfo",
    "RelationInfo",
    "TypeInfo",
    "build_catalog",
    "fingerprint",
]

PG_CATALOG = "pg_catalog"
SYSTEM_SCHEMAS = rows.SYSTEM_SCHEMAS
_Item = TypeVar("_Item")


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot. Look-ups return None or nothing for what is not known: the caller must refuse then."""

    sha256: str
    server_version: int
    """`server_version_num`, e.g. 150008"""
    relations: Mapping[int, RelationInfo]
    functions: Mapping[int, FunctionInfo]
    operators: tuple[OperatorInfo, ...]
    protected: Mapping[tuple[int, int], tuple[str, ...]]
    """(relation OID, attnum) → labels, the closure included"""
    problems: tuple[str, ...]
    """what site data names and the database does not have; one sentence each"""
    encoding: str = "UTF8"
    """of the database; in another one the server folds and cuts names outside ASCII differently"""
    schemas: tuple[str, ...] = ()
    """those the gateway's role may use: the server passes over the others when it looks for a bare name"""
    casts: Mapping[tuple[int, int], CastInfo] = MappingProxyType({})
    """(source type OID, target type OID) → cast"""
    implicit_targets: frozenset[int] = frozenset()
    """type OIDs that values of another type become without being asked"""
    types: Mapping[int, TypeInfo] = MappingProxyType({})
    relation_names: Mapping[tuple[str, str], int] = MappingProxyType({})
    function_names: Mapping[str, tuple[int, ...]] = MappingProxyType({})
    """bare name → OIDs, every schema"""
    operator_names: Mapping[str, tuple[OperatorInfo, ...]] = MappingProxyType({})
    type_names: Mapping[tuple[str, str], int] = MappingProxyType({})
    site: str = ""
    """sha256 of the labels the site gave: as long as they stay, labels stick to (OID, attnum)"""
    given: Mapping[tuple[int, int], frozenset[str]] = MappingProxyType({})
    """labels as the site gave them, by place, before the closure"""

    def resolve(self, name: Sequence[str], search_path: Sequence[str]) -> RelationInfo | None:
        """The relation a (folded) name of one or two parts means; pg_catalog is searched first unless it is listed."""
        match tuple(name):
            case (schema, relation) if (oid := self.relation_names.get((schema, relation))) is not None:
                return self.relations[oid]
            case (relation,):
                for schema in _with_catalog(search_path):
                    if schema in self.schemas and (oid := self.relation_names.get((schema, relation))) is not None:
                        return self.relations[oid]
        return None

    def lookup_functions(self, name: Sequence[str], search_path: Sequence[str]) -> tuple[FunctionInfo, ...]:
        """Every overload a (folded) name of one or two parts could mean, in search order."""
        *schema, bare = name
        found = [self.functions[oid] for oid in self.function_names.get(bare, ())]
        order = tuple(schema) or _with_catalog(search_path)
        return tuple(function for place in order for function in found if function.schema == place)

    def lookup_operators(self, name: Sequence[str], search_path: Sequence[str]) -> tuple[OperatorInfo, ...]:
        """Every operator of that name a statement could reach, in search order."""
        *schema, bare = name
        order = tuple(schema) or _with_catalog(search_path)
        return tuple(found for place in order for found in self.operator_names.get(bare, ()) if found.schema == place)

    def lookup_type(self, name: Sequence[str], search_path: Sequence[str]) -> TypeInfo | None:
        """The type a (folded) internal name of one or two parts means, e.g. `int8`."""
        *schema, bare = name
        for place in tuple(schema) or _with_catalog(search_path):
            if (oid := self.type_names.get((place, bare))) is not None:
                return self.types[oid]
        return None


def _with_catalog(search_path: Sequence[str]) -> tuple[str, ...]:
    """PostgreSQL 18, §5.10.5: pg_catalog is always searched, first unless the path names it."""
    return tuple(search_path) if PG_CATALOG in search_path else (PG_CATALOG, *search_path)


def fingerprint(read: Rows) -> str:
    """Hex sha256 of what the queries gave, whatever its order: equal means that nothing changed."""
    # The first query only pins the connection; its answer is no part of the content.
    content = {name: sorted(read[name], key=repr) for name in sorted(QUERIES) if name != "pin"}
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def build_catalog(read: Rows, posture: Posture, previous: Catalog | None = None) -> Catalog:
    """The snapshot of what `QUERIES` gave, with the site's labels closed over it.

    With `previous` (the snapshot before this one) and the same labels in site data, a label stays with the (OID,
    attnum) it was on, so that a RENAME or SET SCHEMA made elsewhere cannot take it off.
    """
    types = rows.types_of(read)
    bare = _relations(read, rows.columns_of(read, types), posture)
    lines = closure.trace(read, bare, types)
    site = _hash(sorted(posture.labels.items()))
    given, overruled, problems = _given(bare, posture)
    if previous is not None and previous.site == site:
        given = _sticky(given, previous, bare)
    labels = closure.spread(given, overruled, lines.edges)
    made = closure.made_of(labels, overruled, lines.edges)
    relations = _finish(bare, lines, labels, made, read)
    named = {oid: found for oid, found in relations.items() if found.kind is not Kind.OTHER}
    functions = rows.functions_of(read)
    casts = rows.casts_of(read)
    operators = rows.operators_of(read)
    return Catalog(
        sha256=_hash(fingerprint(read), posture, sorted((place, sorted(found)) for place, found in given.items())),
        server_version=number(read["server"][0][0]),
        encoding=text(read["server"][0][3]),
        relations=MappingProxyType(named),
        functions=MappingProxyType(functions),
        operators=operators,
        protected=MappingProxyType({place: tuple(sorted(found)) for place, found in sorted(labels.items())}),
        problems=problems,
        schemas=tuple(sorted(text(name) for _, name, usable in read["schemas"] if usable == "t")),
        casts=MappingProxyType(casts),
        implicit_targets=frozenset(cast.target for cast in casts.values() if cast.implicit),
        types=MappingProxyType(types),
        relation_names=MappingProxyType({(found.schema, found.name): oid for oid, found in named.items()}),
        function_names=MappingProxyType(_grouped((found.name, found.oid) for found in functions.values())),
        operator_names=MappingProxyType(_grouped((operator.name, operator) for operator in operators)),
        type_names=MappingProxyType({(found.schema, found.name): oid for oid, found in types.items()}),
        site=site,
        given=MappingProxyType(given),
    )


def _hash(*content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _relations(read: Rows, columns: Mapping[int, tuple[ColumnInfo, ...]], posture: Posture) -> dict[int, RelationInfo]:
    keys = {number(oid): numbers(key) for oid, key in read["keys"]}
    found: dict[int, RelationInfo] = {}
    for oid, schema, name, letter, is_partition, _ in read["relations"]:
        found[number(oid)] = RelationInfo(
            oid=number(oid),
            schema=text(schema),
            name=text(name),
            kind=rows.kind_of(letter, is_partition),
            columns=columns.get(number(oid), ()),
            system=text(schema) in SYSTEM_SCHEMAS,
            filtered=f"{schema}.{name}" in posture.filtered,
            primary_key=keys.get(number(oid), ()),
        )
    return found


def _given(
    relations: Mapping[int, RelationInfo], posture: Posture
) -> tuple[dict[Place, frozenset[str]], frozenset[Place], tuple[str, ...]]:
    """The site's labels by place, every place the site names, and what it names in vain."""
    by_name = {found.qualified: found for found in relations.values() if found.kind is not Kind.OTHER}
    labels: dict[Place, frozenset[str]] = {}
    named: set[Place] = set()
    problems = [f"row filter: there is no relation {name}" for name in posture.filtered if name not in by_name]
    for name, columns in posture.labels.items():
        relation = by_name.get(name)
        if relation is None:
            problems.append(f"classification: there is no relation {name}")
            continue
        for column_name, given in columns.items():
            column = relation.column(column_name)
            if column is None:
                problems.append(f"classification: {name} has no column {column_name}")
                continue
            named.add((relation.oid, column.attnum))
            if given:
                labels[relation.oid, column.attnum] = frozenset(given)
    return labels, frozenset(named), tuple(sorted(problems))


def _sticky(
    given: dict[Place, frozenset[str]], previous: Catalog, relations: Mapping[int, RelationInfo]
) -> dict[Place, frozenset[str]]:
    alive = {(found.oid, column.attnum) for found in relations.values() for column in found.columns}
    kept = dict(given)
    for place, labels in previous.given.items():
        if place in alive:
            kept[place] = kept.get(place, frozenset()) | labels
    return kept


def _finish(
    bare: Mapping[int, RelationInfo],
    lines: closure.Lines,
    labels: Mapping[Place, frozenset[str]],
    made: frozenset[Place],
    read: Rows,
) -> dict[int, RelationInfo]:
    origins = frozenset({oid for oid, _ in labels} | {found.oid for found in bare.values() if found.filtered})
    relatives = closure.relatives(bare, origins, lines.down)
    code = rows.hidden_code_of(read)
    cascades = _cascades(read)
    user_calls = rows.pairs(read["calls"])
    names = {number(row[0]): (text(row[1]), text(row[2])) for row in read["functions"]}
    governed = origins | relatives.keys()
    placed = {
        oid: tuple(
            msgspec.structs.replace(hidden, relation=bare[oid].qualified, governed=oid in governed) for hidden in found
        )
        for oid, found in code.items()
        if oid in bare
    }
    finished: dict[int, RelationInfo] = {}
    for oid, found in bare.items():
        reads = closure.reachable(oid, lines.reads)
        calls = {_qualified(call) for view in (oid, *reads) for call in lines.calls.get(view, ())}
        calls |= {names[call] for view in (oid, *reads) for call in user_calls.get(view, ())}
        finished[oid] = msgspec.structs.replace(
            found,
            columns=tuple(_labelled(column, (oid, column.attnum), labels, made) for column in found.columns),
            governed=oid in governed,
            cascades=bool(governed & _changed({oid, *closure.reachable(oid, lines.down)}, cascades)),
            reads=tuple(sorted(reads)),
            relatives=relatives.get(oid, ()),
            calls=tuple(sorted(calls)),
            runs=tuple(_runs({oid, *closure.reachable(oid, lines.down)}, cascades, placed)),
        )
    return finished


def _changed(written: set[int], cascades: Mapping[int, set[int]]) -> set[int]:
    """What a write to some relations changes besides them."""
    return {target for place in written for target in closure.reachable(place, cascades)} - written


def _runs(
    written: set[int], cascades: Mapping[int, set[int]], placed: Mapping[int, tuple[HiddenCode, ...]]
) -> Iterator[HiddenCode]:
    """The code that a write to some relations runs, there and where their foreign keys cascade to."""
    for place in sorted(written):
        yield from placed.get(place, ())
    for place in sorted(_changed(written, cascades)):
        # What a cascade does to the other table (delete it, set it null) is not followed: any event may be meant.
        for hidden in placed.get(place, ()):
            if not hidden.columns:
                yield msgspec.structs.replace(hidden, events=rows.WRITING)


def _labelled(
    column: ColumnInfo, place: Place, labels: Mapping[Place, frozenset[str]], made: frozenset[Place]
) -> ColumnInfo:
    if place not in labels:
        return column
    return msgspec.structs.replace(column, labels=tuple(sorted(labels[place])), exact=place not in made)


def _qualified(name: tuple[str, ...]) -> tuple[str, str]:
    """Definitions are printed under a search_path of pg_catalog alone."""
    return (name[-2], name[-1]) if len(name) > 1 else (PG_CATALOG, name[-1])


def _cascades(read: Rows) -> dict[int, set[int]]:
    """Relation → relations that a write to it may change through CASCADE, SET NULL or SET DEFAULT."""
    found: dict[int, set[int]] = defaultdict(set)
    for referencing, referenced, _, _, update, delete in read["foreign_keys"]:
        if {update, delete} & {"c", "n", "d"}:
            found[number(referenced)].add(number(referencing))
    return found


def _grouped(items: Iterable[tuple[str, _Item]]) -> dict[str, tuple[_Item, ...]]:
    found: dict[str, list[_Item]] = defaultdict(list)
    for name, item in items:
        found[name].append(item)
    return {name: tuple(group) for name, group in found.items()}
