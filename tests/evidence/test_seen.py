"""Who has verified a log knows it again: cut by a single leaf, written anew, or without its newest epoch."""

import shutil
from pathlib import Path

import pytest

from gateway.evidence.seen import Sight, Sights
from gateway.evidence.verified import Memory
from gateway.evidence.verify import Options, Report, verify
from tests.evidence.test_verify import rewrite_history
from tests.evidence.world import TickClock, grave, whole_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Far fewer leaves than the 256 that are remembered together."""
    whole_log(tmp_path / "var", sessions=2, statements=2)
    return tmp_path / "var"


def run(folder: Path, memory: Path) -> Report:
    return verify(folder, TickClock(), options=Options(Memory(memory)))


def put_back(folder: Path, copy: Path) -> None:
    """As root does it, keys and the writer's memory with it."""
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


def test_a_data_folder_put_back_by_a_few_leaves_is_known(log: Path, tmp_path: Path) -> None:
    shutil.copytree(log, tmp_path / "copy")
    whole_log(log, sessions=1, statements=1)
    assert run(log, tmp_path / "memory").ok
    put_back(log, tmp_path / "copy")
    for _ in range(2):
        assert grave(run(log, tmp_path / "memory")) == ["log.cut"]
    assert run(log, tmp_path / "elsewhere").ok


def test_one_put_back_and_gone_on_with_is_another_history(log: Path, tmp_path: Path) -> None:
    shutil.copytree(log, tmp_path / "copy")
    whole_log(log, sessions=1, statements=1)
    assert run(log, tmp_path / "memory").ok
    put_back(log, tmp_path / "copy")
    whole_log(log, sessions=5, statements=3)
    assert grave(run(log, tmp_path / "memory")) == ["log.rewritten"]


def test_one_that_goes_on_is_the_same(log: Path, tmp_path: Path) -> None:
    for _ in range(3):
        assert run(log, tmp_path / "memory").ok
        whole_log(log, sessions=1, statements=2)
    assert run(log, tmp_path / "memory").ok


def test_the_newest_epoch_taken_away_with_its_keys_is_missed(log: Path, tmp_path: Path) -> None:
    shutil.copytree(log, tmp_path / "copy")
    (log / "keys/log-1.key").write_bytes(b"?")
    whole_log(log, sessions=2, statements=2)
    assert run(log, tmp_path / "memory").ok
    put_back(log, tmp_path / "copy")
    assert grave(run(log, tmp_path / "memory")) == ["epoch.missing"]


def test_a_history_written_anew_with_the_real_key_is_known(tmp_path: Path) -> None:
    whole_log(tmp_path / "var", sessions=3, statements=4)
    assert run(tmp_path / "var", tmp_path / "memory").ok
    rewrite_history(tmp_path / "var")
    assert "log.rewritten" in grave(run(tmp_path / "var", tmp_path / "memory"))


def test_what_is_no_sight_of_this_log_is_none(tmp_path: Path) -> None:
    sights = Sights(tmp_path / "seen")
    assert sights.recall("key") is None
    sights.keep(Sight(key="key", size=7, root="ab", at_ns=1, newest=1))
    assert sights.recall("key") == Sight(key="key", size=7, root="ab", at_ns=1, newest=1)
    (path,) = (tmp_path / "seen").iterdir()
    for content in (path.read_bytes().replace(b'"key":"key"', b'"key":"yek"'), b"{", b""):
        path.write_bytes(content)
        assert sights.recall("key") is None
