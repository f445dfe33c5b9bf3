"""`querywarden policy verify`: what the gateway does with a bundle before it believes it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.policy.moments import written
from gateway.cli.policy.options import AsJson
from gateway.cli.policy.reporting import SAYS_NO, SAYS_YES, show
from gateway.core.clock import SystemClock
from gateway.core.errors import BundleRejected
from gateway.policy.build import read_bundle
from gateway.policy.bundle import Bundle
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import EngineError
from gateway.policy.gate import try_vectors
from gateway.policy.keyring import Keyring

_NS = 1_000_000_000


def verify(
    bundle: Annotated[Path, Parameter(help="The archive.")],
    *,
    key: Annotated[list[Path], Parameter(name="--key", negative="", help="A trusted public key, PEM. One or more.")],
    as_json: AsJson = False,
) -> int:
    """Verify signature, files and validity; run the vectors. Exits 1 and names what is wrong when it cannot be used."""
    try:
        found = Keyring(key).open(read_bundle(bundle), SystemClock().now_ns() // _NS)
        asked = _tried(found)
    except BundleRejected as error:
        said = error.detail or error.entry.message
        show({"verified": False, "code": error.code, "why": said, "remedy": error.entry.remedy}, as_json=as_json)
        return SAYS_NO
    show({"verified": True, **facts(found), "vectors": asked}, as_json=as_json)
    return SAYS_YES


def _tried(bundle: Bundle) -> int:
    """How many vectors it has answered. Raises BundleRejected."""
    try:
        engine = EmbeddedEngine(bundle.wasm, bundle.data)
    except EngineError as error:
        raise BundleRejected("bundle.not_run", error.detail) from None
    try:
        return try_vectors(bundle, engine)
    finally:
        engine.close()


def facts(bundle: Bundle) -> dict[str, object]:
    """What is worth knowing of a verified bundle."""
    return {
        "revision": bundle.revision,
        "sha256": bundle.sha256,
        "policy_digest": bundle.policy_digest,
        "keyid": bundle.keyid,
        "sequence": bundle.sequence,
        "not_before": written(bundle.not_before),
        "expires_at": written(bundle.expires_at),
        "rules": len(bundle.rules),
        "demo": bundle.demo,
    }
