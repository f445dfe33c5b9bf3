"""`querywarden audit search`: finds decisions, the latest first, or counts them; by the index, checked by the log."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.audit.accessing import AsOption, note_access
from gateway.cli.audit.asked import canonical_text, recordable
from gateway.cli.audit.desk import FINE, ConfigOption, DataOption, JsonOption, data_folder, reading
from gateway.cli.audit.index_desk import Pass, Searchable, open_finder, tell
from gateway.cli.audit.words import instant, json_line, moment, printable
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.evidence.finder import Page
from gateway.evidence.index_query import Count
from gateway.evidence.search import Hit, Query

WIDE: Final = 320
"""columns of a table that no terminal cuts"""
COLUMNS: Final = ("when", "decision", "who", "connection", "action", "outcome", "ended", "codes", "statement")
AT_LEAST_ONE: Final = Number(gte=1)
Name: TypeAlias = Literal[
    "agent", "person", "connection", "action", "outcome", "ended", "relation", "label", "rule", "control", "bundle"
]
IndexOption: TypeAlias = Annotated[
    Path | None, Parameter(name="--index", help="Where the index lies. Default: index in the data folder.")
]


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """How many decisions have a value, as JSON."""

    facet: str
    value: str
    decisions: int


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The options that say what is looked for."""

    subject: Annotated[str, Parameter(name=["--subject", "--agent"])] = ""
    """The agent, or the person it acted for."""
    connection: str = ""
    """The connection's name."""
    action: str = ""
    """As in select, update, copy_out."""
    outcome: str = ""
    """Of the decision (allow, mask, deny, require_approval), or how the statement ended (as in outcome_unknown)."""
    code: Annotated[str, Parameter(name=["--code", "--rule"])] = ""
    """Of a rule that contributed, or of the gateway's own refusal."""
    control: str = ""
    """A requirement that its rules serve, as in 3.4.1."""
    relation: str = ""
    """A table or view the statement touches: its name, or schema.name."""
    label: str = ""
    """A label of what the statement touches, as in pan."""
    bundle: str = ""
    """The first digits of the sha256 of the bundle that decided."""
    text: str = ""
    """A part of the redacted statement."""
    statement: str = ""
    """A whole statement; its values do not matter, and are not kept."""
    session: str = ""
    """The session's id."""
    since: str = ""
    """A time like 2026-11-25T01:40 (UTC), or an age like 15m."""
    until: str = ""
    """The same."""

    def query(self, now_ns: int) -> Query:
        """What is asked. Raises ConfigError."""
        given = {name: text.encode("utf-8", "replace").decode() for name, text in asdict(self).items()}
        since, until = given.pop("since"), given.pop("until")
        given["statement"] = canonical_text(given["statement"])
        query = Query(
            **given,
            since_ns=instant(since, now_ns, "--since") if since else Query().since_ns,
            until_ns=instant(until, now_ns, "--until") if until else Query().until_ns,
        )
        return query._replace(bundle=query.bundle.removeprefix("sha256:"))

    def recorded(self) -> dict[str, str]:
        """What is recorded of them: no value of a statement."""
        return {**asdict(self), "statement": recordable(self.statement) if self.statement else ""}


EVERYTHING: Final = Wanted()


def search(  # noqa: PLR0913 -- each is an option
    *,
    wanted: Annotated[Wanted, Parameter(name="*", show_default=False)] = EVERYTHING,
    facet: Annotated[tuple[Name, ...], Parameter(negative="", help="Count by this; may be given several times.")] = (),
    config: ConfigOption = None,
    data: DataOption = None,
    limit: Annotated[int, Parameter(validator=AT_LEAST_ONE, help="How many at most.")] = 50,
    after: Annotated[str, Parameter(help="Go on behind this decision, the last one of the page before.")] = "",
    index: IndexOption = None,
    plain: Annotated[bool, Parameter(name="--no-index", negative="", help="Read the whole log instead.")] = False,
    history: Annotated[Path | None, Parameter(help="An export of `audit index` to search instead of the log.")] = None,
    person: AsOption = "",
    as_json: JsonOption = False,
) -> int:
    """Find decisions, the latest first, or count them by --facet. Everything that is given must hold.

    Each decision is read from the log before it is shown; the search itself becomes a leaf of the log. JSON is one
    document a line.
    """
    query = wanted.query(SystemClock().now_ns())
    if history is not None and (data is not None or config is not None or plain or index is not None):
        raise ConfigError("config.invalid", "--history is searched alone: give no --config, --data, --index with it")
    folder = history or data_folder(config, data)
    asked = {**wanted.recorded(), "facet": ",".join(facet), "limit": limit, "after": after}
    with reading(), _opened(folder, index, plain=plain, exported=history is not None) as desk:
        if facet:
            counts = {name: desk.facet(query, name) for name in facet}
            note_access(folder, "search", asked, results=sum(map(len, counts.values())), person=person)
            show_counts(counts, limit, as_json=as_json)
            return FINE
        try:
            page = desk.page(query, limit, after)
        except KeyError:
            raise ConfigError("config.invalid", "--after: no decision has this id") from None
        note_access(folder, "search", asked, results=page.total, person=person)
        show(page, as_json=as_json)
    return FINE


@contextmanager
def _opened(folder: Path, index: Path | None, *, plain: bool, exported: bool) -> Iterator[Searchable]:
    if exported:
        from gateway.cli.audit.index_history import HistoryDesk  # noqa: PLC0415 -- duckdb is an extra

        tell("from an exported history: what is shown is not held against the log")
        yield HistoryDesk(folder)
    elif plain:
        yield Pass(folder)
    else:
        with open_finder(folder, place=index) as finder:
            yield finder


def show(page: Page, *, as_json: bool) -> None:
    """A table, as wide as the terminal, and wide enough for everything where there is none."""
    if as_json:
        for hit in page.hits:
            sys.stdout.write(json_line(hit))
        return
    table = Table(*COLUMNS, box=None, pad_edge=False, header_style="bold")
    for name in ("when", "decision", "outcome"):
        table.columns[COLUMNS.index(name)].no_wrap = True
    for hit in page.hits:
        table.add_row(*map(Text, _cells(hit)))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False)
    if page.hits:
        console.print(table)
    console.print(_sum(page))


def _sum(page: Page) -> str:
    shown = len(page.hits)
    if shown == page.total or not shown:
        return f"{page.total:,} decision{'' if page.total == 1 else 's'}"
    return f"{shown:,} of {page.total:,} decisions; --after {printable(page.hits[-1].did)} shows the next"


def show_counts(counts: dict[Name, list[Count]], limit: int, *, as_json: bool) -> None:
    """What was counted, the most frequent first."""
    for name, found in counts.items():
        for value, decisions in found if as_json else found[:limit]:
            if as_json:
                sys.stdout.write(json_line(Facet(facet=name, value=value, decisions=decisions)))
            else:
                sys.stdout.write(f"{name:<12}{decisions:>12,}  {printable(value) or '-'}\n")
        if len(found) > limit and not as_json:
            sys.stdout.write(f"{name:<12}{'…':>12}  {len(found) - limit:,} more\n")


def _cells(hit: Hit) -> Sequence[str]:
    who = hit.subject + (f" for {hit.on_behalf_of}" if hit.on_behalf_of else "")
    cells = (who, hit.connection, hit.action, hit.outcome, hit.ended, " ".join(hit.codes), hit.statement)
    return [moment(hit.time_ns), *map(printable, (hit.did, *cells))]
