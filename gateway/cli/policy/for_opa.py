"""`querywarden policy opa-config`: what an OPA server needs to decide by this gateway's bundle."""

import json
import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from gateway.config.load import load
from gateway.core.errors import ConfigError
from gateway.policy.keyring import Keyring
from gateway.policy.opa_config import opa_configuration

FINE: Final = 0


def opa_config(
    *,
    config: Annotated[Path, Parameter(name=["--config", "-c"], help="The gateway's configuration.")],
    url: Annotated[str, Parameter(help="Where OPA reaches the http listener; its address if not given.")] = "",
    token_file: Annotated[str, Parameter(help="A file on OPA's machine with the token of `policy.publish`.")] = "",
) -> int:
    """Print OPA's configuration: fetch the bundle here, verify it by the keys of `policy.verification_keys`."""
    settings = load(config)
    listener, policy = settings.listeners.http, settings.policy
    if listener is None:
        raise ConfigError("config.invalid", f"{config}: no http listener, so OPA could not fetch its bundle")
    if policy.publish.token is not None and not token_file:
        raise ConfigError("config.invalid", "policy.publish asks for a token: give --token-file")
    keys = Keyring(policy.verification_keys, policy.revoked_keys).believed()
    endpoint = url or f"{'https' if listener.tls else 'http'}://{listener.address}"
    document = opa_configuration(endpoint, policy.publish.name, keys, token_file)
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return FINE
