"""The log over http, verified by tessera's fsck and Go's transparency log client; refused when changed."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.core.clock import SystemClock
from gateway.evidence.keys import public_key
from gateway.evidence.reader import LogReader
from gateway.evidence.recorder import Recorder
from gateway.frontends.http.log import LogDesk
from gateway.frontends.http.routes import Desk
from gateway.frontends.http.server import serving
from gateway.frontends.http.shelf import Shelf
from gateway.frontends.http.state import State
from gateway.frontends.listener import bind
from tests.conformance.go_tools import BUILD_SECONDS, built
from tests.conformance.litewitness import AGENT, WITNESS
from tests.evidence.world import one_session, whole_log

pytestmark = pytest.mark.timeout(BUILD_SECONDS)
FSCK = "github.com/transparency-dev/tessera/cmd/fsck"
LEAVES = int(os.environ.get("QUERYWARDEN_TILES", "70000"))
"""more than 65,536 make a third level of tiles"""
SECONDS = 100
TOKEN = "right"
SUCCESS = re.compile(r"Successfully fsck'd log with size ([0-9]+) and root")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    whole_log(folder, sessions=LEAVES // 1669 + 1, statements=1000)
    return folder


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """Its address."""

    async def accessed(_: str) -> None: ...

    async def ready() -> list[str]:
        return []

    desk = LogDesk(folder, lambda: 1, loopback=True, accessed=accessed, token=lambda: TOKEN)
    sock = bind("127.0.0.1", 0)
    async with serving(sock, Desk(Shelf(), State(ready), "pci", log=desk), None):
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/v1/log"


async def fsck(folder: Path, token: str = TOKEN) -> int:
    """The size it verified; 0 when it did not. Its exit code says nothing: it is 0 when it fails, too."""
    program = built("witness", AGENT, WITNESS, FSCK) / "fsck"
    async with served(folder) as url:
        command: list[str | Path] = [
            program,
            "-storage_url",
            f"{url}/",
            "-bearer_token",
            token,
            "-N",
            "16",
            "-ui=false",
            "-logtostderr",
        ]
        command += ["-public_key", public_key(folder / "keys", 1)]
        said = await ran(command, {})
    found = SUCCESS.search(said[1])
    return int(found[1]) if found else 0


async def sumdb(folder: Path, token: str = TOKEN) -> tuple[int, str]:
    key = public_key(folder / "keys", 1).read_text(encoding="utf-8").strip()
    async with served(folder) as url:
        return await ran([built(".", ".") / "verify", url, key], {"TOKEN": token})


async def ran(command: list[str | Path], variables: dict[str, str]) -> tuple[int, str]:
    """Exit code, and everything it said."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(SECONDS):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode()


async def test_fsck_derives_the_whole_log_again_over_http(log: Path) -> None:
    size = LogReader(log, 1).checkpoint.size
    assert size > LEAVES
    assert await fsck(log) == size


async def test_without_the_token_it_reads_nothing(log: Path) -> None:
    assert await fsck(log, "wrong") == 0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    whole_log(folder, sessions=60, statements=5)
    return folder


async def test_every_leaf_and_every_earlier_tree_is_proved_over_http(small: Path) -> None:
    assert await sumdb(small) == (0, f"{LogReader(small, 1).checkpoint.size}\n")
    assert (await sumdb(small, "wrong"))[0] == 1


@pytest.fixture(params=["checkpoint", "tile/0/000", "tile/1/000.p", "tile/entries/000", "tile/entries/001"])
def changed(request: pytest.FixtureRequest, small: Path, tmp_path: Path) -> Path:
    """A copy with one bit of one file turned."""
    folder = tmp_path / "copy"
    shutil.copytree(small, folder)
    path = folder / "log/1" / request.param
    path = next(iter(path.iterdir())) if path.is_dir() else path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return folder


async def test_a_changed_bit_is_found_by_fsck(changed: Path) -> None:
    assert await fsck(changed) == 0


async def test_the_whole_log_is_found_good_before_it_is_changed(small: Path) -> None:
    assert await fsck(small) == LogReader(small, 1).checkpoint.size


async def test_fsck_reads_a_log_that_grows_under_it(tmp_path: Path) -> None:
    clock = SystemClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=0.05)

    async def write() -> None:
        while True:
            await one_session(recorder, clock, 20)
            await asyncio.sleep(0.005)

    writing = asyncio.ensure_future(write())
    sizes = []
    for _ in range(5):
        await asyncio.sleep(0.2)
        sizes.append(await fsck(tmp_path))
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await recorder.close()
    assert sizes == sorted(set(sizes))
    assert sizes[0] > 0
