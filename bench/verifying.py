"""`python -m bench.verifying [FOLDER] [DECISIONS]`: the log itself over a million decisions: verified, opened, pruned.

Beside the log in which 5,000 documents are asked about again and again it makes a smaller one, the worst there can be:
every decision has documents of its own. Writes its part of docs/reference/performance.md when FOLDER holds a million.
"""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import million
from bench.report import describe_machine
from bench.sections import PAGE, with_part
from bench.table import Row, markdown, targets
from gateway.core.clock import SystemClock
from gateway.evidence.recorder import Recorder
from gateway.evidence.retention import DAY_NS, plan
from gateway.evidence.verified import Memory
from gateway.evidence.verify import Options, Report, verify

TIMES = 3
MILLION = 1_000_000
DIFFERENT = 150_000
"""decisions of the worst log"""
LEAST = 100_000


class OwnTime:
    """A clock whose seconds are the CPU's."""

    def now_ns(self) -> int:
        """As the machine has it."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """What this process has used."""
        return time.process_time_ns()


def verified(folder: Path, options: Options, times: int = TIMES) -> Report:
    """The quickest of some runs. Raises RuntimeError when the log is not good."""
    clock = SystemClock() if options.workers else OwnTime()
    reports = [verify(folder, clock, options=options) for _ in range(times)]
    if not all(report.ok for report in reports):
        raise RuntimeError(f"the log does not verify: {reports[0].findings}")
    return min(reports, key=lambda report: report.seconds)


def opened(folder: Path) -> float:
    """Seconds until a log can be written to, and until it is closed; it grows by a few leaves."""

    async def once() -> float:
        started = time.monotonic()
        recorder = await Recorder.open(folder, SystemClock())
        ready = time.monotonic() - started
        await recorder.close()
        return ready

    return min(asyncio.run(once()) for _ in range(TIMES))


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def measure(folder: Path, worst: Path, empty: Path) -> tuple[list[Row], list[tuple[str, str]]]:
    """Everything; rows with a target, and rows without."""
    workers = max((os.cpu_count() or 1) - 1, 0)
    memory = empty / "memory"
    alone, whole = verified(folder, Options()), verified(folder, Options(workers=workers))
    verified(folder, Options(Memory(memory)), times=1)
    again = verified(folder, Options(Memory(memory)))
    hard, helped = verified(worst, Options()), verified(worst, Options(workers=workers))
    pruning = seconds(lambda: plan(folder, time.time_ns() - DAY_NS // 2))
    full, new = opened(folder), opened(empty / "var")
    rows = [
        _rate("verify", alone),
        _rate("verify, every decision with documents of its own", hard),
        Row("verify, nothing new since the last run", "≤ 2 s", f"{again.seconds:.2f} s", again.seconds <= 2),
        Row("the log opened for writing", "≤ 1 s", f"{full:.2f} s (empty: {new:.2f} s)", full <= 1),
    ]
    rest = [
        ("all of it verified, in CPU", f"{alone.seconds:.1f} s, {sum(epoch.size for epoch in alone.epochs):,} leaves"),
        ("the same on the wall, another process reading documents", _wall(whole)),
        ("every decision with documents of its own, likewise", _wall(helped)),
        ("what is remembered of a verification", f"{_bytes(memory) / 1000:,.0f} kB"),
        ("a plan to prune half of it, made by a process of its own", f"{pruning:.1f} s"),
    ]
    return rows, rest


def _rate(what: str, report: Report) -> Row:
    rate = report.leaves_per_second
    return Row(what, f"≥ {LEAST:,} leaves/s", f"{rate:,} leaves/s", rate >= LEAST)


def _wall(report: Report) -> str:
    return f"{report.seconds:.1f} s, {report.leaves_per_second:,} leaves/s"


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def section(rows: Sequence[Row], rest: Sequence[tuple[str, str]], machine: Sequence[tuple[str, str]], size: int) -> str:
    """Its part of the page."""
    return "\n".join(
        [
            f"## The log over {size:,} decisions",
            "",
            f"By `python -m bench.verifying FOLDER` on {datetime.now(UTC):%Y-%m-%d}; the best of {TIMES} runs.",
            "",
            markdown(("", ""), machine),
            targets(rows),
            markdown(("", "took"), rest),
        ]
    )


def main(arguments: list[str]) -> None:
    """Fill the folders if they are not, measure, print; the page only for a whole million."""
    folder = Path(arguments[0] if arguments else "/tmp/querywarden-million")  # noqa: S108 -- to be kept for the next run
    decisions = int(arguments[1]) if len(arguments) > 1 else MILLION
    different = min(decisions, DIFFERENT)
    worst = folder.with_name(f"{folder.name}-different-{different}")
    million.ensure(folder, decisions)
    million.ensure(worst, different, different=different)
    with TemporaryDirectory(prefix="querywarden-bench-") as place:
        text = section(*measure(folder, worst, Path(place)), describe_machine(), decisions)
    shutil.rmtree(worst)
    print(text)
    if decisions >= MILLION:
        PAGE.write_text(with_part(PAGE.read_text(encoding="utf-8"), "verifying", text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
