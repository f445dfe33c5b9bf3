"""Whose cosignatures and time-stamps an auditor believes: those given, else those of the configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

from cryptography import x509
from cyclopts import Parameter

from gateway.cli.audit.desk import DEFAULT_CONFIG
from gateway.config.anchors import anchor_roots
from gateway.config.load import load
from gateway.config.witnesses import witness_keys
from gateway.core.clock import moment
from gateway.core.errors import ConfigError
from gateway.evidence.anchor import read_roots
from gateway.evidence.cosign import Cosignature, WitnessKey
from gateway.evidence.note import NoteError

WitnessOption: TypeAlias = Annotated[
    tuple[str, ...],
    Parameter(
        name="--witness-key",
        negative="",
        help="A witness whose cosignatures count: its key, or a file of keys. Default: those of the configuration.",
    ),
]

AnchorOption: TypeAlias = Annotated[
    Path | None,
    Parameter(
        name="--anchor-ca", help="Roots of the time-stamping authorities, PEM. Default: those of the configuration."
    ),
]


def anchors_of(given: Path | None, config: Path | None, *, configured: bool) -> tuple[x509.Certificate, ...]:
    """The roots of a file; else those of the configuration. Raises ConfigError, OSError."""
    if given is not None:
        try:
            return read_roots(given.read_bytes())
        except ValueError:
            raise ConfigError("config.invalid", f"{given}: no certificates in PEM form") from None
    if not configured or (config is None and not DEFAULT_CONFIG.exists()):
        return ()
    return anchor_roots(load(config or DEFAULT_CONFIG).evidence)


def witnesses_of(given: Sequence[str], config: Path | None, *, configured: bool) -> tuple[WitnessKey, ...]:
    """The keys that were given, as text or as files with one a line; else those of the configuration.

    `configured` is whether there is a configuration to look into. Raises ConfigError, OSError.
    """
    if given:
        return tuple(key for each in given for key in _keys(each))
    if not configured or (config is None and not DEFAULT_CONFIG.exists()):
        return ()
    return witness_keys(load(config or DEFAULT_CONFIG).evidence)


def _keys(given: str) -> list[WitnessKey]:
    """A key begins with a name and a plus sign; what is no key is a file."""
    try:
        return [WitnessKey.decode(given)]
    except NoteError as error:
        path = Path(given)
        if "+" in given and not path.is_file():
            raise ConfigError("config.invalid", f"--witness-key: {error}") from None
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        return [WitnessKey.decode(line) for line in lines if line and not line.startswith("#")]
    except (NoteError, UnicodeDecodeError):
        raise ConfigError("config.invalid", f"{path}: not the public keys of witnesses, one a line") from None


def in_words(by: Sequence[Cosignature], others: int) -> str:
    """What witnesses say of a proof."""
    said = [f"{each.witness} at {moment(each.at * 10**9)}" for each in by]
    if not said:
        said = ["no independent witness" + (f"; {others} cosignatures are of keys not given" if others else "")]
    return "; ".join(said)
