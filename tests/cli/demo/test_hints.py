"""What the demo prints can be pasted into a shell as it stands."""

import io
import shlex
import sys
from pathlib import Path

import pytest
from rich.console import Console

from gateway.cli.demo import hints, place, shell
from gateway.cli.demo.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(folder=tmp_path / "a [bold] folder", port=6432, agents=tuple(place.AGENTS))


def printed(stage: Stage) -> list[str]:
    output = io.StringIO()
    console = Console(file=output, markup=False, highlight=False, soft_wrap=True)
    hints.by_hand(console, stage, shell.Psql(program="psql", speaks_tls=True), None)
    return [line.strip() for line in output.getvalue().splitlines() if line.startswith("  ")]


def test_every_agents_token_is_named(stage: Stage) -> None:
    for agent in stage.agents:
        assert any(line.startswith(str(stage.token_file(agent))) for line in printed(stage))


def test_commands_name_the_folder_whatever_it_is_called(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/querywarden/bin/querywarden"])
    monkeypatch.setenv("PATH", "/nowhere")
    commands = [words[1:] for words in map(shlex.split, printed(stage)) if words[0].endswith("/querywarden")]
    configuration = ["-c", str(stage.config)]
    assert [words[:2] for words in commands] == [
        ["policy", "try"],
        ["audit", "search"],
        ["audit", "explain"],
        ["audit", "verify"],
    ]
    assert all(words[words.index("-c") :][:2] == configuration for words in commands)


def test_our_own_name_is_what_was_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / ".venv" / "bin" / "querywarden"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert hints.own() == ".venv/bin/querywarden"
    monkeypatch.setenv("PATH", str(program.parent))
    assert hints.own() == "querywarden"
    monkeypatch.setattr(sys, "argv", ["/somewhere/gateway/__main__.py"])
    assert hints.own() == f"{shlex.quote(sys.executable)} -m gateway"
