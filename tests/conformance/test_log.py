"""The log can be read by others: verified by the code of Go's transparency log client, refused when changed."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.evidence.keys import public_key
from gateway.evidence.recorder import Recorder
from tests.evidence.world import TickClock, one_session

SOURCE = Path(__file__).parent / "go"
Verify = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def verify(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """Runs the verifier over the first epoch of a data folder."""
    program = tmp_path_factory.mktemp("go") / "verify"
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=SOURCE, check=True)

    def run(data_dir: Path) -> subprocess.CompletedProcess[str]:
        key = public_key(data_dir / "keys", 1).read_text(encoding="utf-8").strip()
        return subprocess.run([program, data_dir / "log/1", key], capture_output=True, text=True, check=False)

    return run


async def write(folder: Path) -> int:
    """A log of more than two tiles, laid out in many steps."""
    clock = TickClock()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    for statements in (1, 40, 90, 3, 220):
        await one_session(recorder, clock, statements)
        await recorder.checkpoint()
    await recorder.close()
    return recorder.size


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    folder = tmp_path_factory.mktemp("log")
    return folder, asyncio.run(write(folder))


def test_every_leaf_and_every_earlier_tree_is_proved(log: tuple[Path, int], verify: Verify) -> None:
    folder, size = log
    done = verify(folder)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(size), "")


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000", "tile/entries/000", "tile/entries/001"])
def test_a_changed_byte_is_refused(log: tuple[Path, int], verify: Verify, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(log[0], folder)
    path = folder / "log/1" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert verify(folder).returncode == 1
