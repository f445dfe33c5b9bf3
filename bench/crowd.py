"""Many sessions that do little: a thousand agents, each with a statement a second."""

import asyncio
import random
import statistics
import time
from dataclasses import dataclass

from bench.lanes import Lane
from bench.processes import spent_by
from bench.reader import CLEARTEXT, READY, password, query, startup
from tests.support.postgres import HOST

STATEMENT = query("SELECT total FROM orders WHERE id = 17")
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Crowd:
    """What `sessions` cost together: `core` is the share of one processor core."""

    sessions: int
    core: float
    p50_ms: float
    p99_ms: float


async def watch(lane: Lane, sessions: int, seconds: int) -> Crowd:
    """Open the sessions, warm them up, then measure for `seconds`."""
    gate = asyncio.Semaphore(_AT_ONCE)
    opened = await asyncio.gather(*(_open(lane, gate) for _ in range(sessions)))
    with spent_by(lane.pid) as spent:
        started = time.perf_counter()
        found = await asyncio.gather(*(_ask(*pair, seconds) for pair in opened))
        took = time.perf_counter() - started
    times = [each for times in found for each in times]
    for _, writer in opened:
        writer.close()
    hundredths = statistics.quantiles(times, n=100)
    return Crowd(sessions, spent.seconds / took, hundredths[49] * 1000, hundredths[98] * 1000)


async def _open(lane: Lane, gate: asyncio.Semaphore) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with gate:
        reader, writer = await asyncio.open_connection(HOST, lane.port)
        writer.write(startup(lane))
        head = await reader.readexactly(9)
        if int.from_bytes(head[5:9]) == CLEARTEXT:
            writer.write(password(lane))
        await reader.readuntil(READY)
        writer.write(STATEMENT)
        await reader.readuntil(READY)
        return reader, writer


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: int) -> list[float]:
    """One statement in each second, at a moment of the session's own."""
    times = []
    await asyncio.sleep(random.random())  # noqa: S311 -- spreads the sessions over the second
    for _ in range(seconds):
        started = time.perf_counter()
        writer.write(STATEMENT)
        await reader.readuntil(READY)
        took = time.perf_counter() - started
        times.append(took)
        await asyncio.sleep(max(0.0, 1.0 - took))
    return times
