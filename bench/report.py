"""From figures to the page: targets met or not, and the figures behind them."""

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.bulk import Read
from bench.measure import CARDS, MANY, MASKED, ONE, REWRITTEN, WIDE, Figures
from bench.pgbench import Run
from bench.table import Row, markdown, number, ratio_row, share_row, targets

LANES = ("direct", "pgbouncer", "gateway")
MB, KB = 1 << 20, 1 << 10
HOOPINSPECT_OPA = 0.17
"""the best share of direct that hoopinspect reached with OPA, two calls a SELECT (measured elsewhere)"""


def page(figures: Figures, command: str, machine: Sequence[tuple[str, str]]) -> str:
    """The reference page. `machine` is what `describe_machine` said before anything was measured."""
    return "\n".join(
        [
            "# Performance",
            "",
            f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}; not edited by hand. One gateway process, no TLS,",
            "policy, masking, card scan and the log on; pgbouncer with session pooling; all on one machine, over",
            "loopback. CPU is the least of all rounds, everything else the median; the lanes take turns within each",
            "round. CPU and ratios say more than rates here: client, proxy and server share the same cores.",
            "",
            markdown(("", ""), machine),
            "## Targets",
            "",
            targets(rows(figures)),
            "## Transactions",
            "",
            "`pgbench -S`: one row by primary key. CPU of the process in the way, in µs for each transaction.",
            "",
            _transactions(figures),
            "## Many rows",
            "",
            f"{figures.size.rows:,} rows by one simple query. CPU in ns a row: of the process in the way; direct, of",
            "the server itself, so that its last two rows show what masking at the source costs it.",
            "",
            _reads(figures),
            "## Decisions and the log",
            "",
            _log(figures),
        ]
    )


def rows(figures: Figures) -> list[Row]:
    """Every target, with what was measured."""
    return [*_load_rows(figures), *_read_rows(figures), *_memory_rows(figures), *_room_rows(figures)]


def _cpu(runs: Iterable[Run]) -> float:
    return min((run.cpu_us for run in runs), default=0.0)


def _tps(runs: Iterable[Run]) -> float:
    return statistics.median(run.tps for run in runs)


def _p50(runs: Iterable[Run]) -> float:
    return statistics.median(run.p50_us for run in runs)


def _load_rows(figures: Figures) -> list[Row]:
    many = {lane: figures.loads[MANY, "prepared", lane] for lane in LANES}
    one = {lane: _p50(figures.loads[ONE, "prepared", lane]) for lane in LANES}
    added = {lane: max(0.1, one[lane] - one["direct"]) for lane in LANES}
    tps = {lane: _tps(many[lane]) for lane in LANES}
    cpu = {lane: _cpu(many[lane]) for lane in LANES}
    least, share = 4 * HOOPINSPECT_OPA, tps["gateway"] / tps["direct"]
    one_process = "TPS, prepared, 16 clients (one process, not two)"
    return [
        ratio_row("CPU a transaction, prepared, 16 clients", 2.2, cpu["gateway"], cpu["pgbouncer"], "µs"),
        ratio_row("p50 added, prepared, one client", 3.0, added["gateway"], added["pgbouncer"], "µs"),
        share_row(one_process, 0.7, tps["gateway"], tps["pgbouncer"], "a second"),
        Row(
            "the same, as a share of direct",
            f"≥ {least:.2f} (4 × hoopinspect with OPA)",
            f"{share:.2f}",
            share >= least,
        ),
    ]


def _seconds(reads: Iterable[Read]) -> float:
    return statistics.median(read.seconds for read in reads)


def _rate(reads: Sequence[Read]) -> float:
    return reads[0].rows / _seconds(reads)


def _read_rows(figures: Figures) -> list[Row]:
    reads = figures.reads
    cost = _seconds(reads[REWRITTEN, "direct"]) / _seconds(reads[MASKED, "direct"])
    masked = share_row(
        "bulk read, one masked column, against the same text",
        0.9,
        _rate(reads[MASKED, "gateway"]),
        _rate(reads[REWRITTEN, "pgbouncer"]),
        "rows/s",
    )
    aside = f"{masked.measured}; masking itself costs the server {cost:.2f} × the time"
    return [
        share_row(
            "bulk read, 5 columns, card scan on",
            0.9,
            _rate(reads[WIDE, "gateway"]),
            _rate(reads[WIDE, "pgbouncer"]),
            "rows/s",
        ),
        Row(masked.what, masked.target, aside, masked.met),
    ]


