"""A sign-off on a copy is refused: it would be recorded nowhere."""

import shutil
from pathlib import Path

import pytest

from gateway import cli
from tests.cli.audit.exporting.world import DAY, Days


def test_a_copy_cannot_be_signed_off(own_days: Days, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(own_days.folder, copy)
    for key in (copy / "keys").glob("log-*.key"):
        key.unlink()
    assert cli.main(["audit", "sign-off", "--data", str(copy), "--day", DAY, "--reason", "x"]) == cli.UNREACHABLE
    assert "a copy" in capsys.readouterr().err
