"""A ruling in words: what the statement does, what policy was asked, what it decided and why, what would be sent."""

from collections.abc import Iterator
from typing import Final

from gateway.cli.audit.words import printable
from gateway.core.statement import Column, Relation, Statement
from gateway.core.verdict import ApprovalDemand, Finding, Obligations, Verdict
from gateway.session.ruling import Ruling

NOTHING: Final = "Nothing to do"
"""how the remedy of a rule begins that asks for none"""


def in_words(ruling: Ruling) -> str:
    """Several lines, for people. Names come from a database that somebody else may write to: none obeys a terminal."""
    text = "\n".join([*_facts(ruling.understood.statement), *_input(ruling.verdict), *_decision(ruling)])
    return "\n".join(map(printable, text.split("\n"))) + "\n"


def _facts(statement: Statement) -> Iterator[str]:
    yield f"statement  {statement.text_redacted}"
    yield f"action     {statement.action} ({statement.category})"
    for relation in statement.relations:
        yield f"relation   {_relation(relation)}"
    for column in statement.columns:
        yield f"column     {_column(column)}"
    if statement.functions:
        yield f"functions  {', '.join(f'{f.schema}.{f.name}' if f.schema else f.name for f in statement.functions)}"
    if statement.settings:
        yield f"settings   {', '.join(statement.settings)}"
    for hazard in statement.hazards:
        yield f"hazard     {hazard.code}{f': {hazard.detail}' if hazard.detail else ''}"


def _relation(relation: Relation) -> str:
    labels = f" [{', '.join(relation.labels)}]" if relation.labels else ""
    via = f" via {', '.join(relation.via)}" if relation.via else ""
    return f"{relation.schema}.{relation.name} {relation.kind}, {' and '.join(relation.access)}{labels}{via}"


def _column(column: Column) -> str:
    labels = f" [{', '.join(column.labels)}]" if column.labels else ""
    return f"{column.schema}.{column.relation}.{column.name}{labels} in {', '.join(column.clauses)}"


def _input(verdict: Verdict) -> Iterator[str]:
    """The document as policy was given it; none when the gateway refused before."""
    if verdict.input:
        yield f"input      {verdict.input.decode('utf-8', 'replace')}"


def _decision(ruling: Ruling) -> Iterator[str]:
    verdict = ruling.verdict
    yield f"decision   {ruling.outcome.value}  (bundle {verdict.bundle_sha256[:12]} {verdict.revision})"
    if ruling.refusal is not None and ruling.refusal not in verdict.findings:
        yield from _finding("refused", ruling.refusal)
    for finding in verdict.findings:
        yield from _finding("reason", finding)
    yield from _obligations(verdict.decision.obligations)
    for advice in verdict.decision.advice:
        yield f"advice     {advice}"
    if ruling.plan is not None:
        same = ruling.plan.text == ruling.plan.source
        yield "sent       as written" if same else f"sent       {ruling.plan.text}"


def _obligations(obligations: Obligations) -> Iterator[str]:
    for mask in obligations.masks:
        yield f"mask       {mask.schema}.{mask.relation}.{mask.column} by {mask.method}"
    for row_filter in obligations.row_filters:
        yield f"filter     {row_filter.schema}.{row_filter.relation}: {row_filter.sql}"
    limits = obligations.limits
    for name, bound in (("rows", limits.rows), ("bytes", limits.bytes), ("seconds", limits.seconds)):
        if bound is not None:
            yield f"limit      {bound} {name}"
    for label, rows in sorted(limits.rows_by_label.items()):
        yield f"limit      {rows} rows with the label {label}"
    if (demand := obligations.approval) is not None:
        yield f"approval   {_demand(demand)}"


def _demand(demand: ApprovalDemand) -> str:
    parts = [f"{demand.min} of {' or '.join(demand.any_of)}"] if demand.any_of else []
    parts += [f"someone of {' and of '.join(demand.all_of)}"] if demand.all_of else []
    parts += ["with a reason"] if demand.reason_required else []
    parts += [f"good for {demand.ttl} s"] if demand.ttl is not None else []
    return ", ".join(parts)


def _finding(title: str, finding: Finding) -> Iterator[str]:
    place = f"  {finding.file}:{finding.line}" if finding.file else ""
    controls = f"  {', '.join(finding.controls)}" if finding.controls else ""
    yield f"{title:<10} {finding.code}: {finding.message}{place}{controls}"
    if finding.remedy and not finding.remedy.startswith(NOTHING):
        yield f"           {finding.remedy}"
