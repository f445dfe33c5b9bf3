"""Fixtures of the log's tests: a clock, a disk that can fail, a whole log to be copied."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.evidence import log
from tests.evidence.world import Disk, TickClock, whole_log

MakeLog = Callable[[], Path]


@pytest.fixture
def clock() -> TickClock:
    return TickClock()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that runs every test at once may let a sync wait longer than a gateway should."""
    monkeypatch.setattr(log, "DEADLINE", 60.0)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """The disk of this test. Whatever hangs is let go at the end."""
    disk = Disk()
    monkeypatch.setattr(os, "pwrite", disk.pwrite)
    monkeypatch.setattr(os, "fdatasync", disk.fdatasync)
    yield disk
    disk.gate.set()


@pytest.fixture(scope="session")
def finished_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed log of more than two tiles. Never change it; `a_log` makes copies."""
    folder = tmp_path_factory.mktemp("finished")
    whole_log(folder, sessions=30, statements=12)
    return folder


@pytest.fixture
def a_log(finished_log: Path, tmp_path: Path) -> MakeLog:
    """Makes a copy of the finished log, to be damaged."""

    def make() -> Path:
        target = tmp_path / "copy"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(finished_log, target)
        return target

    return make
