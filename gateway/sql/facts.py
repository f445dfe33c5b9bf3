"""From what the walk found to the facts of the input document: relations and columns.

A name that could mean several columns counts for each of them: a fact too many makes policy stricter, one too few would
leave something out of its sight.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from postgast import pg_query_pb2 as pb

from gateway.core.statement import Column, Hazard, Relation
from gateway.sql.catalog import Catalog
from gateway.sql.model import Entry, Level, Named
from gateway.sql.objects import RelationInfo
from gateway.sql.reader import Reading
from gateway.sql.tree import Star, names

SYSTEM_COLUMNS = frozenset({"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"})
_WRITES = frozenset({"target", "ddl", "into"})


def relations(reading: Reading) -> tuple[Relation, ...]:
    """Every relation the statement touches; views are followed to what they read."""
    access: dict[int, set[str]] = defaultdict(set)
    via: dict[int, set[str]] = defaultdict(set)
    unknown: dict[tuple[str, str], set[str]] = defaultdict(set)
    writes: dict[object, set[str]] = defaultdict(set)
    for number, reference in enumerate(reading.references):
        how = "write" if reference.role in _WRITES else "read"
        if reference.oid is None:
            schema = reference.written[-2] if len(reference.written) > 1 else _first(reading.search_path)
            unknown[schema, reference.written[-1]].add(how)
            writes[schema, reference.written[-1]] |= reading.writes.get(number, set())
            continue
        writes[reference.oid] |= reading.writes.get(number, set())
        access[reference.oid].add(how)
        relation = reading.catalog.relations[reference.oid]
        for base in relation.reads:
            via[base].add(relation.qualified)
    for found in reading.worded:
        if isinstance(found, RelationInfo):
            access[found.oid].add("write")
        else:
            unknown[found[-2] if len(found) > 1 else _first(reading.search_path), found[-1]].add("write")
    known = reading.catalog.relations
    facts = [
        _relation(known[oid], access.get(oid, {"read"}), () if oid in access else via[oid], writes.get(oid, ()))
        for oid in {*access, *via}
        if oid in known
    ]
    facts += [
        Relation(
            schema=place[0], name=place[1], kind=_unknown(place[0]), access=_sorted(how), writes=_sorted(writes[place])
        )
        for place, how in unknown.items()
    ]
    return tuple(sorted(facts))


def _unknown(schema: str) -> str:
    """Not in the snapshot: a temporary relation, one just made, or one of the system's own (`pg_toast` …)."""
    return "system" if schema.startswith("pg_") and schema != "pg_temp" else "unknown"


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(words))


def _relation(relation: RelationInfo, access: set[str], via: Iterable[str], writes: Iterable[str]) -> Relation:
    return Relation(
        schema=relation.schema,
        name=relation.name,
        kind="system" if relation.system else relation.kind.value,
        access=_sorted(access),
        labels=relation.labels,
        via=_sorted(via),
        writes=_sorted(writes),
    )


def _first(search_path: tuple[str, ...]) -> str:
    return search_path[0] if search_path else ""


def columns(reading: Reading, targets: list[tuple[int, str, str]]) -> tuple[Column, ...]:
    """Every column the statement names or reaches by `*` or a whole row. `targets`: (OID, column, clause) assigned."""
    found: dict[tuple[int, str], set[str]] = defaultdict(set)
    for named in reading.named:
        for relation, column in _meanings(reading, named):
            found[relation.oid, column].add(named.clause)
    for oid, column, clause in targets:
        found[oid, column].add(clause)
    return tuple(sorted(_columns(reading.catalog, found)))


def _columns(catalog: Catalog, found: dict[tuple[int, str], set[str]]) -> Iterator[Column]:
    for (oid, name), clauses in found.items():
        relation = catalog.relations[oid]
        info = relation.column(name)
        if info is not None:
            yield Column(
                schema=relation.schema,
                relation=relation.name,
                name=name,
                labels=info.labels,
                clauses=tuple(sorted(clauses)),
            )


