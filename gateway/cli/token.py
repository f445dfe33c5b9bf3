"""`querywarden token`: a token of the development issuer, for trying things out."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.config.quantities import Duration
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.identity.dev import AUDIENCE, ISSUER, DevIssuer


def token(  # noqa: PLR0913 -- each is an option
    *,
    sub: str,
    key: Path,
    group: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    act: str | None = None,
    issuer: str = ISSUER,
    audience: str = AUDIENCE,
    ttl: str = "1h",
    jwks: Path | None = None,
) -> None:
    """Print a token signed by a development key. Anybody with that key can be anybody: not for production.

    Parameters
    ----------
    sub
        The agent's name.
    key
        The issuer's private key, PEM. With --jwks it is made when it is not there.
    group
        A group of the agent; may be repeated.
    act
        For whom the agent acts.
    issuer
        The issuer's name, as `identity.issuers` has it.
    audience
        For whom the token is meant, as `identity.issuers` has it.
    ttl
        How long it lasts, as in 15m or 1h.
    jwks
        Where to write the public key set that `jwks_file` names.

    """
    seconds = _seconds(ttl)
    development = _issuer(key, jwks, issuer)
    minted = development.mint(sub, group, audience=audience, ttl_seconds=seconds, on_behalf_of=act)
    sys.stdout.write(minted + "\n")


def _seconds(ttl: str) -> int:
    try:
        return round(Duration.parse(ttl))
    except ValueError as error:
        raise ConfigError("config.invalid", f"--ttl: {error}") from None


def _issuer(key: Path, jwks: Path | None, name: str) -> DevIssuer:
    """The issuer of a key, made when it is not there and its key set is asked for. Writes the key set."""
    if jwks is None and not key.exists():
        raise ConfigError("config.invalid", f"{key}: there is no such key; --jwks FILE makes it and its key set")
    clock = SystemClock()
    development = DevIssuer.load(key, clock, name) if key.exists() else DevIssuer.create(key, clock, name)
    if jwks is not None:
        jwks.write_bytes(development.jwks())
    return development
