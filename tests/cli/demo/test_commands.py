"""The tour's commands are shown as one types them, and asked again until what they wait for is there."""

from pathlib import Path

import pytest

from gateway.cli.demo import commands
from gateway.cli.demo.stage import Stage


class Slowly(Stage, frozen=True, kw_only=True):
    """Says something else each time it is asked."""

    says: list[str]

    def command(self, *arguments: str) -> tuple[int, str]:
        assert arguments
        return 0, self.says.pop(0)


def test_what_a_shell_would_split_is_quoted() -> None:
    assert commands.typed("audit", "search", "--text", "AS t0") == "querywarden audit search --text 'AS t0'"


def test_it_is_asked_until_it_has_said_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PAUSE_SECONDS", 0.0)
    stage = Slowly(folder=tmp_path, port=1, agents=(), says=["", "no", "yes", "more"])
    assert commands.until(stage, ("x",), lambda said: said == "yes") == (0, "yes")
    assert stage.says == ["more"]


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PATIENCE_SECONDS", -1.0)
    stage = Slowly(folder=tmp_path, port=1, agents=(), says=["no", "yes"])
    assert commands.until(stage, ("x",), lambda said: said == "yes") == (0, "no")
