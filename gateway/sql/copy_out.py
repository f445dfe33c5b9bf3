"""`COPY relation [(columns)] TO STDOUT` becomes `COPY (SELECT …) TO STDOUT`: a mask needs a query."""

from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.edits import Edit
from gateway.sql.job import Job
from gateway.sql.model import Reference, Span
from gateway.sql.objects import Kind, RelationInfo
from gateway.sql.plan import CopyOut
from gateway.sql.quoting import quote
from gateway.sql.sources import derived, note_uses_of, refuse_unfiltered_relative
from gateway.sql.targets import refuse_hidden_code
from gateway.sql.tree import names, unwrap

OPTIONS = frozenset({"format", "delimiter", "null", "header", "quote", "escape", "force_quote", "encoding"})
_T = pb.Token


def rewrite_copy(job: Job, tree: pb.CopyStmt) -> None:
    """Rewrite a COPY of a governed relation; of other forms the inner query is spliced. Raises Refused."""
    if tree.is_program or tree.filename:
        raise Refused("copy.server_file")
    reference = job.reference_at(tree.relation) if tree.HasField("relation") else None
    relation = job.relation(reference) if reference else None
    if reference is None or relation is None:
        return
    if tree.is_from:
        refuse_hidden_code(job, relation, frozenset({"insert"}))
        if relation.oid in job.filters:
            raise Refused("statement.filter_not_applicable", f"a write to {relation.qualified}")
        refuse_unfiltered_relative(job, relation)
    elif job.governed(relation):
        refuse_unfiltered_relative(job, relation)
        _refuse_options(tree)
        _copy_out(job, tree, reference, relation)


def copied_out(job: Job, tree: pb.CopyStmt) -> CopyOut | None:
    """Where the fields of COPY of a relation TO STDOUT come from; None for any other COPY, or one not plain."""
    reference = job.reference_at(tree.relation) if tree.HasField("relation") and not tree.is_from else None
    relation = job.relation(reference) if reference else None
    options = {option.def_elem.defname: unwrap(option.def_elem.arg) for option in tree.options}
    plain = {name: value.sval for name, value in options.items() if isinstance(value, pb.String)}
    form = plain.get("format", "text").lower()
    odd = {"format"} & (options.keys() - plain) or "delimiter" in options  # another one may stand inside a field
    if relation is None or form not in {"text", "csv", "binary"} or odd:
        return None
    columns = names(tree.attlist) or tuple(column.name for column in relation.columns if not column.generated)
    found = [column for name in columns if (column := relation.column(str(name))) is not None]
    return CopyOut(places=tuple((relation.oid, column.attnum) for column in found), form=form)


def _refuse_options(tree: pb.CopyStmt) -> None:
    for option in tree.options:
        if option.def_elem.defname not in OPTIONS:
            raise Refused("copy.option", option.def_elem.defname.upper())


def _copy_out(job: Job, tree: pb.CopyStmt, reference: Reference, relation: RelationInfo) -> None:
    tokens = job.places.tokens
    if tokens[job.places.at(reference.name.start) - 1].token == _T.BINARY:
        raise Refused("copy.option", "BINARY in front of the relation")
    written = names(tree.attlist)
    columns = written or tuple(column.name for column in relation.columns if not column.generated)
    alias = quote(relation.name)
    listed = ", ".join(f"{alias}.{quote(name)}" for name in columns)
    only = relation.kind in {Kind.TABLE, Kind.PARTITION}  # COPY of a table leaves its children out
    text = f"(SELECT {listed} FROM {derived(job, relation, only=only)} AS {alias})"
    end = _end(job, reference.name, listed=bool(written))
    if tokens[end + 1].token != _T.TO:
        raise Refused("copy.option", "DELIMITERS in front of TO")
    job.edits.append(Edit(reference.name.start, tokens[end].end, text))
    note_uses_of(job, relation, frozenset(columns))


def _end(job: Job, name: Span, *, listed: bool) -> int:
    """Index of the last token of the relation with its column list."""
    tokens = job.places.tokens
    index = next(i for i, token in enumerate(tokens) if token.end == name.stop)
    if listed:
        while tokens[index].token != _T.ASCII_41:
            index += 1
    return index
