"""Whoever builds the index may be killed at any moment, and several may build it at once: it is never half an index."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.evidence.search import Query, search
from tests.evidence.index_world import found, write
from tests.evidence.world import NOW, TickClock, whole_log

BUILD = """
import os, sys
from pathlib import Path
from gateway.evidence import index_build
from gateway.evidence.finder import Finder
from gateway.evidence.view import open_views
index_build.BATCH = 40
folder, steps = Path(sys.argv[1]), int(sys.argv[2])
taken = 0

def step(*_):
    global taken
    taken += 1
    if taken == steps:
        os.kill(os.getpid(), 9)

Finder(list(open_views(folder)), folder / "index", rules=lambda _: {}, say=print, progress=step).refresh()
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    whole_log(folder, sessions=20, statements=6)
    return folder


def build(log: Path, steps: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", BUILD, str(log), str(steps)], stdout=subprocess.PIPE, text=True)


def test_a_killed_builder_leaves_what_the_next_one_goes_on_with(log: Path) -> None:
    for steps in (1, 2, 3):
        killed = build(log, steps)
        killed.communicate()
        assert killed.returncode == -9
    said: list[str] = []
    assert found(log, said=said) == [hit.did for hit in search(log, Query(), 999)]
    assert said == []


def test_several_at_once_build_one_index(tmp_path: Path) -> None:
    write(tmp_path)
    whole_log(tmp_path, 20, 6, TickClock(NOW + 10**12))
    builders = [build(tmp_path, -1) for _ in range(3)]
    said = [builder.communicate()[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0, 0]
    assert said == ["", "", ""]
    told: list[str] = []
    assert found(tmp_path, said=told) == [hit.did for hit in search(tmp_path, Query(), 999)]
    assert told == []
