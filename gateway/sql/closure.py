"""Which columns show a labelled value, and which relations let its rows through.

A label travels along these edges, and stays where nothing proves that it need not be there:

- a view's or materialized view's column depends on the columns its expression names (`lineage.py`; where that is not
  proven, on every column of everything the view reads);
- a partition or child and its parent hold the same rows, so the label travels both ways, by column name;
- a foreign table that points at a relation of that name holds its rows, wherever its server is: it may be this one;
- a column whose type is a relation's row type holds its columns;
- a referencing foreign key column repeats referenced values, so the label travels both ways;
- a generated column depends on the columns of its expression.

Two exceptions. `right(card_number, n)` with n up to 4 does not carry the label `pan`: those digits may be shown to
anybody. And a view's or generated column that the site itself classifies (an empty list included) keeps what the site
says: the operator has looked at it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gateway.sql.lineage import UnprovenError, called, expression_sources, view_sources
from gateway.sql.objects import ColumnInfo, Kind, RelationInfo, TypeInfo
from gateway.sql.rows import Row, Rows, number, numbers, pairs, text

Place: TypeAlias = tuple[int, int]
"""(relation OID, attnum)"""
SHOWABLE = "pan"
"""the label whose last four digits may be shown"""


class Edge(NamedTuple):
    """`target` shows what `source` holds; `tail`: its last four characters; `derived`: the site may overrule it.

    `exact`: it shows the value itself, not something made of it.
    """

    source: Place
    target: Place
    tail: bool = False
    derived: bool = False
    exact: bool = True


class Lines(NamedTuple):
    """Everything labels and rows travel along."""

    edges: tuple[Edge, ...]
    down: Mapping[int, frozenset[int]]
    """relation → relations whose rows come through it directly: what a view reads, a parent's children"""
    reads: Mapping[int, frozenset[int]]
    """view → what its definition reads directly"""
    calls: Mapping[int, frozenset[tuple[str, ...]]]
    """view → names of the functions its definition calls"""


def trace(rows: Rows, relations: Mapping[int, RelationInfo], types: Mapping[int, TypeInfo]) -> Lines:
    """Find every edge."""
    reads = {oid: frozenset(found) for oid, found in pairs(rows["reads"]).items()}
    edges: list[Edge] = []
    down: dict[int, set[int]] = defaultdict(set, {oid: set(found) for oid, found in reads.items()})
    calls: dict[int, frozenset[tuple[str, ...]]] = {}
    by_name = {(relation.schema, relation.name): relation for relation in relations.values()}
    for view_oid, definition in rows["views"]:
        view = relations[number(view_oid)]
        edges += _view_edges(view, text(definition), reads.get(view.oid, frozenset()), by_name, relations)
        calls[view.oid] = _calls(text(definition))
    for child, parent in rows["inherits"]:
        edges += _same_rows(relations.get(number(child)), relations.get(number(parent)))
        down[number(parent)].add(number(child))
    for oid, original in _foreign(rows, relations):
        edges += _foreign_edges(relations[oid], original, rows["foreign_columns"])
        down[oid].add(original.oid)
    edges += _row_type_edges(relations, types)
    edges += _foreign_key_edges(rows["foreign_keys"])
    edges += _generated_edges(rows["generated"], relations)
    return Lines(tuple(edges), {oid: frozenset(found) for oid, found in down.items()}, reads, calls)


def spread(
    given: Mapping[Place, frozenset[str]], overruled: frozenset[Place], edges: Iterable[Edge]
) -> dict[Place, frozenset[str]]:
    """Labels of every place that has any. Labels only grow, so the work list runs empty."""
    outgoing: dict[Place, list[Edge]] = defaultdict(list)
    for edge in edges:
        if not (edge.derived and edge.target in overruled):
            outgoing[edge.source].append(edge)
    labels = {place: frozenset(found) for place, found in given.items() if found}
    waiting = list(labels)
    while waiting:
        place = waiting.pop()
        for edge in outgoing[place]:
            carried = labels[place] - {SHOWABLE} if edge.tail else labels[place]
            before = labels.get(edge.target, frozenset())
            if not carried <= before:
                labels[edge.target] = before | carried
                waiting.append(edge.target)
    return labels


def made_of(
    labels: Mapping[Place, frozenset[str]], overruled: frozenset[Place], edges: Iterable[Edge]
) -> frozenset[Place]:
    """Places that show something made of a labelled value: showing a part of that could show another part of it."""
    outgoing: dict[Place, list[Edge]] = defaultdict(list)
    for edge in edges:
        if edge.source in labels and not (edge.derived and edge.target in overruled):
            outgoing[edge.source].append(edge)
    found = {edge.target for started in outgoing.values() for edge in started if not edge.exact}
    waiting = list(found)
    while waiting:
        for edge in outgoing[waiting.pop()]:
            if edge.target not in found:
                found.add(edge.target)
                waiting.append(edge.target)
    return frozenset(found)


