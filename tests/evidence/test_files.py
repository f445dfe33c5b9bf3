"""Files are whole or not there, and only ours to read."""

import errno
import os
import stat
from pathlib import Path

import pytest

from gateway.evidence.files import create_file, make_folder, open_file, put_file, read_file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_that_are_made_are_readable_by_us_only(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)
    make_folder(tmp_path / "a" / "b")


@pytest.mark.parametrize("sync", [True, False])
def test_a_file_is_put_in_the_place_of_the_old_one(tmp_path: Path, sync: bool) -> None:  # noqa: FBT001 -- both ways
    path = tmp_path / "deep" / "file"
    put_file(path, b"old", sync=sync)
    put_file(path, b"new", sync=sync)
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _data: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    path = tmp_path / "file"
    put_file(path, b"old")
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="full"):
        put_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_must_be_new_never_replaces_one(tmp_path: Path) -> None:
    create_file(tmp_path / "key", b"first")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "key", b"second")
    assert ((tmp_path / "key").read_bytes(), mode(tmp_path / "key")) == (b"first", 0o600)


def test_what_is_no_file_is_not_there_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "device", "folder", "nothing"):
        for read in (read_file, open_file):
            with pytest.raises(FileNotFoundError):
                read(tmp_path / name)


def test_of_a_file_longer_than_ours_only_so_much_is_read_that_it_shows(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert [read_file(tmp_path / "file", longest) for longest in (4, 5, 3)] == [b"12345", b"12345", b"1234"]
    with open_file(tmp_path / "file") as file:
        assert (file.read(2), file.read()) == (b"12", b"345")
