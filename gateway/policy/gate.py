"""What every bundle must pass before it decides anything: it answers, in time, by itself, and what its vectors say."""

from typing import Final

import msgspec
from msgspec import UNSET

from gateway.core.errors import BundleRejected, GatewayError
from gateway.policy.bundle import Bundle
from gateway.policy.digests import canonical
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import EngineError
from gateway.policy.vectors import Vectors, decode_vectors

_NAMED: Final = {
    "policy.timeout": "bundle.runaway",
    "policy.capability": "bundle.capability",
    "policy.undefined": "bundle.vectors_failed",
}
"""how an engine fails, and what that says of the bundle"""


def rejection(error: GatewayError) -> GatewayError:
    """An engine's failure as the bundle's fault; any other error is what it is."""
    if not isinstance(error, EngineError):
        return error
    return BundleRejected(_NAMED.get(error.code, "bundle.not_run"), error.detail)


def try_vectors(bundle: Bundle, engine: EmbeddedEngine) -> int:
    """Ask everything that the bundle's vectors ask; how many there were. Takes a while: not in the event loop.

    Raises BundleRejected with the file and the name of the first one that is answered otherwise.
    """
    if not bundle.vectors:
        raise BundleRejected("bundle.vectors", "the bundle brings none")
    asked = 0
    for name, raw in sorted(bundle.vectors.items()):
        found = decode_vectors(name, raw)
        over = engine if found.site is UNSET else engine.over(_data(bundle, found))
        for vector in found.vectors:
            try:
                answer = over.evaluate_now(canonical(vector.input))
            except EngineError as error:
                failure = rejection(error)
                raise BundleRejected(failure.code, f"{name}: {vector.name}") from None
            if answer != canonical(vector.decision):
                raise BundleRejected("bundle.vectors_failed", f"{name}: {vector.name}")
            asked += 1
    return asked


def _data(bundle: Bundle, found: Vectors) -> bytes:
    """The bundle's data with the site data of a file."""
    data = msgspec.json.decode(bundle.data, type=dict[str, msgspec.Raw])
    return canonical({"gateway": msgspec.json.decode(data["gateway"]), "site": found.site}) if data else b"{}"
