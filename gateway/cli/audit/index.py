"""`querywarden audit index`: brings the search index up to the log, derives it anew to compare, exports the history."""

import sys
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from gateway.cli.audit.accessing import AsOption, note_access
from gateway.cli.audit.desk import FINE, SAYS_NO, ConfigOption, DataOption, JsonOption, data_folder, reading
from gateway.cli.audit.index_desk import open_finder, tell
from gateway.cli.audit.progress import Bar
from gateway.cli.audit.search import IndexOption
from gateway.cli.audit.words import json_line, rows
from gateway.cli.person import as_owner
from gateway.cli.policy.backtesting import From, To, period_of
from gateway.cli.policy.past import LoggedPast
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.evidence.index import FILE, FOLDER, alone, remove
from gateway.evidence.index_compare import compare
from gateway.policy.store import BundleStore

ANEW: Final = "anew"
"""folder below the index's, for the one that is derived to compare"""


def index(  # noqa: PLR0913 -- each is an option
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    place: IndexOption = None,
    check: Annotated[
        bool, Parameter(negative="", help="Derive it anew and compare; the new one takes its place.")
    ] = False,
    export: Annotated[
        Literal["parquet"] | None, Parameter(help="Write the decisions of a period instead, by day.")
    ] = None,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="The export's folder; not there yet.")
    ] = None,
    since: From = "",
    until: To = "",
    person: AsOption = "",
    as_json: JsonOption = False,
) -> int:
    """Bring the search index up to the log. It is derived from the log, can be deleted at any time, and proves nothing.

    --check exits 1 when the index was changed. What --export writes is searched by `audit search --history`.
    """
    folder = data_folder(config, data)
    if export is not None:
        if output is None:
            raise ConfigError("config.invalid", "--export: where to? Give --output FOLDER")
        return _export(folder, output, (since, until), person, as_json=as_json)
    place = place or folder / FOLDER
    with reading():
        with open_finder(folder, place=place) as finder:
            said = {"decisions": finder.index.one("SELECT count(*) FROM decision")}
        changed = _check(folder, place) if check else []
    _show({"index": str(place / FILE), **said, **({"changed": changed} if check else {})}, as_json=as_json)
    return SAYS_NO if changed else FINE


def _check(data_dir: Path, place: Path) -> list[str]:
    """What was changed in an index; one that is derived anew takes its place."""
    with as_owner(data_dir):
        remove(place / ANEW / FILE)
    with open_finder(data_dir, place=place) as old, open_finder(data_dir, place=place / ANEW) as new:
        changed = list(compare(old.index, new.index))
    with as_owner(data_dir), alone(place):
        remove(place / FILE)
        (place / ANEW / FILE).replace(place / FILE)
    if changed:
        tell(f"the index was changed ({', '.join(changed)}): it is replaced by one that was derived anew")
    return changed


def _export(data_dir: Path, output: Path, period: tuple[str, str], person: str, *, as_json: bool) -> int:
    from gateway.cli.policy.parquet import write_history  # noqa: PLC0415 -- duckdb is an extra

    bar = Bar(sys.stderr, SystemClock(), "leaves")
    with reading():
        past = LoggedPast(data_dir, period_of(*period))
        note_access(data_dir, "index", {"export": "parquet", "from": period[0], "to": period[1]}, person=person)
        decisions, documents = write_history(past, BundleStore(data_dir), output, bar)
    bar.clear()
    _show({"history": str(output), "decisions": decisions, "documents": documents}, as_json=as_json)
    return FINE


def _show(said: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json_line(said))
        return
    words = {
        name: ", ".join(value) or "nothing" if isinstance(value, list) else str(value) for name, value in said.items()
    }
    sys.stdout.write(rows(list(words.items())))
