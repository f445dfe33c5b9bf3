"""`querywarden audit search`: finds decisions, the latest first."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.audit.desk import FINE, ConfigOption, DataOption, JsonOption, data_folder, reading
from gateway.cli.audit.words import instant, moment, printable
from gateway.core.clock import SystemClock
from gateway.evidence import search as log
from gateway.evidence.search import Hit, Query

WIDE: Final = 320
"""columns of a table that no terminal cuts"""
COLUMNS: Final = ("when", "decision", "who", "connection", "action", "outcome", "ended", "codes", "statement")
AT_LEAST_ONE: Final = Number(gte=1)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The options that say what is looked for."""

    subject: str = ""
    """The agent, or the person it acted for."""
    connection: str = ""
    """The connection's name."""
    action: str = ""
    """As in select, update, copy_out."""
    outcome: str = ""
    """Of the decision (allow, mask, deny, require_approval), or how the statement ended (as in outcome_unknown)."""
    code: str = ""
    """Of a rule that contributed, or of the gateway's own refusal."""
    relation: str = ""
    """A table or view the statement touches: its name, or schema.name."""
    label: str = ""
    """A label of what the statement touches, as in pan."""
    text: str = ""
    """A part of the redacted statement."""
    session: str = ""
    """The session's id."""
    since: str = ""
    """A time like 2026-11-25T01:40 (UTC), or an age like 15m."""
    until: str = ""
    """The same."""

    def query(self, now_ns: int) -> Query:
        """What the log is asked. Raises ConfigError."""
        given = asdict(self)
        since, until = given.pop("since"), given.pop("until")
        return Query(
            **given,
            since_ns=instant(since, now_ns, "--since") if since else Query().since_ns,
            until_ns=instant(until, now_ns, "--until") if until else Query().until_ns,
        )


EVERYTHING: Final = Wanted()


def search(
    *,
    wanted: Annotated[Wanted, Parameter(name="*", show_default=False)] = EVERYTHING,
    config: ConfigOption = None,
    data: DataOption = None,
    limit: Annotated[int, Parameter(validator=AT_LEAST_ONE)] = 50,
    as_json: JsonOption = False,
) -> int:
    """Find decisions, the latest first. Everything that is given must hold.

    Parameters
    ----------
    wanted
        What is looked for.
    config
        The configuration file, which names the data folder. Default: gateway.yaml.
    data
        The data folder itself.
    limit
        How many at most.
    as_json
        Print one JSON document a line.

    """
    query, folder = wanted.query(SystemClock().now_ns()), data_folder(config, data)
    with reading():
        hits = log.search(folder, query, limit)
        if as_json:
            for hit in hits:
                sys.stdout.write(msgspec.json.encode(hit).decode() + "\n")
        else:
            show(hits)
    return FINE


def show(hits: Iterator[Hit]) -> None:
    """A table, as wide as the terminal, and wide enough for everything where there is none."""
    table = Table(*COLUMNS, box=None, pad_edge=False, header_style="bold")
    for name in ("when", "decision", "outcome"):
        table.columns[COLUMNS.index(name)].no_wrap = True
    count = 0
    for count, hit in enumerate(hits, 1):  # noqa: B007 -- counted on the way
        table.add_row(*map(Text, _cells(hit)))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False)
    if count:
        console.print(table)
    console.print(f"{count} decision{'' if count == 1 else 's'}")


def _cells(hit: Hit) -> tuple[str, ...]:
    who = hit.subject + (f" for {hit.on_behalf_of}" if hit.on_behalf_of else "")
    cells = (who, hit.connection, hit.action, hit.outcome, hit.ended, " ".join(hit.codes), hit.statement)
    return (moment(hit.time_ns), hit.did, *map(printable, cells))
