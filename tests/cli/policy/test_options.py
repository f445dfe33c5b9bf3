"""Every option of the policy commands says what it is for."""

import pytest

from gateway import cli


@pytest.mark.parametrize("command", ["check", "test", "build", "sign", "verify", "keygen"])
def test_the_help_describes_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["policy", command, "--help"])
    shown = capsys.readouterr().out
    assert "Print what was found as JSON" in shown
    wanted = {"build": ["Until when", "The private key"], "sign": ["Grows with"], "check": ["tests of the rules"]}
    assert all(words in " ".join(shown.split()) for words in wanted.get(command, []))
