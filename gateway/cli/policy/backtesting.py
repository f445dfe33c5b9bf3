"""`querywarden policy backtest`: a candidate over recorded inputs, before it governs; `policy history` exports them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from gateway.cli.audit.desk import ConfigOption, DataOption, data_folder, reading
from gateway.cli.audit.progress import Bar
from gateway.cli.audit.words import as_json as json_text
from gateway.cli.audit.words import instant
from gateway.cli.policy.differences import Differences, compare, in_words
from gateway.cli.policy.evaluating import Answer, ask_all
from gateway.cli.policy.options import AsJson
from gateway.cli.policy.past import LoggedPast, Past, Period
from gateway.cli.policy.reporting import SAYS_NO, SAYS_YES, show
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.policy.archive import read_archive
from gateway.policy.build import read_bundle_files
from gateway.policy.bundle import SITE_DATA, paths_read, read_contents
from gateway.policy.digests import canonical_value
from gateway.policy.store import BundleStore

_NOT_NEGATIVE: Final = Number(gte=0)
From: TypeAlias = Annotated[
    str, Parameter(name="--from", help="A time like 2026-11-25T01:40 (UTC), or an age like 7d.")
]
To: TypeAlias = Annotated[str, Parameter(name="--to", help="The same; until now if not given.")]


def backtest(  # noqa: PLR0913 -- each is an option
    *,
    candidate: Annotated[Path, Parameter(help="The bundle that would govern. Its signature is not looked at.")],
    since: From = "",
    until: To = "",
    config: ConfigOption = None,
    data: DataOption = None,
    history: Annotated[Path | None, Parameter(help="An exported history, instead of a gateway's log.")] = None,
    allow_change: Annotated[bool, Parameter(negative="", help="Exit 0 although decisions would change.")] = False,
    processes: Annotated[int, Parameter(validator=_NOT_NEGATIVE, help="0: one for each processor.")] = 0,
    as_json: AsJson = False,
) -> int:
    """Evaluate a candidate over the recorded inputs of a period. Exits 1 when a decision would be another one."""
    period = period_of(since, until)
    if history is not None and (config is not None or data is not None):
        raise ConfigError("config.invalid", "give --history, or --config or --data, not both")
    files = read_bundle_files(candidate)
    with reading():
        folder = history or data_folder(config, data)
        past = LoggedPast(folder, period) if history is None else _exported(folder, period)
        found = held_against(candidate, files, past, BundleStore(folder), processes)
    sys.stdout.write(json_text(found) if as_json else in_words(found))
    return SAYS_YES if found.none or (allow_change and not found.missing) else SAYS_NO


def held_against(
    candidate: Path, files: dict[str, bytes], past: Past, store: BundleStore, processes: int
) -> Differences:
    """The candidate's differences; progress on stderr."""
    clock = SystemClock()
    bar = Bar(sys.stderr, clock, "leaves")
    groups = past.groups(bar)
    bar.clear()
    wanted = {group.input for group in groups if group.input and group.answer}
    bar = Bar(sys.stderr, clock, "questions")
    answers: dict[str, Answer] = {}
    for name, answer in ask_all(candidate, past.bodies(wanted), processes):
        answers[name] = answer
        bar(len(answers), len(wanted))
    bar.clear()
    return compare(past, groups, answers, list(notes(files, {group.bundle for group in groups}, store)))


def notes(files: dict[str, bytes], bundles: set[str], store: BundleStore) -> Iterator[str]:
    """What recorded inputs cannot show of a candidate: paths the old bundle did not read, labels it gave otherwise."""
    reads = _reads(files)
    for sha256 in sorted(bundles - {""}):
        raw = store.read(sha256)
        if raw is None:
            yield f"bundle {sha256[:12]} is not at hand: it may have read and labelled otherwise than the candidate"
            continue
        old = read_archive(raw)
        if fresh := sorted(reads - _reads(old)):
            yield f"bundle {sha256[:12]} did not read {', '.join(fresh)}: recorded inputs lack these"
        if _classification(old) != _classification(files):
            yield f"bundle {sha256[:12]} classified columns otherwise: recorded inputs carry its labels"


def _reads(files: dict[str, bytes]) -> set[str]:
    site = canonical_value(SITE_DATA, files[SITE_DATA]) if SITE_DATA in files else {}
    return set(paths_read(read_contents(files), site))


def _classification(files: dict[str, bytes]) -> object:
    site = canonical_value(SITE_DATA, files[SITE_DATA]) if SITE_DATA in files else {}
    return site.get("classification") if isinstance(site, dict) else None


def period_of(since: str, until: str) -> Period:
    """The period that options name. Raises ConfigError."""
    now = SystemClock().now_ns()
    begin = instant(since, now, "--from") if since else Period().since_ns
    end = instant(until, now, "--to") if until else Period().until_ns
    if begin >= end:
        raise ConfigError("config.invalid", "--from lies before --to")
    return Period(begin, end)


def _exported(folder: Path, period: Period) -> Past:
    from gateway.cli.policy.parquet import ParquetPast  # noqa: PLC0415 -- duckdb is an extra

    return ParquetPast(folder, period)


def export(  # noqa: PLR0913 -- each is an option
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="A folder that is not there yet.")],
    since: From = "",
    until: To = "",
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> int:
    """Write the decisions of a period as Parquet: one folder of decisions by day, one of the documents they name."""
    from gateway.cli.policy.parquet import write_history  # noqa: PLC0415 -- duckdb is an extra

    bar = Bar(sys.stderr, SystemClock(), "leaves")
    with reading():
        folder = data_folder(config, data)
        past = LoggedPast(folder, period_of(since, until))
        decisions, documents = write_history(past, BundleStore(folder), output, bar)
    bar.clear()
    show({"history": str(output), "decisions": decisions, "documents": documents}, as_json=as_json)
    return SAYS_YES
