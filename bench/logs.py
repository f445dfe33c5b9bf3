"""The evidence log: what a statement's two records cost as the log grows, how fast it is verified, how fast opened."""

import time
from dataclasses import dataclass
from pathlib import Path

from bench.desk import SIMPLE, Desk
from bench.lanes import running_gateway
from gateway.core.clock import SystemClock
from gateway.evidence.recorder import Recorder
from gateway.evidence.verify import verify
from gateway.session import records
from gateway.session.task import Phase, Settled, Task
from tests.support.postgres import Cluster

WARM_UP = 200
WINDOW = 1000


@dataclass(frozen=True, slots=True)
class Growth:
    """CPU µs of a decision and its outcome, by the number of decisions in the log before them."""

    decisions: int
    us: float


async def grow(desk: Desk, data_dir: Path, sizes: tuple[int, ...]) -> list[Growth]:
    """Record decisions until the log holds each of `sizes`, timing the last thousand before each."""
    recorder = await Recorder.open(data_dir, SystemClock())
    found: list[Growth] = []
    try:
        await _record(desk, recorder, WARM_UP)
        done = WARM_UP
        for size in sizes:
            await _record(desk, recorder, size - WINDOW - done)
            await recorder.checkpoint()
            started = time.process_time_ns()
            await _record(desk, recorder, WINDOW)
            await recorder.checkpoint()
            found.append(Growth(size, (time.process_time_ns() - started) / 1000 / WINDOW))
            done = size
    finally:
        await recorder.close()
    return found


async def _record(desk: Desk, recorder: Recorder, count: int) -> None:
    """`count` statements, each decided and finished."""
    traveller = desk.traveller("agent")
    await recorder.append(records.opened(traveller))
    for _ in range(count):
        ruling = await desk.judge(SIMPLE, traveller, recorder)
        task = Task(ruling, Phase.QUERY, desk.clock.monotonic_ns(), rows=1, bytes=15, tag="SELECT 1")
        await recorder.append(records.finished(task, Settled.DONE, traveller, desk.clock.monotonic_ns()))
    await recorder.append(records.closed(traveller, "client.terminated", {"statements": count}))


def leaves_per_second(data_dir: Path) -> int:
    """Verify the whole log. Raises RuntimeError when it is not good."""
    report = verify(data_dir, SystemClock())
    if not report.ok:
        raise RuntimeError(f"the log does not verify: {report.findings}")
    return report.leaves_per_second


def start_seconds(cluster: Cluster, data_dir: Path | None) -> float:
    """From the start of the process until its port answers, with the log of `data_dir` or none."""
    started = time.perf_counter()
    with running_gateway(cluster, data_dir):
        return time.perf_counter() - started
