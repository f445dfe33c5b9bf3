"""A secret is a reference: read when needed, never shown, never guessed."""

import sys
from pathlib import Path

import msgspec
import pytest

from gateway.config.secret import MAX_SECRET, Secret
from gateway.core.errors import Unavailable

HIDDEN = "correct horse"


def test_it_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QW_SECRET", HIDDEN)
    assert Secret(env="QW_SECRET").reveal() == HIDDEN


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_it_comes_from_a_file_without_the_newline_at_its_end(tmp_path: Path, end: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes((HIDDEN + end).encode())
    assert Secret(file=path).reveal() == HIDDEN


def test_only_one_newline_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"a\n\n")
    assert Secret(file=path).reveal() == "a\n"


def test_it_comes_from_a_program_without_a_shell() -> None:
    program = (sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME; x")
    assert Secret(command=program).reveal() == "$HOME; x"


def test_it_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret = Secret(file=path)
    for text in ("old", "new"):
        path.write_text(text)
        assert secret.reveal() == text


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * (MAX_SECRET + 1), b"a\0b", b"\xff\xfe"])
def test_what_cannot_be_a_secret_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(Unavailable) as caught:
        Secret(file=path).reveal()
    assert caught.value.code == "config.secret"
    assert len(caught.value.detail) < 200


@pytest.mark.parametrize(
    "secret",
    [
        Secret(env="QW_NO_SUCH_VARIABLE"),
        Secret(file=Path("/nonexistent/secret")),
        Secret(command=("/nonexistent/program", HIDDEN)),
        Secret(command=(sys.executable, "-c", f"print('{HIDDEN}'); raise SystemExit(1)")),
        Secret(command=("a\0b", HIDDEN)),
    ],
)
def test_a_reference_that_leads_nowhere_says_so_without_what_it_found(secret: Secret) -> None:
    with pytest.raises(Unavailable) as caught:
        secret.reveal()
    assert HIDDEN not in str(caught.value)
    assert caught.value.__cause__ is None


def test_it_shows_nothing_of_itself(tmp_path: Path) -> None:
    for secret in (Secret(env="NAME"), Secret(file=tmp_path), Secret(command=("program", HIDDEN))):
        assert repr(secret) == str(secret) == "Secret(…)"


@pytest.mark.parametrize(
    "given", [{}, {"env": "A", "file": "/b"}, {"env": ""}, {"command": []}, {"value": HIDDEN}, HIDDEN]
)
def test_it_is_exactly_one_reference(given: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, Secret, dec_hook=lambda _, value: Path(str(value)))
