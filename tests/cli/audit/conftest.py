"""One written data folder for the tests that only read it."""

from pathlib import Path

import pytest

from tests.cli.audit.world import Written, written


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Never change it."""
    return written(tmp_path_factory.mktemp("desk"))


@pytest.fixture
def damaged(tmp_path: Path) -> Written:
    """One to be damaged."""
    return written(tmp_path / "var")
