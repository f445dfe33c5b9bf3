"""Many rows: what reading a million of them costs in the way and on the server, in processor time and in memory."""

import time
from dataclasses import dataclass

from bench.lanes import Lane
from bench.processes import forget_peak, peak_bytes, resident_bytes, spent_by
from bench.reader import Session

WIDE = "SELECT id, name, email, address, balance FROM wide"
MASKED = "SELECT id, holder, pan FROM cards"


@dataclass(frozen=True, slots=True)
class Read:
    """One read of a table. Times per row in nanoseconds; `grown` in bytes."""

    rows: int
    seconds: float
    cpu_ns: float
    """of the process in the way; on the direct lane of the server's own"""
    grown: int


def read(lane: Lane, sql: str) -> Read:
    """Read all rows by one simple query over a fresh session that has answered once."""
    session = Session(lane)
    try:
        session.query("SELECT 1")
        before = _forget(lane)
        with spent_by(lane.pid or session.backend) as spent:
            started = time.perf_counter()
            rows = session.query(sql)
            seconds = time.perf_counter() - started
        grown = peak_bytes(lane.pid) - before if lane.pid else 0
    finally:
        session.close()
    return Read(rows, seconds, spent.seconds * 1e9 / rows, max(0, grown))


def _forget(lane: Lane) -> int:
    if lane.pid is None:
        return 0
    forget_peak(lane.pid)
    return resident_bytes(lane.pid)


def memory_of_idle_sessions(lane: Lane, count: int) -> float:
    """Bytes for each of `count` sessions that have answered once and wait; twenty others came first."""
    if lane.pid is None:
        return 0.0
    sessions = [_used(lane) for _ in range(20)]
    before = resident_bytes(lane.pid)
    sessions += [_used(lane) for _ in range(count)]
    used = resident_bytes(lane.pid) - before
    for session in sessions:
        session.close()
    return used / count


def _used(lane: Lane) -> Session:
    session = Session(lane)
    session.query("SELECT id FROM orders LIMIT 1")
    return session
