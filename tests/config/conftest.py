"""One furnished folder for the tests that only write `gateway.yaml` into it."""

from pathlib import Path

import pytest

from tests.config.world import furnish


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("configuration"))
