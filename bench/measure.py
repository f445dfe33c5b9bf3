"""All measurements of one run, the lanes interleaved: what happens to the machine meanwhile happens to every lane."""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import bulk, crowd, desk, logs, pgbench
from bench.bulk import Read
from bench.crowd import Crowd
from bench.data import create_tables
from bench.desk import Decisions, Desk
from bench.lanes import Lane, Lanes, three_lanes
from bench.logs import Growth
from bench.pgbench import Load, Run

Say = Callable[[str], None]
MANY, ONE, CARDS = "16 clients", "1 client", "16 clients, one masked column"
WIDE, MASKED, REWRITTEN = "no card numbers", "one masked column", "the same text as the gateway sends"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    seconds: int
    rows: int
    decisions: tuple[int, ...]
    crowd: int
    crowd_seconds: int
    idle: int
    questions: int
    modes: tuple[str, ...] = pgbench.MODES


FULL = Size(5, 3, 1_000_000, (1200, 10_000, 100_000), 1000, 10, 200, 500)
QUICK = Size(1, 1, 200_000, (1200, 5000), 200, 3, 100, 100, modes=("prepared", "simple"))


@dataclass(slots=True)
class Figures:
    """Everything that was measured. Keys end with the name of the lane."""

    size: Size
    loads: dict[tuple[str, str, str], list[Run]] = field(default_factory=lambda: defaultdict(list))
    """what, mode, lane"""
    reads: dict[tuple[str, str], list[Read]] = field(default_factory=lambda: defaultdict(list))
    idle: dict[str, float] = field(default_factory=dict)
    crowds: dict[str, Crowd] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=lambda: Decisions(0, 0, 0, 0))
    growth: list[Growth] = field(default_factory=list)
    leaves_per_second: int = 0
    start_empty: float = 0
    start_full: float = 0


def measure(size: Size, say: Say) -> Figures:
    """Start everything, measure everything, stop everything."""
    figures = Figures(size)
    with three_lanes() as lanes:
        say("filling the database")
        create_tables(lanes.cluster, lanes["direct"], size.rows)
        opened = asyncio.run(desk.open_desk(lanes.cluster))
        rewritten = _rewritten(opened)
        for number in range(1, size.rounds + 1):
            say(f"round {number} of {size.rounds}")
            _transactions(figures, lanes)
            _rows(figures, lanes, rewritten)
        say("sessions")
        for lane in lanes.all[1:]:
            figures.idle[lane.name] = bulk.memory_of_idle_sessions(lane, size.idle)
            figures.crowds[lane.name] = asyncio.run(crowd.watch(lane, size.crowd, size.crowd_seconds))
        say("decisions, the log")
        figures.decisions = asyncio.run(desk.time_decisions(opened, size.questions))
        _log(figures, lanes, opened)
    return figures


def _transactions(figures: Figures, lanes: Lanes) -> None:
    size = figures.size
    loads = [(MANY, Load(mode, 16, size.seconds)) for mode in size.modes]
    loads.append((ONE, Load("prepared", 1, size.seconds, latencies=True)))
    loads.append((CARDS, Load("prepared", 16, size.seconds, pgbench.SELECT_CARD, size.rows)))
    for what, load in loads:
        for lane in lanes.all:
            figures.loads[what, load.mode, lane.name].append(pgbench.run(lane, load))


def _rows(figures: Figures, lanes: Lanes, rewritten: str) -> None:
    for lane in lanes.all:
        figures.reads[WIDE, lane.name].append(_read(lane, bulk.WIDE, figures))
        figures.reads[MASKED, lane.name].append(_read(lane, bulk.MASKED, figures))
        if lane.name != "gateway":
            figures.reads[REWRITTEN, lane.name].append(_read(lane, rewritten, figures))


def _read(lane: Lane, sql: str, figures: Figures) -> Read:
    found = bulk.read(lane, sql)
    if found.rows != figures.size.rows:
        raise RuntimeError(f"{lane.name}: {found.rows} rows instead of {figures.size.rows}")
    return found


class _NoLog:
    """Takes events and forgets them: only the plan is wanted."""

    async def append(self, _: object) -> None:
        """Forget."""

    def mac(self, _: bytes) -> str:
        """No key, no mac."""
        return ""


def _rewritten(opened: Desk) -> str:
    """What the gateway sends for the masked read. Raises RuntimeError when it masks nothing."""
    ruling = asyncio.run(opened.judge(bulk.MASKED, opened.traveller("agent"), _NoLog()))
    if ruling.plan is None or not ruling.plan.masked:
        raise RuntimeError("the masked read is not masked")
    return ruling.plan.text


def _log(figures: Figures, lanes: Lanes, opened: Desk) -> None:
    with tempfile.TemporaryDirectory(prefix="qw-bench-log-") as name:
        folder = Path(name) / "var"
        figures.growth = asyncio.run(logs.grow(opened, folder, figures.size.decisions))
        figures.leaves_per_second = logs.leaves_per_second(folder)
        figures.start_empty = logs.start_seconds(lanes.cluster, None)
        figures.start_full = logs.start_seconds(lanes.cluster, folder)
