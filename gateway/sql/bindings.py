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
        if entry.renamed or not entry.members:  # what is joined stands beside the alias of the join
            yield from (Binding(owner, column) for owner, column in entry.named(last))
        if entry.name == last:
            yield from _whole(entry)
        return
    if entry.name != parts[-2] or (len(parts) > len(("range", "column")) and entry.schema != parts[-3]):
        return
    if isinstance(last, Star):
        yield from _whole(entry)
        return
    found = [Binding(owner, column) for owner, column in entry.named(last)]
    yield from found
    if not found and last not in SYSTEM_COLUMNS:
        yield from _whole(entry)  # attribute notation: a function of the whole row


def _whole(entry: Entry) -> Iterator[Binding]:
    if not entry.members:
        yield Binding(entry, None)
    for member in entry.members:
        yield from _whole(member)


def entry_of(reference: Reference, levels: Mapping[int, Level]) -> Entry | None:
    """The entry a reference made in its level."""
    for entry in levels[reference.level].entries:
        if entry.relation is not None and entry.relation.oid == reference.oid and entry.name == reference.alias:
            return entry
    return None


def locations(*nodes: Message) -> frozenset[int]:
    """Where the column references below some nodes stand."""
    return frozenset(found.location for node in nodes for found in walk(node) if isinstance(found, pb.ColumnRef))
