"""`python -m bench.auditing [FOLDER] [DECISIONS]`: the auditor's commands over a million decisions, as people run them.

Each command is a process of its own, its start included, and records in the log that it was used. Writes its part of
docs/reference/performance.md when FOLDER holds a million.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench import million
from bench.logs import start_seconds
from bench.report import describe_machine
from bench.sections import PAGE, with_part
from bench.table import Row, markdown, targets
from gateway.evidence.view import open_views
from tests.support.postgres import Cluster, running_cluster

PROGRAM = Path(sys.executable).parent / "querywarden"
TIMES = 5
MILLION = 1_000_000


class Took(NamedTuple):
    """Seconds of one command: at the median from its start to its end, and the least CPU."""

    wall: float
    cpu: float
    said: str

    @property
    def shown(self) -> str:
        """For the table."""
        return f"{self.wall:.2f} s ({self.cpu:.2f} s CPU)"


def took(*arguments: str, times: int = TIMES) -> Took:
    """Run it. Raises CalledProcessError when it does not exit 0."""
    walls, cpus, said = [], [], ""
    for _ in range(times):
        before, started = os.times(), time.monotonic()
        said = subprocess.run([PROGRAM, "audit", *arguments], check=True, capture_output=True, text=True).stdout
        walls.append(time.monotonic() - started)
        after = os.times()
        cpus.append(after.children_user + after.children_system - before.children_user - before.children_system)
    print(f"{statistics.median(walls):7.2f} s  {' '.join(arguments)}", file=sys.stderr)
    return Took(statistics.median(walls), min(cpus), said)


SEARCHES = {
    "the latest 50": (),
    "denials that touch a label": ("--label", "pan", "--outcome", "deny"),
    "one agent's reads of one table": ("--agent", "agent-7", "--relation", "cards", "--action", "select"),
    "a part of the statement": ("--text", "select ?"),
    "a part that no statement has": ("--text", "no such words"),
    "a requirement": ("--control", "3.4.1"),
    "an hour": ("--since", "12h", "--until", "11h"),
    "how decisions divide by agent, label, rule, control": (
        "--facet", "agent", "--facet", "label", "--facet", "rule", "--facet", "control",
    ),
}  # fmt: skip


def measure(folder: Path, cluster: Cluster) -> tuple[list[Row], list[tuple[str, str]]]:
    """Everything once; rows with a target, and rows without."""
    data = ("--data", str(folder))
    shutil.rmtree(folder / "index", ignore_errors=True)
    build = took("index", *data, times=1)
    again = took("index", *data)
    searches = {name: took("search", *data, *asked) for name, asked in SEARCHES.items()}
    slowest = max(searches, key=lambda name: searches[name].wall)
    explained = _explained(folder, data)
    replayed = took("replay-decisions", *data, times=1)
    exported, found, counted = _history(folder, data)
    plain = took("search", *data, "--no-index", *SEARCHES["denials that touch a label"], times=1)
    starts = [(start_seconds(cluster, None), start_seconds(cluster, folder)) for _ in range(TIMES)]
    empty, full = (statistics.median(each) for each in zip(*starts, strict=True))
    rows = [
        _under("index, from nothing", 180, build),
        _under(f"search, the slowest of {len(searches)}: {slowest}", 1, searches[slowest]),
        _under("explain, by its id", 1, explained["id"]),
        Row("start-up with it, against without", "≤ 1.5 ×", f"{full:.2f} s to {empty:.2f} s", full <= 1.5 * empty),
    ]
    rest = [
        ("index, nothing new", again.shown),
        *((f"search: {name}", each.shown) for name, each in searches.items()),
        ("the second without an index", plain.shown),
        ("explain, by the statement", explained["statement"].shown),
        ("explain, by a moment", explained["moment"].shown),
        ("replay-decisions, all of them", replayed.shown),
        ("export as Parquet", exported.shown),
        ("the same search over the export", found.shown),
        ("the same counts over the export", counted.shown),
    ]
    return rows, rest


def _under(what: str, seconds: float, found: Took) -> Row:
    return Row(what, f"≤ {seconds:g} s", found.shown, found.wall <= seconds)


def _explained(folder: Path, data: Sequence[str]) -> dict[str, Took]:
    """The oldest decision that was allowed, so that everything it needs lies far back."""
    first = json.loads(took("search", *data, "--outcome", "mask", "--limit", "1", "--json", times=1).said)
    statement = str(first["statement"])
    view = next(open_views(folder))
    old = next(raw for _, raw in view.upwards(0) if b'"outcome":"mask"' in raw)
    did = json.loads(old)["did"]
    return {
        "id": took("explain", *data, did),
        "statement": took("explain", *data, statement),
        "moment": took("explain", *data, "--at", "12h"),
    }


def _history(folder: Path, data: Sequence[str]) -> tuple[Took, Took, Took]:
    history = folder.with_name(f"{folder.name}-history")
    shutil.rmtree(history, ignore_errors=True)
    exported = took("index", *data, "--export", "parquet", "-o", str(history), times=1)
    place = ("--history", str(history))
    found = took("search", *place, *SEARCHES["denials that touch a label"])
    counted = took("search", *place, *SEARCHES["how decisions divide by agent, label, rule, control"])
    shutil.rmtree(history)
    return exported, found, counted


def section(rows: Sequence[Row], rest: Sequence[tuple[str, str]], machine: Sequence[tuple[str, str]], size: int) -> str:
    """Its part of the page."""
    return "\n".join(
        [
            f"## The auditor's desk over {size:,} decisions",
            "",
            f"Written by `python -m bench.auditing FOLDER` on {datetime.now(UTC):%Y-%m-%d}. Each command as a person",
            f"runs it: a process from its start to its end, the median of {TIMES}, with the least CPU; it records in",
            "the log that it was used. `python -m bench.million FOLDER` makes such a log.",
            "",
            markdown(("", ""), machine),
            targets(rows),
            markdown(("", "took"), rest),
        ]
    )


def main(arguments: list[str]) -> None:
    """Fill the folder if it is not, measure, print; the page only for a whole million."""
    folder = Path(arguments[0] if arguments else "/tmp/querywarden-million")  # noqa: S108 -- to be kept for the next run
    decisions = int(arguments[1]) if len(arguments) > 1 else MILLION
    million.ensure(folder, decisions)
    machine = describe_machine()
    with running_cluster() as cluster:
        text = section(*measure(folder, cluster), machine, decisions)
    print(text)
    if decisions >= MILLION:
        PAGE.write_text(with_part(PAGE.read_text(encoding="utf-8"), "auditing", text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
