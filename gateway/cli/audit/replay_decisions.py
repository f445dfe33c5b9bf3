"""`querywarden audit replay-decisions`: a period computed again, by the bundles that decided, or by a candidate."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from gateway.cli.audit.accessing import AsOption, note_access
from gateway.cli.audit.desk import FINE, SAYS_NO, ConfigOption, DataOption, JsonOption, data_folder, reading
from gateway.cli.audit.progress import Bar
from gateway.cli.audit.redeciding import Report, decide_again
from gateway.cli.audit.words import as_json as json_text
from gateway.cli.audit.words import harmless
from gateway.cli.policy.backtesting import From, To, held_against, period_of
from gateway.cli.policy.differences import in_words as differences_in_words
from gateway.cli.policy.past import LoggedPast
from gateway.core.clock import SystemClock
from gateway.policy.build import read_bundle_files
from gateway.policy.store import BundleStore


def replay_decisions(  # noqa: PLR0913 -- each is an option
    *,
    since: From = "",
    until: To = "",
    connection: Annotated[tuple[str, ...], Parameter(negative="", help="Only on this one; several times.")] = (),
    candidate: Annotated[
        Path | None, Parameter(help="Ask this bundle instead. Its signature is not looked at.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    processes: Annotated[int, Parameter(validator=Number(gte=0), help="0: one for each processor.")] = 0,
    person: AsOption = "",
    as_json: JsonOption = False,
) -> int:
    """Compute every decision of a period again, by the archived bundle that decided it, over the stored input.

    Exits 1 unless each gives the same bytes as the answer that was stored, and nothing more open was carried out. With
    a candidate: what it would have decided otherwise, as `policy backtest` says it; exits 1 when there is something.
    """
    folder, period = data_folder(config, data), period_of(since, until)
    asked = {"from": since, "to": until, "connection": ",".join(connection), "candidate": candidate and candidate.name}
    with reading():
        past = LoggedPast(folder, period, connection)
        if candidate is not None:
            files = read_bundle_files(candidate)
            found = held_against(candidate, files, past, BundleStore(folder), processes)
            note_access(folder, "replay-decisions", asked, results=found.decisions, person=person)
            sys.stdout.write(json_text(found) if as_json else harmless(differences_in_words(found)))
            return FINE if found.none else SAYS_NO
        clock = SystemClock()
        leaves, questions = Bar(sys.stderr, clock, "leaves"), Bar(sys.stderr, clock, "questions")
        report = decide_again(past, folder, processes, leaves, questions)
        leaves.clear()
        questions.clear()
        note_access(folder, "replay-decisions", asked, results=report.decisions, person=person)
    sys.stdout.write(json_text(report) if as_json else harmless("\n".join(in_words(report)) + "\n"))
    return FINE if report.ok else SAYS_NO


def in_words(report: Report) -> Iterator[str]:
    """What a person reads."""
    yield f"decisions   {report.decisions:,}"
    yield f"questions   {report.questions:,} different ones, each asked once"
    yield f"equal       {report.equal:,}, byte for byte"
    yield f"refused     {report.refused:,} by the gateway itself: there is nothing to compute"
    for name, count in (("DIFFERENT", report.different), ("IMPOSSIBLE", report.impossible)):
        if count:
            yield f"{name:<12}{count:,}"
    for sha256, count in report.bundles.items():
        yield f"bundle      {sha256 or 'none'}: {count:,}"
    for engine, count in report.engines.items():
        again = "" if engine == report.engine_now else f"; computed again by {report.engine_now}"
        yield f"engine      {engine or 'none'}: {count:,}{again}"
    for finding in report.findings:
        yield f"finding     {finding.decisions:,} {finding.why}"
        yield from (f"            {did}" for did in finding.examples)
