"""What `audit reconcile` says to people."""

from collections.abc import Iterator
from typing import Final

from gateway.cli.audit.words import moment, printable
from gateway.evidence.reconcile import Reconciliation, Verdict
from gateway.evidence.reconcile_findings import Finding, Kind

_SAYS: Final = {
    Verdict.COMPLETE: "complete: every statement in the database's log is one of ours, and none of ours is missing",
    Verdict.ROUND: "WENT ROUND: something reached the database that the gateway did not forward as it stands there",
    Verdict.INCOMPLETE: "INCOMPLETE: nothing is seen to have gone round, but the database's log has gaps",
    Verdict.UNDECIDABLE: "UNDECIDABLE: the database's log cannot tell",
}
_KINDS: Final = {
    Kind.UNMARKED: "without our mark",
    Kind.CONNECTION: "sessions that are none of ours",
    Kind.REPLICATION: "replication, which copies the data",
    Kind.UNKNOWN: "with a mark that our log does not have",
    Kind.REFUSED: "with the mark of a decision that refused",
    Kind.FOREIGN: "with the mark of another session",
    Kind.ALTERED: "with a mark of ours before another text",
    Kind.REUSED: "with a mark of ours, oftener than was decided",
    Kind.CLAIMED: "under the name of a session of ours",
    Kind.PRETENDED: "under the name of the gateway's own connection",
}


def told(answer: Reconciliation) -> str:
    """The answer in lines."""
    return "\n".join(printable(line) for line in _lines(answer)) + "\n"


def _lines(answer: Reconciliation) -> Iterator[str]:
    yield f"{answer.connection}: {_SAYS[answer.verdict]}"
    if answer.last_ns:
        yield f"  database {answer.database}, its log from {moment(answer.first_ns)} to {moment(answer.last_ns)}"
    yield (
        f"  {answer.records:,} records, {answer.statements:,} statements of that database: {answer.matched:,} ours, "
        f"{answer.own:,} the gateway's own; {answer.sessions:,} of our sessions"
    )
    if answer.clocks is not None:
        median, least, most = answer.clocks.median_ms, answer.clocks.least_ms, answer.clocks.most_ms
        yield f"  its clock less ours, with the way there: {median:,} ms ({least:,} to {most:,})"
    for finding in answer.findings:
        yield from _finding(finding)
    if answer.missing:
        yield f"  missing in the database's log: {answer.missing:,} statements we forwarded"
        yield from (f"    {did}" for did in answer.missing_examples)
    pieces = (
        (answer.unread, "pieces of the log cannot be read"),
        (answer.gaps, "sessions of the server have lines missing"),
        (answer.unclear, "statements are cut, or in another encoding: their texts were not compared"),
    )
    yield from (f"  {count:,} {what}" for count, what in pieces if count)
    yield from (f"  needed: {need.setting}: {need.why}" for need in answer.needs)


def _finding(finding: Finding) -> Iterator[str]:
    who = f"{finding.user or '?'} from {finding.address or '?'}"
    by = f", {finding.application}" if finding.application else ""
    known = " (known)" if finding.known else ""
    when = f"{moment(finding.first_ns)} to {moment(finding.last_ns)}"
    yield f"  {finding.count:,} {_KINDS[finding.kind]}: {who}{by}{known}, {when}"
    for example in finding.examples:
        if example.text or example.mark:
            mark = f" [{example.mark}]" if example.mark else ""
            yield f"    {moment(example.time_ns)}  {example.text}{mark}"
