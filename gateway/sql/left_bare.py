"""Which references need no splice: those whose statement cannot reach a protected column through them.

Every column name must be a known, unprotected column of a relation in scope; nothing may stand for a whole row. A trial
without the last rule leaked through `c.row_to_json`, attribute notation for a function of the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.sql.job import Job
from gateway.sql.lineage import SYSTEM_COLUMNS
from gateway.sql.model import Level, Named, Reference
from gateway.sql.objects import RelationInfo
from gateway.sql.tree import Star


@dataclass(frozen=True, slots=True)
class Harmless:
    """Whether the names of one statement are all harmless; computed once for all of its references."""

    every_name: bool

    def leaves(self, job: Job, reference: Reference, relation: RelationInfo) -> bool:
        """The reference may stay as the agent wrote it."""
        if isinstance(job.tree, pb.ViewStmt):
            return (
                False  # a temporary view over the relation itself could be written through, out of the snapshot's sight
            )
        unfiltered = relation.oid not in job.filters and not relation.filtered
        plain = not reference.column_aliases and not _behind_table(job, reference)
        return self.every_name and unfiltered and plain


def harmless(job: Job) -> Harmless:
    """Look at every name of a statement."""
    ranges = {entry.name for level in job.understood.levels.values() for entry in level.entries}
    protected = {
        column.name
        for _, relation in job.sources()
        for column in relation.columns
        if job.visibility.method(relation, column) is not None or column.labels
    }
    natural = any(isinstance(node, pb.JoinExpr) and node.is_natural for node in job.nodes)
    levels = job.understood.levels
    renaming = any(entry.members and entry.renamed for level in levels.values() for entry in level.entries)
    return Harmless(
        not natural
        and not renaming
        and not any(_reaches_into(node) for node in job.nodes)
        and all(_is_harmless(named, ranges, protected, levels) for named in job.understood.named)
    )


def _reaches_into(node: Message) -> bool:
    """`(row).field`: what the row is cannot be seen here."""
    return isinstance(node, pb.A_Indirection) and any(field.HasField("string") for field in node.indirection)


def _is_harmless(named: Named, ranges: set[str], protected: set[str], levels: Mapping[int, Level]) -> bool:
    last = named.parts[-1]
    if isinstance(last, Star) or last in protected or last in ranges:
        return False
    if len(named.parts) > 1 and named.parts[-2] not in ranges:
        return False
    return last in SYSTEM_COLUMNS or _is_known(last, levels[named.level])


def _is_known(name: str, level: Level | None) -> bool:
    while level is not None:
        if any(True for entry in level.entries for _ in entry.named(name)):
            return True
        level = level.outer
    return False


def _behind_table(job: Job, reference: Reference) -> bool:
    index = job.places.at(reference.name.start)
    return index > 0 and job.places.tokens[index - 1].token == pb.Token.TABLE
