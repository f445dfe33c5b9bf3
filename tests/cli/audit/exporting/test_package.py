"""`audit verify --package`: the package's own verifier, with the desk's options."""

import json
from pathlib import Path

import pytest

from gateway import cli
from tests.evidence.package.world import packed, write_log


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    write_log(folder / "var", sessions=3)
    packed(folder / "var", folder / "e.zip")
    return folder


def verify(folder: Path, *more: str) -> int:
    return cli.main(["audit", "verify", "--package", str(folder / "e.zip"), *more])


def test_it_says_what_verify_py_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(folder, "--key", str(folder / "var/keys/log-1.pub"), "--json") == cli.DONE
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_what_is_missing_exits_2_and_what_was_changed_exits_1(folder: Path, tmp_path: Path) -> None:
    raw = (folder / "e.zip").read_bytes()
    for number, (changed, code) in enumerate([(raw[:-100], 2), (raw + b"x", 1)]):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(changed)
        assert cli.main(["audit", "verify", "--package", str(path)]) == code


def test_a_key_that_is_none_is_a_usage_error(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "key").write_text("no key")
    assert verify(folder, "--key", str(tmp_path / "key")) == cli.USAGE
    assert "no public key" in capsys.readouterr().err