def relatives(
    relations: Mapping[int, RelationInfo], origins: frozenset[int], down: Mapping[int, Iterable[int]]
) -> dict[int, tuple[int, ...]]:
    """Relation → every labelled or filtered relation whose rows come through it, itself left out; sorted.

    A partition shows rows of its parent, so two that store rows are relatives when they store some row both.
    """
    below = {oid: reachable(oid, down) | {oid} for oid in relations}
    storing = [oid for oid in origins if relations[oid].kind not in {Kind.VIEW, Kind.MATVIEW}]
    found: dict[int, tuple[int, ...]] = {}
    for oid, mine in below.items():
        shared = (mine & origins) | {other for other in storing if below[other] & mine}
        if shared - {oid}:
            found[oid] = tuple(sorted(shared - {oid}))
    return found


def reachable(start: int, through: Mapping[int, Iterable[int]]) -> frozenset[int]:
    """Everything below `start`, itself left out."""
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        for oid in through.get(waiting.pop(), ()):
            if oid not in seen:
                seen.add(oid)
                waiting.append(oid)
    return frozenset(seen - {start})


def _calls(definition: str) -> frozenset[tuple[str, ...]]:
    try:
        return called(definition)
    except UnprovenError:
        return frozenset({("",)})  # resolves to no function: whoever checks calls refuses it


def _view_edges(
    view: RelationInfo,
    definition: str,
    reads: Iterable[int],
    by_name: Mapping[tuple[str, str], RelationInfo],
    relations: Mapping[int, RelationInfo],
) -> Iterator[Edge]:
    def named(parts: Sequence[str]) -> RelationInfo | None:
        return by_name.get(("pg_catalog", parts[0]) if len(parts) == 1 else (parts[0], parts[1]))

    try:
        outputs = view_sources(definition, named)
    except UnprovenError:
        outputs = ()
    if len(outputs) != len(view.columns):  # not proven: everything may show everything
        for column in view.columns:
            for source in (relations[oid] for oid in reads if oid in relations):
                for read in source.columns:
                    yield Edge((source.oid, read.attnum), (view.oid, column.attnum), derived=True, exact=False)
        return
    for column, (_, sources) in zip(view.columns, outputs, strict=True):
        for origin in sources:
            place = (origin.relation, origin.attnum)
            yield Edge(place, (view.oid, column.attnum), origin.tail, derived=True, exact=origin.exact)


def _same_rows(child: RelationInfo | None, parent: RelationInfo | None) -> Iterator[Edge]:
    if child is None or parent is None:
        return
    for column in parent.columns:
        twin = child.column(column.name)
        if twin is not None:
            yield Edge((parent.oid, column.attnum), (child.oid, twin.attnum))
            yield Edge((child.oid, twin.attnum), (parent.oid, column.attnum))


def _foreign(rows: Rows, relations: Mapping[int, RelationInfo]) -> Iterator[tuple[int, RelationInfo]]:
    """Foreign tables with every relation of this database whose name their options give."""
    options: dict[int, dict[str, str]] = defaultdict(dict)
    for table, name, value in rows["foreign"]:
        options[number(table)][text(name)] = text(value)
    for oid, given in options.items():
        foreign = relations.get(oid)
        if foreign is None:
            continue
        remote_schema, remote = given.get("schema_name", ""), given.get("table_name", foreign.name)
        for original in relations.values():
            if original.oid != oid and original.name == remote and remote_schema in {"", original.schema}:
                yield oid, original


def _foreign_edges(foreign: RelationInfo, original: RelationInfo, renamed: Iterable[Row]) -> Iterator[Edge]:
    remote = {number(attnum): text(name) for oid, attnum, name in renamed if number(oid) == foreign.oid}
    for column in foreign.columns:
        twin = original.column(remote.get(column.attnum, column.name))
        if twin is not None:
            yield Edge((original.oid, twin.attnum), (foreign.oid, column.attnum))


def _row_type_edges(relations: Mapping[int, RelationInfo], types: Mapping[int, TypeInfo]) -> Iterator[Edge]:
    for relation in relations.values():
        if relation.system:
            continue
        for column in relation.columns:
            held = _row_type_of(column, types)
            for inner in relations[held].columns if held in relations else ():
                yield Edge((held, inner.attnum), (relation.oid, column.attnum))


def _row_type_of(column: ColumnInfo, types: Mapping[int, TypeInfo]) -> int:
    """The relation whose rows a column holds: directly, in an array, or under a domain."""
    found = types.get(column.base_oid)
    for _ in range(len(types)):
        if found is None or found.relation:
            break
        found = types.get(found.element or found.base)
    return found.relation if found else 0


def _foreign_key_edges(keys: Iterable[Row]) -> Iterator[Edge]:
    for referencing, referenced, columns, values, *_ in keys:
        for mine, theirs in zip(numbers(columns), numbers(values), strict=True):
            yield Edge((number(referenced), theirs), (number(referencing), mine))
            yield Edge((number(referencing), mine), (number(referenced), theirs))


def _generated_edges(generated: Iterable[Row], relations: Mapping[int, RelationInfo]) -> Iterator[Edge]:
    for oid, attnum, expression in generated:
        relation = relations.get(number(oid))
        if relation is None:
            continue
        target = (relation.oid, number(attnum))
        try:
            sources = expression_sources(text(expression), relation)
        except UnprovenError:
            for column in relation.columns:
                yield Edge((relation.oid, column.attnum), target, derived=True, exact=False)
            continue
        for source in sources:
            place = (source.relation, source.attnum)
            yield Edge(place, target, source.tail, derived=True, exact=source.exact)
