"""What a column name can mean where it stands: every range it may belong to, at any query level around it.

PostgreSQL stops at the innermost level that knows a name. Here all are kept: a join's alias may hide the inner one, and
a meaning too many only makes the gateway mask or refuse more.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.sql.lineage import SYSTEM_COLUMNS
from gateway.sql.model import Entry, Level, Named, Reference
from gateway.sql.tree import Star, walk


class Binding(NamedTuple):
    """One meaning of a name: a column of an entry, or (`column` None) all of its columns."""

    entry: Entry
    column: str | None


def bind(named: Named, levels: Mapping[int, Level]) -> list[Binding]:
    """Every meaning of a name."""
    level: Level | None = levels[named.level]
    if len(named.parts) == 1 and isinstance(named.parts[0], Star):
        return [Binding(entry, None) for entry in levels[named.level].entries]
    found: list[Binding] = []
    while level is not None:
        for entry in level.entries:
            found += _meanings(entry, named.parts)
        level = level.outer
    return found


def _meanings(entry: Entry, parts: tuple[str, ...]) -> Iterator[Binding]:
    last = parts[-1]
    if len(parts) == 1:
        column = column_behind(entry, last)
        if column is not None:
            yield Binding(entry, column)
        if entry.name == last:
            yield Binding(entry, None)
        return
    if entry.name != parts[-2] or (len(parts) > len(("range", "column")) and entry.schema != parts[-3]):
        return
    if isinstance(last, Star):
        yield Binding(entry, None)
    elif (column := column_behind(entry, last)) is not None:
        yield Binding(entry, column)
    elif last not in SYSTEM_COLUMNS:
        yield Binding(entry, None)  # attribute notation: a function of the whole row


def column_behind(entry: Entry, name: str) -> str | None:
    """The column a visible name stands for, through the entry's alias list."""
    if entry.relation is None:
        return None
    for index, column in enumerate(entry.relation.columns):
        visible = entry.renamed[index] if index < len(entry.renamed) else column.name
        if visible == name:
            return column.name
    return None


def entry_of(reference: Reference, levels: Mapping[int, Level]) -> Entry | None:
    """The entry a reference made in its level."""
    for entry in levels[reference.level].entries:
        if entry.relation is not None and entry.relation.oid == reference.oid and entry.name == reference.alias:
            return entry
    return None


def locations(*nodes: Message) -> frozenset[int]:
    """Where the column references below some nodes stand."""
    return frozenset(found.location for node in nodes for found in walk(node) if isinstance(found, pb.ColumnRef))