def _memory_rows(figures: Figures) -> list[Row]:
    grown = max(read.grown for read in figures.reads[WIDE, "gateway"])
    idle, crowd = figures.idle["gateway"], figures.crowds["gateway"]
    share, other = 100 * crowd.core, 100 * figures.crowds["pgbouncer"].core
    return [
        Row(f"memory growth over {figures.size.rows:,} rows", "< 50 MB", f"{grown / MB:.1f} MB", grown < 50 * MB),
        Row("memory of an idle session", "< 150 KB", f"{idle / KB:.0f} KB", idle < 150 * KB),
        Row(
            f"{crowd.sessions:,} sessions, a statement a second each",
            "≤ 25 % of a core, p99 ≤ 10 ms",
            f"{share:.0f} % (pgbouncer {other:.0f} %), p99 {crowd.p99_ms:.1f} ms",
            share <= 25 and crowd.p99_ms <= 10 if crowd.sessions >= 1000 else None,
        ),
    ]


def _room_rows(figures: Figures) -> list[Row]:
    found, growth = figures.decisions, figures.growth
    slower = growth[-1].us / growth[0].us
    sizes = f"{growth[0].decisions:,} to {growth[-1].decisions:,}"
    start = f"{figures.start_full:.2f} s with {growth[-1].decisions:,} (empty: {figures.start_empty:.2f} s)"
    leaves, join = figures.leaves_per_second, found.join / 1000
    return [
        Row(
            "decision, embedded, never asked before", "p50 ≤ 300 µs", f"{found.uncached:.0f} µs", found.uncached <= 300
        ),
        Row("decision, remembered", "p50 ≤ 10 µs", f"{found.cached:.1f} µs", found.cached <= 10),
        Row("330 B join never seen before, text to verdict", "≤ 2 ms CPU", f"{join:.2f} ms", join <= 2),
        Row("verification of the log", "≥ 100,000 leaves/s", f"{leaves:,} leaves/s", leaves >= 100_000),
        Row(f"cost of recording, from {sizes} decisions", "flat: ≤ 1.1 ×", f"{slower:.2f} ×", slower <= 1.1),
        Row("start-up", "< 2 s", start, figures.start_full < 2),
    ]


def _transactions(figures: Figures) -> str:
    whats = [(MANY, mode) for mode in figures.size.modes] + [(ONE, "prepared"), (CARDS, "prepared")]
    lines = []
    for what, mode in whats:
        runs = {lane: figures.loads[what, mode, lane] for lane in LANES}
        p50 = " / ".join(number(_p50(runs[lane])) for lane in LANES) if what == ONE else "–"
        cells = [number(_tps(runs[lane])) for lane in LANES]
        cells += [p50, *(number(_cpu(runs[lane])) for lane in ("pgbouncer", "gateway"))]
        lines.append([f"{mode}, {what}", *cells])
    head = ("", *(f"TPS {lane}" for lane in LANES), "p50 µs, in this order", "CPU pgbouncer", "CPU gateway")
    return markdown(head, lines)


def _reads(figures: Figures) -> str:
    lines = []
    for what in (WIDE, MASKED, REWRITTEN):
        for lane in LANES:
            if found := figures.reads.get((what, lane)):
                cpu = min(read.cpu_ns for read in found)
                lines.append((what, lane, f"{_seconds(found):.2f}", number(cpu)))
    return markdown(("", "lane", "seconds", "CPU ns a row"), lines)


def _log(figures: Figures) -> str:
    found = figures.decisions
    lines = [
        ("330 B join never seen before: reading it", f"{found.reading:,.0f} µs"),
        *((f"two records of a statement, at {g.decisions:,} decisions", f"{g.us:.0f} µs") for g in figures.growth),
    ]
    return markdown(("CPU", ""), lines)


def describe_machine() -> list[tuple[str, str]]:
    """Hardware, versions, and how busy the machine is: asked before the measuring, which keeps it busy itself."""
    return [
        ("machine", f"{os.cpu_count()} cores, {_found('/proc/cpuinfo', r'model name.*: (.*)')}"),
        ("load before", f"{os.getloadavg()[0]:.1f} (other work on the same cores makes all figures worse)"),
        ("memory", f"{int(_found('/proc/meminfo', r'MemTotal: *([0-9]+)') or 0) / MB:.0f} GB"),
        ("system", f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
        ("gateway", f"{version('querywarden')}, commit {_said('git', 'rev-parse', '--short=12', 'HEAD')}"),
        ("PostgreSQL", _said("pgbench", "--version").removeprefix("pgbench (PostgreSQL) ")),
        ("pgbouncer", _said("pgbouncer", "--version").removeprefix("PgBouncer ")),
    ]


def _found(path: str, pattern: str) -> str:
    found = re.search(pattern, Path(path).read_text(encoding="utf-8"))
    return found[1] if found else ""


def _said(*command: str) -> str:
    """The first line a program says of itself."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}, timeout=10
    )
    return next(iter(done.stdout.splitlines()), "unknown")
