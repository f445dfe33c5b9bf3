"""EXPLAIN of governed rows says how they are read, not what the planner expects of them or the executor finds.

Estimates come from statistics of the stored values: their average width, how many differ, how many are NULL (a trial
told two databases apart whose rows looked the same through masks). So rows, widths and costs are left out. ANALYZE
counts below the masks: Memoize keys on stored values, so its hits say which rows share one; what sorts and hashes take
in memory says how long they are.
"""

from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.edits import Edit
from gateway.sql.job import Job
from gateway.sql.kinds import analyzes
from gateway.sql.objects import Kind
from gateway.sql.places import Places

_T = pb.Token
_PLAIN = {_T.ANALYZE: "ANALYZE", _T.ANALYSE: "ANALYZE", _T.VERBOSE: "VERBOSE"}
"""options that may stand without parentheses"""


def hide_estimates(job: Job) -> None:
    """Leave them out where statistics of protected values could be behind them. Raises Refused for ANALYZE of masks."""
    explain = next((node for node in job.nodes if isinstance(node, pb.ExplainStmt)), None)
    if explain is not None and job.masked:
        refuse_analyze(explain)
    if explain is not None and (job.spliced or job.masked or _views(job)):
        job.edits.append(without_costs(explain, job.places))


def refuse_analyze(explain: pb.ExplainStmt) -> None:
    """Raise Refused when the statement would be run and measured."""
    if analyzes(explain):
        raise Refused("statement.explain_analyze")


def _views(job: Job) -> bool:
    """A view left bare may group or compare protected values itself."""
    return any(relation.kind is Kind.VIEW for _, relation in job.sources())


def without_costs(explain: pb.ExplainStmt, places: Places) -> Edit:
    """`COSTS OFF` among the options; behind the agent's own COSTS, for the last one counts."""
    tokens = places.tokens
    first = next(index for index, token in enumerate(tokens) if token.token == _T.EXPLAIN)
    behind = tokens[first + 1]
    if behind.token == _T.ASCII_40 and explain.options:
        if any(option.def_elem.defname == "costs" for option in explain.options):
            end = places.closing(first + 1)
            return Edit(tokens[end].start, tokens[end].start, ", COSTS OFF")
        return Edit(behind.end, behind.end, "COSTS OFF, ")
    last = first
    while tokens[last + 1].token in _PLAIN:
        last += 1
    options = ", ".join(["COSTS OFF", *(_PLAIN[token.token] for token in tokens[first + 1 : last + 1])])
    if last == first:
        return Edit(behind.start, behind.start, f"({options}) ")
    return Edit(behind.start, tokens[last].end, f"({options})")
