"""pgbench runs: transactions, latency at the median, and what the process in the way spent on each transaction."""

import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.data import ACCOUNTS
from bench.lanes import Lane
from bench.processes import spent_by

SELECT_ACCOUNT = "\\set aid random(1, :accounts)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n"
"""what `pgbench -S` runs; as a script of ours pgbench does not look into the catalog first"""
SELECT_CARD = "\\set id random(1, :cards)\nSELECT holder, pan FROM cards WHERE id = :id;\n"
PATIENCE_SECONDS = 20
MODES = ("prepared", "extended", "simple")
_COUNT = re.compile(r"number of transactions actually processed: (\d+)")
_TPS = re.compile(r"tps = ([0-9.]+)")
_FAILED = re.compile(r"number of failed transactions: (\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """What pgbench is to do."""

    mode: str
    clients: int
    seconds: int
    script: str = SELECT_ACCOUNT
    cards: int = 1
    latencies: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `p50_us` is 0 when latencies were not asked for, `cpu_us` when no process is in the way."""

    transactions: int
    tps: float
    p50_us: float
    cpu_us: float


class PgbenchError(Exception):
    """pgbench did not do what it was told."""


def run(lane: Lane, load: Load) -> Run:
    """Run `load` on a lane. Logging in is not counted: a run of one transaction for each client is taken off."""
    count, spent, tps, p50 = _measure(lane, load, f"--time={load.seconds}")
    if lane.pid is None:
        return Run(count, tps, p50, 0.0)
    few, login, _, _ = _measure(lane, load, "--transactions=1")
    return Run(count, tps, p50, max(0.0, spent - login) * 1e6 / max(1, count - few))


def _measure(lane: Lane, load: Load, until: str) -> tuple[int, float, float, float]:
    with tempfile.TemporaryDirectory(prefix="qw-pgbench-") as folder:
        script = Path(folder) / "script.sql"
        script.write_text(load.script, encoding="ascii")
        threads = min(2, load.clients)
        command = ["pgbench", "--no-vacuum", f"--protocol={load.mode}", f"--client={load.clients}", f"--jobs={threads}"]
        command += [until, f"--file={script}", f"--define=accounts={ACCOUNTS}", f"--define=cards={load.cards}"]
        command += ["--log"] if load.latencies else []
        with spent_by(lane.pid) as spent:
            done = subprocess.run(  # a lane that hangs ends the benchmark, not the day
                command,
                env=dict(lane.environment),
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=load.seconds + PATIENCE_SECONDS,
            )
        count, failed = _number(_COUNT, done.stdout), _number(_FAILED, done.stdout)
        if done.returncode or failed or not count:
            raise PgbenchError(f"{lane.name}, {load.mode}: {done.stderr[-2000:]}")
        return int(count), spent.seconds, _number(_TPS, done.stdout), _median(Path(folder))


def _number(pattern: re.Pattern[str], text: str) -> float:
    found = pattern.search(text)
    return float(found[1]) if found else 0.0


def _median(folder: Path) -> float:
    """The median of the third field, microseconds, of every line that `--log` wrote."""
    lines = [line for path in folder.glob("pgbench_log.*") for line in path.read_text(encoding="ascii").splitlines()]
    return statistics.median(float(line.split()[2]) for line in lines) if lines else 0.0
