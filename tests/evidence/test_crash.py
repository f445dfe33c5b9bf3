"""A gateway that is killed at any moment: what it acknowledged is there, and the next start says what is not known."""

import asyncio
import errno
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.recorder import Recorder
from gateway.evidence.view import open_views
from tests.evidence.world import TickClock, check, decided, grave

ROOT = Path(__file__).parents[2]
ROUNDS = 6


def run_and_kill(folder: Path, chance: random.Random) -> list[str]:
    """Ids that were acknowledged before the kill."""
    command = [sys.executable, str(ROOT / "tests/evidence/appender.py"), str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        ids = [program.stdout.readline() for _ in range(chance.randrange(1, 60))]
        time.sleep(chance.random() * 0.03)
        program.kill()
        ids += program.stdout.readlines()
    return [line.strip() for line in ids if line.endswith("\n")]


def test_whatever_was_acknowledged_before_a_kill_is_there_and_the_log_verifies(tmp_path: Path) -> None:
    chance, acknowledged = random.Random(), list[str]()  # noqa: S311 -- any moment will do
    for _ in range(ROUNDS):
        acknowledged += run_and_kill(tmp_path, chance)
        assert grave(check(tmp_path)) == []  # also before anything was mended
    asyncio.run(open_and_close(tmp_path))
    leaves = [decode_leaf(leaf) for _, leaf in next(open_views(tmp_path)).upwards(0)]
    decisions = {leaf.did for leaf in leaves if leaf.type == "statement.decided"}
    assert set(acknowledged) <= decisions
    assert len(acknowledged) >= ROUNDS
    outcomes = [leaf.did for leaf in leaves if leaf.type == "statement.finished"]
    assert sorted(outcomes) == sorted(decisions)
    report = check(tmp_path)
    assert grave(report) == []
    assert sum(finding.name == "log.recovered" for finding in report.findings) == ROUNDS
    assert report.epochs[0].unknown_outcomes == sum(leaf.outcome == "outcome_unknown" for leaf in leaves)


async def open_and_close(folder: Path) -> None:
    recorder = await Recorder.open(folder, SystemClock())
    await recorder.close()


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes: what a full disk does, by the system itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_file_that_the_system_does_not_let_grow_denies_and_loses_nothing(tmp_path: Path) -> None:
    recorder = await Recorder.open(tmp_path, TickClock(), checkpoint_interval=3600)
    kept = 0
    with files_end_at(8192):
        with suppress(Unavailable):
            while kept < 100:
                await recorder.append(decided(f"d{kept}", ok=False, durable=True))
                kept += 1
        assert kept < 100
        assert recorder.degraded is not None
        assert recorder.degraded.cause == errno.errorcode[errno.EFBIG]
    while recorder.degraded is not None:  # noqa: ASYNC110 -- nobody announces it
        await asyncio.sleep(0.05)
    await recorder.append(decided("after", ok=False, durable=True))
    await recorder.close()
    leaves = [decode_leaf(leaf) for _, leaf in next(open_views(tmp_path)).upwards(0)]
    assert [leaf.did for leaf in leaves if leaf.did] == [*(f"d{number}" for number in range(kept)), "after"]
    assert "log.degraded" in {leaf.type for leaf in leaves}
    assert grave(check(tmp_path)) == []
