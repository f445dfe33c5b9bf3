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
from gateway.policy.bundle import Bundle, load_key, open_bundle

_NS = 1_000_000_000


def verify(
    bundle: Annotated[Path, Parameter(help="The archive.")],
    *,
    key: Annotated[list[Path], Parameter(name="--key", negative="", help="A trusted public key, PEM. One or more.")],
    as_json: AsJson = False,
) -> int:
    """Verify a bundle's signature, files and validity. Exits 1 and names what is wrong when it cannot be used."""
    keys = [load_key(path) for path in key]
    try:
        found = open_bundle(read_bundle(bundle), keys, SystemClock().now_ns() // _NS)
    except BundleRejected as error:
        said = error.detail or error.entry.message
        show({"verified": False, "code": error.code, "why": said, "remedy": error.entry.remedy}, as_json=as_json)
        return SAYS_NO
    show({"verified": True, **facts(found)}, as_json=as_json)
    return SAYS_YES


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
