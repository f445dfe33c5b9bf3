"""The demo finds the newest server, and believes only what the server says of itself."""

from pathlib import Path

import pytest

from gateway.cli.demo import binaries
from gateway.core.errors import Unavailable


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No PostgreSQL on PATH; the shell of the fake servers stays reachable."""
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))


def install(folder: Path, said: str) -> Path:
    """A folder with two programs that say a version."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def test_the_newest_of_several_servers_is_taken(tmp_path: Path) -> None:
    for major in (13, 17, 15):
        install(tmp_path / str(major) / "bin", f"postgres (PostgreSQL) {major}.4 (Debian {major}.4-0)")
    found = binaries.find([f"{tmp_path}/*/bin"])
    assert (found.version, found.major, found.bundled) == ("17.4", 17, False)


def test_a_server_on_path_counts_too(tmp_path: Path) -> None:
    real = install(tmp_path / "elsewhere", "postgres (PostgreSQL) 16.1")
    for name in ("postgres", "initdb"):
        (tmp_path / "path" / name).symlink_to(real / name)
    assert binaries.find([]).folder == real


@pytest.mark.parametrize("said", ["postgres (PostgreSQL) 12.9", "something else", ""])
def test_what_is_too_old_or_no_server_is_not_taken(tmp_path: Path, said: str) -> None:
    assert binaries.look_at(install(tmp_path / "bin", said), bundled=False) is None


def test_a_development_version_has_a_number_too(tmp_path: Path) -> None:
    found = binaries.look_at(install(tmp_path / "bin", "postgres (PostgreSQL) 19devel"), bundled=False)
    assert found is not None
    assert found.version == "19devel"


def test_a_program_that_cannot_be_run_is_not_taken(tmp_path: Path) -> None:
    folder = install(tmp_path / "bin", "postgres (PostgreSQL) 16.1")
    (folder / "postgres").write_text("#!/no/such/shell\n", encoding="utf-8")
    assert binaries.look_at(folder, bundled=False) is None


def test_without_a_server_of_the_machine_the_wheels_is_taken() -> None:
    found = binaries.find([])
    assert found.bundled
    assert found.major >= binaries.OLDEST


def test_without_any_server_the_demo_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)
    with pytest.raises(Unavailable, match="install one, or the extra"):
        binaries.find([])
