"""What a process has cost so far: processor time and memory, read from /proc."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
USER, SYSTEM = 11, 12
"""fields of /proc/<pid>/stat behind the name, from 0 (proc(5): utime, stime)"""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads included."""
    fields = _stat(pid)
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return text.rpartition(")")[2].split()


def resident_bytes(pid: int) -> int:
    """Memory in use now."""
    return _status(pid, "VmRSS")


def peak_bytes(pid: int) -> int:
    """The most memory in use since `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Begin to look for the peak anew (proc(5), clear_refs, 5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


@dataclass(slots=True)
class Spent:
    """Processor seconds of a block; set when it ends."""

    seconds: float = field(default=0.0)


@contextmanager
def spent_by(pid: int | None) -> Iterator[Spent]:
    """Processor time of `pid` while the block runs; none when there is no process."""
    spent = Spent()
    before = cpu_seconds(pid) if pid else 0.0
    yield spent
    spent.seconds = (cpu_seconds(pid) if pid else 0.0) - before
