"""A secret by reference: the configuration says where it is, and it is read when it is needed, not before."""

import os
import subprocess
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.core.errors import Unavailable

MAX_SECRET: Final = 64 * 1024
COMMAND_SECONDS: Final = 10


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, repr_omit_defaults=True):
    """Where a secret is: exactly one of `env`, `file`, `command`. Never the secret itself."""

    env: Annotated[Annotated[str, Meta(min_length=1)] | None, Meta(description="An environment variable.")] = None
    file: Annotated[Path | None, Meta(description="A file; a newline at its end is left out.")] = None
    command: Annotated[
        Annotated[tuple[str, ...], Meta(min_length=1)] | None,
        Meta(description="A program and its arguments; it prints the secret."),
    ] = None

    def __post_init__(self) -> None:
        """Refuse none and more than one."""
        if sum(each is not None for each in (self.env, self.file, self.command)) != 1:
            raise ValueError("a secret has exactly one of env, file and command")

    def __repr__(self) -> str:
        """Says what kind of reference it is, and no more."""
        return "Secret(…)"

    def reveal(self) -> str:
        """The secret. May block on a file or a program: call it in a thread. Raises `Unavailable("config.secret")`."""
        value = self._read()
        if value.endswith("\n"):
            value = value[:-1].removesuffix("\r")
        if not value or len(value) > MAX_SECRET or "\0" in value:
            raise Unavailable("config.secret", "a secret is empty, too long or holds a NUL")
        return value

    def _read(self) -> str:
        if self.env is not None:
            value = os.environ.get(self.env)
            if value is None:
                raise Unavailable("config.secret", f"the environment has no variable {self.env}")
            return value
        if self.file is not None:
            return _text(_content(self.file))
        return _text(_output(self.command or ()))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SECRET + 2)
    except OSError as error:
        raise Unavailable("config.secret", f"{path}: {error.strerror}") from None


def _output(command: tuple[str, ...]) -> bytes:
    try:
        result = subprocess.run(  # noqa: S603 -- the operator's own program, without a shell
            command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        name = Path(command[0]).name if command else ""
        raise Unavailable("config.secret", f"the program {name} gave no secret: {type(error).__name__}") from None
    return result.stdout


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unavailable("config.secret", "a secret is not UTF-8 text") from None
