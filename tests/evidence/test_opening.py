"""Opening a data folder's log: one writer, and a new epoch when the old log cannot be gone on with."""

import errno
import fcntl
import os
import shutil
import stat
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.evidence.head import read_head
from gateway.evidence.opening import Opened, open_log
from tests.evidence.conftest import MakeLog
from tests.evidence.world import TickClock, check, grave, whole_log


def release(opened: Opened) -> None:
    opened.log.wal.close()
    opened.signed.close()
    for lock in opened.locks:
        os.close(lock)


def reopen(folder: Path, clock: TickClock) -> tuple[int, str]:
    """(epoch, why it is not the one before)."""
    opened = open_log(folder, clock)
    release(opened)
    return opened.keys.epoch, opened.previous.reason if opened.previous else ""


def test_a_new_folder_begins_with_epoch_one(tmp_path: Path, clock: TickClock) -> None:
    assert reopen(tmp_path / "var", clock) == (1, "")
    assert {path.name for path in (tmp_path / "var/keys").iterdir()} == {
        "log-1.key", "log-1.pub", "mac-1.key", "log-1.head",
    }  # fmt: skip


def test_a_closed_log_is_gone_on_with(a_log: MakeLog, clock: TickClock) -> None:
    folder = a_log()
    size = read_head(folder / "keys/log-1.head").size
    opened = open_log(folder, clock)
    release(opened)
    assert (opened.keys.epoch, opened.previous, opened.log.size, opened.torn) == (1, None, size, 0)


def test_a_log_has_one_writer(tmp_path: Path, clock: TickClock) -> None:
    first = open_log(tmp_path, clock)
    for _ in range(2):
        with pytest.raises(Unavailable, match="another process writes this log"):
            open_log(tmp_path, clock)
        (tmp_path / "log/lock").unlink()  # whoever takes the file away does not take the lock
    release(first)
    release(open_log(tmp_path, clock))


def test_where_folders_cannot_be_locked_the_file_does(
    tmp_path: Path, clock: TickClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def only_files(descriptor: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, "a folder")
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", only_files)
    first = open_log(tmp_path, clock)
    with pytest.raises(Unavailable, match="another process writes this log"):
        open_log(tmp_path, clock)
    release(first)


def test_a_snapshot_that_was_rolled_back_opens_a_new_epoch_that_names_the_old_checkpoint(tmp_path: Path) -> None:
    live, snapshot, clock = tmp_path / "var", tmp_path / "snapshot", TickClock()
    whole_log(live, sessions=1, clock=clock)
    shutil.copytree(live / "log", snapshot)
    whole_log(live, sessions=1, clock=clock)
    lost = read_head(live / "keys/log-1.head")
    shutil.rmtree(live / "log")
    shutil.copytree(snapshot, live / "log")
    whole_log(live, sessions=1, clock=clock)
    report = check(live)
    assert [epoch.epoch for epoch in report.epochs] == [1, 2]
    assert grave(report) == ["log.cut", "wal.missing"]
    (cut,) = (finding for finding in report.findings if finding.name == "log.cut")
    assert cut.where.startswith("epoch 1")
    assert str(lost.size) in cut.text


def test_an_epoch_never_signs_again_after_it_was_left(tmp_path: Path, clock: TickClock) -> None:
    whole_log(tmp_path, sessions=1, clock=clock)
    (segment,) = (tmp_path / "log/1/wal").glob("*.wal")
    segment.unlink()
    before = read_head(tmp_path / "keys/log-1.head")
    assert reopen(tmp_path, clock)[0] == 2
    assert reopen(tmp_path, clock)[0] == 2
    assert read_head(tmp_path / "keys/log-1.head") == before


@pytest.mark.parametrize("name", ["log-1.key", "mac-1.key"])
def test_a_lost_key_opens_a_new_epoch(tmp_path: Path, clock: TickClock, name: str) -> None:
    whole_log(tmp_path, sessions=1, clock=clock)
    (tmp_path / "keys" / name).write_bytes(b"?")
    assert reopen(tmp_path, clock) == (2, "its keys cannot be read")
    whole_log(tmp_path, sessions=1, clock=clock)
    assert grave(check(tmp_path)) == ["epoch.unlinked"]


def test_a_lost_key_is_a_new_epoch_that_follows_the_old_one(tmp_path: Path, clock: TickClock) -> None:
    whole_log(tmp_path, sessions=1, clock=clock)
    (tmp_path / "keys/log-1.key").write_bytes(b"?")
    whole_log(tmp_path, sessions=1, clock=clock)
    report = check(tmp_path)
    assert (grave(report), len(report.epochs)) == ([], 2)


def test_the_larger_of_head_and_checkpoint_counts(a_log: MakeLog, clock: TickClock) -> None:
    """Without the head's file, the checkpoint in the log still says what was signed."""
    folder = a_log()
    (folder / "keys/log-1.head").unlink()
    (segment,) = (folder / "log/1/wal").glob("*.wal")
    data = segment.read_bytes()
    segment.write_bytes(data[: len(data) // 2])
    assert reopen(folder, clock)[0] == 2


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path, clock: TickClock) -> None:
    (tmp_path / "var").write_bytes(b"a file")
    with pytest.raises(OSError, match=r".*"):
        open_log(tmp_path / "var", clock)
