"""The last look: the rewritten text is parsed again, and nothing governed stands bare that was not meant to.

Every relation of the new text either stands where the gateway wrote it, or at the place of one that was left as it was.
Nothing of the first reading is trusted but positions.
"""

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql import grammar
from gateway.sql.edits import Edited
from gateway.sql.job import Job
from gateway.sql.tree import unwrap, walk

FAILED = "statement.proof_failed"


def prove(job: Job, edited: Edited) -> None:
    """Raise Refused unless the rewritten text is what was meant."""
    try:
        statements = grammar.read(edited.text)
    except Refused as error:
        raise Refused(FAILED, "the rewritten statement cannot be read") from error
    if len(statements) != 1:
        raise Refused(FAILED, "the rewritten text holds another number of statements")
    tree = unwrap(statements[0].stmt)
    if type(tree) is not type(job.tree):
        raise Refused(FAILED, "the rewritten statement is of another kind")
    # What the parser made up itself (the query of a recursive view) has no place; it can only name a CTE.
    before = {node.location for node in job.nodes if isinstance(node, pb.RangeVar) and node.location >= 0}
    replaced = {place for place in before if any(edit.start <= place < edit.stop for edit in job.edits)}
    bare = {edited.origin(node.location) for node in _relations(tree)} - {None}
    if bare != before - replaced:
        raise Refused(FAILED, "a relation stands where none should")
    _refuse_bare(job, bare)


def _relations(tree: Message) -> list[pb.RangeVar]:
    return [node for node in walk(tree) if isinstance(node, pb.RangeVar)]


def _refuse_bare(job: Job, bare: set[int | None]) -> None:
    """What is left as it was is no governed source, or was judged harmless; and no name of it is protected."""
    spliced = {id(reference) for reference, _, _ in job.spliced}
    for reference, relation in job.sources():
        node = reference.node
        if not isinstance(node, pb.RangeVar) or node.location not in bare:
            continue
        if id(reference) in spliced:
            raise Refused(FAILED, "a relation that was to be replaced")
        hidden = {mask.column for mask in job.visibility.masked(relation)}
        if any(named.parts[-1] in hidden for named in job.understood.named):
            raise Refused(FAILED, "a protected column of a relation left bare")
