"""One data folder of two days, its draw and its material, for the tests that only read them."""

from pathlib import Path

import pytest

from gateway.cli.audit.exporting.drawing import Drawn
from gateway.cli.audit.exporting.material import Material
from tests.cli.audit.exporting.world import Days, drawn_of, material_of, two_days


@pytest.fixture(scope="session")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Its log grows by what reads it; nothing else may change it."""
    return two_days(tmp_path_factory.mktemp("two-days"))


@pytest.fixture(scope="session")
def drawn(days: Days, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return drawn_of(days.folder, tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="session")
def material(drawn: Drawn) -> Material:
    return material_of(drawn)


@pytest.fixture
def own_days(tmp_path: Path) -> Days:
    """One to be changed."""
    return two_days(tmp_path / "var", rounds=1)
