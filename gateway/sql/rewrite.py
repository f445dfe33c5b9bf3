"""Masking at the source: the statement that will be sent in the place of the one the agent wrote.

Entry of the second half of this room. Understood statement and obligations in, `Plan` out; what cannot be carried out
exactly is refused with a code that says what. Everything outside the replaced spans stays byte for byte.
"""

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.core.site import Posture
from gateway.core.verdict import Mask, Obligations
from gateway.sql import application
from gateway.sql.catalog import Catalog
from gateway.sql.copy_out import copied_out, rewrite_copy
from gateway.sql.edits import Edited, apply
from gateway.sql.explain import hide_estimates, refuse_analyze, without_costs
from gateway.sql.filters import conditions, guard_fences
from gateway.sql.governed_ddl import refuse_governed_ddl
from gateway.sql.group_by import repair_groups
from gateway.sql.job import Job
from gateway.sql.model import SetPath, Understood
from gateway.sql.paths import pinned_behind
from gateway.sql.places import Places
from gateway.sql.plan import Plan
from gateway.sql.proof import prove
from gateway.sql.sources import splice_sources
from gateway.sql.targets import check_targets
from gateway.sql.visibility import visibility

__all__ = ["Plan", "rewrite"]


def rewrite(understood: Understood, obligations: Obligations, catalog: Catalog, posture: Posture) -> Plan:
    """The plan that performs every mask and row filter on this statement. Raises Refused."""
    seen = visibility(understood.statement.columns, obligations, catalog)
    filters = conditions(obligations.row_filters, catalog)
    if understood.tree is None:
        raise Refused("statement.unanalysable")
    if posture.guarded and isinstance(understood.effect, SetPath):
        pinned = pinned_behind(understood, understood.effect)
        return Plan(text=pinned.text, source=understood.text, edited=pinned)
    if any(isinstance(node, pb.ExecuteStmt) for node in understood.nodes):
        _refuse_around_execute(understood.tree, obligations, filtered=bool(filters))
        edited = _without_estimates(understood, understood.tree, masked=bool(obligations.masks))
        return Plan(
            text=edited.text if edited else understood.text,
            source=understood.text,
            edited=edited,
            masked=_masked_names(understood, obligations),
            expected_raw=seen.cleared(catalog),
            governed=understood.governed,
        )
    job = Job(
        understood=understood,
        tree=understood.tree,
        catalog=catalog,
        posture=posture,
        obligations=obligations,
        visibility=seen,
        filters=filters,
        places=Places(understood.tokens),
    )
    _work(job, understood.tree)
    return _plan(job)


def _refuse_around_execute(tree: Message, obligations: Obligations, *, filtered: bool) -> None:
    """What was prepared stands rewritten on the server; what is done with its rows has to suit. Raises Refused."""
    match tree:
        case pb.ExecuteStmt():
            return
        case pb.ExplainStmt() if not filtered:
            return
        case pb.CreateTableAsStmt() if tree.into.rel.relpersistence == "t" or not obligations.masks:
            return
        case _:
            raise Refused("statement.cannot_rewrite", "EXECUTE inside another statement")


def _without_estimates(understood: Understood, tree: Message, *, masked: bool) -> Edited | None:
    """EXPLAIN EXECUTE: of a governed statement the planner's estimates are left out. Raises Refused."""
    if not isinstance(tree, pb.ExplainStmt) or not understood.governed:
        return None
    if masked:
        refuse_analyze(tree)
    return apply(understood.text.encode(), [without_costs(tree, Places(understood.tokens))])


def _work(job: Job, tree: Message) -> None:
    splice_sources(job)
    if isinstance(tree, pb.CopyStmt):
        rewrite_copy(job, tree)
    else:
        refuse_governed_ddl(job, tree)
    check_targets(job)
    repair_groups(job)
    guard_fences(job)
    hide_estimates(job)
    job.edits += application.renamed(job.understood, job.places, job.catalog.server_version)


def _plan(job: Job) -> Plan:
    text = job.understood.text
    edited = apply(text.encode(), job.edits) if job.edits else None
    if edited is not None or any(True for _ in job.sources()):
        prove(job, edited or apply(text.encode(), ()))
    touched = (job.relation(reference) for reference in job.understood.references)
    return Plan(
        text=edited.text if edited else text,
        source=text,
        edited=edited,
        masked=tuple(sorted(job.masked, key=_by_name)),
        predicates_on_masked=tuple(sorted(job.predicates, key=_by_name)),
        expected_raw=job.visibility.cleared(job.catalog),
        copy=copied_out(job, job.tree) if isinstance(job.tree, pb.CopyStmt) else None,
        column=application.NAME if application.is_shown(job.tree) else "",
        governed=job.understood.governed or any(found is not None and job.governed(found) for found in touched),
    )


def _by_name(mask: Mask) -> tuple[str, str, str]:
    return mask.schema, mask.relation, mask.column


def _masked_names(understood: Understood, obligations: Obligations) -> tuple[Mask, ...]:
    """EXECUTE runs a text that was rewritten when it was prepared: what policy masks of it is what it masks."""
    named = {(column.schema, column.relation, column.name) for column in understood.statement.columns}
    return tuple(sorted((mask for mask in obligations.masks if _by_name(mask) in named), key=_by_name))
