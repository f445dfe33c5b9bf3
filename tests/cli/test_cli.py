"""The command line turns every ending into an exit code and a sentence."""

import errno

import pytest

from gateway import cli
from gateway.core.errors import ConfigError, GatewayError, Refused, Unavailable


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["no-such-command"]) == cli.USAGE
    assert "no-such-command" in capsys.readouterr().err


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == cli.DONE
    assert capsys.readouterr().out.strip() == "0.1.0"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("policy.denied", "gateway.yaml:3: unknown key"), 2),
        (Unavailable("evidence.unavailable"), 3),
        (Refused("policy.denied"), 1),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error: GatewayError, code: int) -> None:
    assert cli.exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ConfigError("policy.denied", "gateway.yaml:3: unknown key"), 2, "gateway.yaml:3: unknown key"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x.yaml"), 2, "x.yaml: No such file"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), 3, "Connection refused"),
        (PermissionError(errno.EACCES, "Permission denied", "var"), 3, "var: Permission denied"),
        (ModuleNotFoundError("no", name="psycopg"), 2, "psycopg is not installed"),
        (ModuleNotFoundError("no", name="gateway.cli.x"), 70, "a bug of ours"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("secret detail"), 70, "a bug of ours: RuntimeError"),
    ],
)
def test_whatever_ends_a_command_becomes_one_sentence(
    error: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(_arguments: object) -> object:
        raise error

    monkeypatch.setattr(cli, "app", broken)
    assert cli.main([]) == code
    shown = capsys.readouterr().err
    assert sentence in shown
    assert "secret detail" not in shown
    assert "Traceback" not in shown
