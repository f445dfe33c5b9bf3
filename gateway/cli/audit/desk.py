"""What the commands of the auditor's desk share: where the log lies, whose key to trust, what reading it may raise."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter

from gateway.core.errors import ConfigError, GatewayError
from gateway.evidence.keys import load_verifier
from gateway.evidence.note import NoteError, Verifier

FINE, SAYS_NO = 0, 1
DEFAULT_CONFIG: Final = Path("gateway.yaml")
LOG_FOLDER: Final = "log"

_CONFIG: Final = "The configuration file, which names the data folder. Default: gateway.yaml."
_KEY: Final = "The log's public key, kept elsewhere. Without it the one beside the log is believed."
ConfigOption: TypeAlias = Annotated[Path | None, Parameter(name=["--config", "-c"], help=_CONFIG)]
DataOption: TypeAlias = Annotated[Path | None, Parameter(name="--data", help="The data folder itself.")]
KeyOption: TypeAlias = Annotated[Path | None, Parameter(name="--key", help=_KEY)]
JsonOption: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]


class Unreadable(GatewayError):
    """The log, or a part of it, is not what it should be: the check says no."""


def data_folder(config: Path | None, data: Path | None) -> Path:
    """The data folder that was named, or the one the configuration names. Raises ConfigError."""
    if data is not None and config is not None:
        raise ConfigError("config.invalid", "give --config or --data, not both")
    if data is not None:
        return data
    if config is None and not DEFAULT_CONFIG.exists():
        raise ConfigError("config.invalid", "where is the log? Give --config gateway.yaml or --data DIR")
    from gateway.config.load import load  # noqa: PLC0415 -- slow to import, and --data needs none of it

    return load(config or DEFAULT_CONFIG).data_dir


def trusted(key: Path | None) -> Verifier | None:
    """The public key of a file; None when none was given. Raises ConfigError, OSError."""
    if key is None:
        return None
    try:
        return load_verifier(key)
    except (NoteError, UnicodeDecodeError):
        raise ConfigError("config.invalid", f"{key}: not the public key of a log (`log-<epoch>.pub`)") from None


@contextmanager
def reading() -> Iterator[None]:
    """Turn what a damaged log raises into one sentence. No log at all stays FileNotFoundError."""
    try:
        yield
    except FileNotFoundError as error:
        if Path(str(error.filename)).name == LOG_FOLDER:
            raise
        raise Unreadable("evidence.unreadable", f"{error.filename} is missing; `audit verify` says more") from None
    except ValueError as error:
        raise Unreadable("evidence.unreadable", f"{error}; `audit verify` says more") from None
