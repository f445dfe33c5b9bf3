"""`check` names every mistake of a configuration at once, and connects to nothing."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.check import BAD, FINE
from tests.config.world import GOOD, furnish

CODES = {"fine": (GOOD, FINE), "bad": ("version: 2\nsurprise: 1\n", BAD)}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = furnish(tmp_path) / "gateway.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_a_right_file_is_fine(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "-c", str(config)]) == 0
    assert capsys.readouterr().out == f"{config}: fine\n"


def test_every_mistake_is_told_with_file_and_line_and_counted(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(GOOD.replace("version: 1", "version: 2").replace("jwks.json", "missing.json") + "surprise: 1\n")
    assert cli.main(["check", "-c", str(config)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.removeprefix(f"{config}:").partition(":")[0] for line in lines[:-1]] == ["1", "8", "20"]
    assert lines[-1] == f"{config}: 3 to correct"


def test_a_warning_stops_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "bundle.tar.gz").unlink()
    assert cli.main(["check", "-c", str(config)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.endswith("(warning)")
    assert last == f"{config}: fine"


@pytest.mark.parametrize("kind", ["fine", "bad"])
def test_json_holds_the_same(config: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    text, code = CODES[kind]
    config.write_text(text)
    assert cli.main(["check", "-c", str(config), "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] == (kind == "fine")
    assert bool(document["findings"]) == (kind == "bad")
    assert document["warnings"] == []


def test_a_file_that_is_not_there_is_a_finding_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "-c", str(tmp_path / "none.yaml")]) == 2
    assert "No such file" in capsys.readouterr().out


def test_without_a_file_it_is_a_usage_error() -> None:
    assert cli.main(["check"]) == cli.USAGE


def test_no_database_is_asked_and_no_secret_read(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENTS_PASSWORD", "hunter2-hunter2")
    config.write_text(GOOD.replace("host: 127.0.0.1", "host: no-such-host.invalid"))
    assert cli.main(["check", "-c", str(config)]) == 0
    assert "hunter2" not in capsys.readouterr().out
