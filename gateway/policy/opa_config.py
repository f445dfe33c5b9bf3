"""The configuration of an OPA server that fetches its bundle from a gateway and verifies it with the gateway's keys."""

from collections.abc import Sequence
from typing import Final

from gateway.core.principal import Json
from gateway.policy.keys import VerificationKey, public_pem

WAIT_SECONDS: Final = 30
"""how long OPA waits at the gateway for the next bundle: a new one is there at once"""
_PEM: Final = "-----BEGIN"


def opa_configuration(endpoint: str, name: str, keys: Sequence[VerificationKey], token_file: str = "") -> Json:
    """As OPA reads it, JSON being YAML. `endpoint` is `https://host:port` of the gateway's http listener.

    The signature names its key, so that keys can rotate: no key is pinned for the bundle, and only `keys` are believed.
    """
    service: dict[str, Json] = {
        "url": f"{endpoint.rstrip('/')}/v1",
        "response_header_timeout_seconds": WAIT_SECONDS + 5,
    }
    if token_file:
        service["credentials"] = {"bearer": {"token_path": token_file}}
    return {
        "services": {"gateway": service},
        "keys": {key.keyid: {"algorithm": key.algorithm, "key": _pem(key)} for key in keys},
        "bundles": {
            name: {
                "service": "gateway",
                "resource": f"bundles/{name}.tar.gz",
                "signing": {"scope": ""},
                "polling": {
                    "min_delay_seconds": 1,
                    "max_delay_seconds": 2,
                    "long_polling_timeout_seconds": WAIT_SECONDS,
                },
            }
        },
    }


def _pem(key: VerificationKey) -> str:
    text = public_pem(key).decode("ascii")
    return text[text.index(_PEM) :]
