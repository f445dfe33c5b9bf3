"""Written data folders: one that is only read, one that commands may record in, one to be damaged."""

from pathlib import Path

import pytest

from tests.cli.audit.world import Written, written


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Never change it."""
    return written(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """One for commands that record that they read it."""
    return written(tmp_path_factory.mktemp("read") / "var")


@pytest.fixture
def damaged(tmp_path: Path) -> Written:
    """One to be damaged."""
    return written(tmp_path / "var")


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a verification remembers what it has seen: not in the home of who runs the tests."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder
