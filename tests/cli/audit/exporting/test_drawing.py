"""The population is recorded before the seed can be known; a copy has no checkpoint to come."""

import shutil
from pathlib import Path

import pytest

from gateway.cli.audit.exporting import drawing
from gateway.cli.audit.exporting.drawing import Drawn
from gateway.core.errors import ConfigError, Unavailable
from tests.cli.audit.exporting.world import Days, drawn_of


def test_the_leaf_that_fixes_the_population_is_under_the_checkpoint_that_is_the_seed(drawn: Drawn) -> None:
    assert drawn.own is not None
    assert drawn.own.at < drawn.taken.newest.tree.size
    assert drawn.sample.seed == drawn.taken.newest.tree.root.hex()
    assert drawn.fixed.rows == 32


def test_a_copy_needs_a_seed_of_somebodys(own_days: Days, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(own_days.folder, copy)
    for key in (copy / "keys").glob("log-*.key"):
        key.unlink()
    with pytest.raises(ConfigError, match="give --seed"):
        drawn_of(copy, tmp_path)
    assert drawn_of(copy, tmp_path, seed="theirs").own is None


def test_a_checkpoint_that_does_not_come_is_not_waited_for_forever(
    own_days: Days, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(drawing, "fixing_leaf", lambda *_: None)
    with pytest.raises(Unavailable, match="was not signed"):
        drawn_of(own_days.folder, tmp_path)