def _meanings(reading: Reading, named: Named) -> Iterator[tuple[RelationInfo, str]]:
    """The columns a reference can mean."""
    level: Level | None = reading.levels[named.level]
    if len(named.parts) == 1 and isinstance(named.parts[0], Star):
        for entry in reading.levels[named.level].entries:
            yield from _all(entry)
        return
    while level is not None:
        matched = [entry for entry in level.entries if _matches(entry, named.parts)]
        for entry in matched:
            yield from _in_entry(reading, entry, named)
        if any(_settles(entry, named.parts) for entry in matched):
            return
        level = level.outer


def _matches(entry: Entry, parts: tuple[str, ...]) -> bool:
    if len(parts) == 1:
        return entry.name == parts[0] or _has(entry, parts[0])
    return entry.name == parts[-2] and (len(parts) == 2 or entry.schema in {"", parts[-3]})  # noqa: PLR2004


def _settles(entry: Entry, parts: tuple[str, ...]) -> bool:
    """No outer level is asked. A bare name is sought as a column on every level before it is taken for a whole row."""
    return entry.relation is not None and (len(parts) > 1 or _has(entry, parts[0]))


def _has(entry: Entry, name: str) -> bool:
    return any(True for _ in entry.named(name))


def _in_entry(reading: Reading, entry: Entry, named: Named) -> Iterator[tuple[RelationInfo, str]]:
    last = named.parts[-1]
    found = [] if isinstance(last, Star) else list(entry.named(last))
    for owner, column in found:
        if owner.relation is not None:
            yield owner.relation, column
    if found:
        return
    if isinstance(last, Star) or (len(named.parts) == 1 and entry.name == last):
        yield from _all(entry)
    elif last not in SYSTEM_COLUMNS and (entry.relation is not None or entry.members):
        if entry.relation is not None and _is_called_something(reading.catalog, str(last)):
            reading.hazards.add(Hazard(code="statement.attribute_notation"))
        yield from _all(entry)


def _is_called_something(catalog: Catalog, name: str) -> bool:
    """A function, or a type to cast to, has this name; else the server says that there is no such column."""
    return name in catalog.function_names or any(name == bare for _, bare in catalog.type_names)


def _all(entry: Entry) -> Iterator[tuple[RelationInfo, str]]:
    for owner, column in entry.everything():
        if owner.relation is not None:
            yield owner.relation, column


def copied(reading: Reading, tree: pb.CopyStmt) -> Iterator[tuple[int, str, str]]:
    """Columns that COPY of a relation moves, listed or all of them: (OID, name, clause)."""
    reference = next((r for r in reading.references if r.node is tree.relation), None)
    if reference is None or reference.oid is None:
        return
    listed = names(tree.attlist) or tuple(column.name for column in reading.catalog.relations[reference.oid].columns)
    for name in listed:
        yield reference.oid, name, "insert" if tree.is_from else "select"


def assigned(reading: Reading, tree: pb.InsertStmt | pb.UpdateStmt | pb.MergeStmt) -> Iterator[tuple[int, str, str]]:
    """Columns of the target that are written: (OID, name, clause)."""
    target = next((r for r in reading.references if r.role == "target" and r.node is tree.relation), None)
    if target is None or target.oid is None:
        return
    every = tuple(column.name for column in reading.catalog.relations[target.oid].columns)
    match tree:
        case pb.InsertStmt():
            listed = [("insert", _named(tree.cols) or every), ("set", _named(tree.on_conflict_clause.target_list))]
        case pb.UpdateStmt():
            listed = [("set", _named(tree.target_list))]
        case _:
            actions = [clause.merge_when_clause for clause in tree.merge_when_clauses]
            listed = [
                ("insert", _named(action.target_list) or every)
                if action.command_type == pb.CMD_INSERT
                else ("set", _named(action.target_list))
                for action in actions
            ]
    for clause, found in listed:
        for name in found:
            yield target.oid, name, clause


def _named(targets: Iterable[pb.Node]) -> tuple[str, ...]:
    return tuple(item.res_target.name for item in targets)
