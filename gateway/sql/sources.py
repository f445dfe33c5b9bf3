"""The splice: each source of governed rows becomes a sub-select that shows them masked, over its tokens' span only."""

from collections.abc import Iterator, Sequence

from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.edits import Edit
from gateway.sql.job import Job
from gateway.sql.leakproof import below_fence
from gateway.sql.left_bare import harmless
from gateway.sql.model import Entry, Reference, Span
from gateway.sql.objects import RelationInfo
from gateway.sql.quoting import qualified, quote
from gateway.sql.tree import Star

_SHOWING = frozenset({"select", "returning"})


def splice_sources(job: Job) -> None:
    """Replace every source that is not left bare, and write down which masked columns the statement uses."""
    sources = list(job.sources())
    if not sources:
        return
    judged = harmless(job)
    for reference, relation in sources:
        refuse_unfiltered_relative(job, relation)
        if not judged.leaves(job, reference, relation):
            _splice(job, reference, relation)
    for reference, relation, name in job.spliced:
        entry = job.entry(reference)
        if entry is None:
            raise Refused("statement.cannot_rewrite", "a relation without a name in scope")
        _note_uses(job, entry, relation)
        job.edits += _qualifiers(job, entry, reference, name)


def derived(job: Job, relation: RelationInfo, *, only: bool, sample: str = "", below: Sequence[str] = ()) -> str:
    """The sub-select: columns in the relation's order and types; a filter is fenced so that nothing gets below it.

    `below`: conditions that may stand beside the filter.
    """
    condition = job.filters.get(relation.oid)
    text = f"SELECT {job.shown(relation)} FROM {'ONLY ' if only else ''}{qualified(relation.schema, relation.name)}"
    text += f" {sample}" if sample else ""
    return f"({text} WHERE {' AND '.join([f'({condition})', *below])} OFFSET 0)" if condition else f"({text})"


def _splice(job: Job, reference: Reference, relation: RelationInfo) -> None:
    raw = job.understood.text.encode()
    sample = ""
    if reference.sample is not None:
        _refuse_nested(job, reference.sample)
        sample = raw[reference.sample.start : reference.sample.stop].decode()
        job.edits.append(Edit(reference.sample.start, reference.sample.stop, ""))
    name = quote(_own_name(job, reference, relation))
    entry = job.entry(reference)
    below = below_fence(job, entry, relation, reference.level) if entry and relation.oid in job.filters else ()
    text = derived(job, relation, only=reference.only, sample=sample, below=below)
    text += "" if reference.has_alias else f" AS {name}"
    start = reference.name.start
    index = job.places.at(start)
    if index and job.places.tokens[index - 1].token == pb.Token.TABLE:
        start, text = job.places.tokens[index - 1].start, f"SELECT * FROM {text}"
    job.edits.append(Edit(start, reference.name.stop, text))
    job.spliced.append((reference, relation, name))


def _own_name(job: Job, reference: Reference, relation: RelationInfo) -> str:
    """The name it goes by; another one where two relations of one name stand side by side."""
    if reference.has_alias:
        return reference.alias
    entries = job.understood.levels[reference.level].entries
    twins = [entry for entry in entries if entry.name == reference.alias and entry.schema not in {"", relation.schema}]
    if not twins:
        return reference.alias
    taken = {entry.name for level in job.understood.levels.values() for entry in level.entries}
    taken |= {part for named in job.understood.named for part in named.parts}
    number = 1
    while (name := f"{reference.alias}_{relation.schema}_{number}") in taken:
        number += 1
    return name


def _refuse_nested(job: Job, sample: Span) -> None:
    for reference in job.understood.references:
        if sample.start <= reference.name.start < sample.stop:
            raise Refused("statement.cannot_rewrite", "a query inside TABLESAMPLE")


def refuse_unfiltered_relative(job: Job, relation: RelationInfo) -> None:
    """Rows that a filter hides must not be read or changed through another relation. Raises Refused."""
    if relation.oid in job.filters:
        return
    for oid in relation.relatives:
        if oid in job.filters or (job.catalog.relations[oid].filtered and not _asked_about(job, oid)):
            raise Refused("statement.filter_not_applicable", relation.qualified)


def _asked_about(job: Job, oid: int) -> bool:
    """Policy saw this relation, and gave no filter for it."""
    relation = job.catalog.relations[oid]
    return any(
        (fact.schema, fact.name) == (relation.schema, relation.name) for fact in job.understood.statement.relations
    )


def _note_uses(job: Job, entry: Entry, relation: RelationInfo) -> None:
    masks = {mask.column: mask for mask in job.visibility.masked(relation)}
    for named, column in job.uses(entry):
        for mask in masks.values() if column is None else [masks[column]] if column in masks else []:
            job.uses_masks = True
            job.masked.add(mask)
            if named.clause not in _SHOWING:
                job.predicates.add(mask)


def note_uses_of(job: Job, relation: RelationInfo, columns: frozenset[str]) -> None:
    """The masked ones of these columns are shown."""
    job.masked |= {mask for mask in job.visibility.masked(relation) if mask.column in columns}


def _qualifiers(job: Job, entry: Entry, reference: Reference, name: str) -> Iterator[Edit]:
    """`schema.relation.column` → `name.column`: a sub-select belongs to no schema."""
    for named in job.understood.named:
        parts = named.parts
        if len(parts) < len(("schema", "relation", "column")) or named.start < 0 or not _means(parts, entry):
            continue
        if not any(used is named for used, _ in job.uses(entry)):
            continue
        spans = job.places.parts(named.start)
        if len(spans) != len(parts) or reference.has_alias:
            raise Refused("statement.cannot_rewrite", "a qualified name")
        yield Edit(spans[0].start, spans[-2].stop, name)


def _means(parts: tuple[str, ...], entry: Entry) -> bool:
    return entry.name == parts[-2] and entry.schema == parts[-3] and not isinstance(parts[-2], Star)
