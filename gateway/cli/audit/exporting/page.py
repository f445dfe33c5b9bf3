"""VERIFY.md of a package: how to check it by hand, with its own names in every command."""

from importlib.resources import files
from typing import Final

import msgspec

from gateway.evidence.package.building import Taken
from gateway.evidence.package.population import Sample
from gateway.evidence.package.verifier.drawn import moment
from gateway.evidence.package.verifier.findings import text

GO_MODULE: Final = "v0.37.0"
"""of golang.org/x/mod"""


def verify_page(taken: Taken, sample: Sample, package: str) -> bytes:
    """The page. Its example is the first sample for which policy was asked. Raises OSError, ValueError."""
    here = files("gateway.cli.audit.exporting")
    did, bundle = _example(taken, sample)
    terms = {
        "from": moment(taken.period.since_ns),
        "to": moment(taken.period.until_ns),
        "epoch": str(taken.newest.epoch),
        "package": package,
        "did": did,
        "bundle": bundle,
        "each": str(sample.per_stratum),
        "xmod": GO_MODULE,
        "go": (here / "prove.go.txt").read_text("utf-8").rstrip("\n"),
    }
    page = (here / "VERIFY.md").read_text("utf-8")
    for name, said in terms.items():
        page = page.replace(f"{{{{{name}}}}}", said)
    return page.encode()


def _example(taken: Taken, sample: Sample) -> tuple[str, str]:
    """Decision id and bundle of a sample that can be computed again; of any sample, else words in their place."""
    found = ("DECISION", "BUNDLE")
    for did, (epoch, at) in sorted(sample.places.items()):
        leaf = msgspec.json.decode(taken.snapshot(epoch).raw(at), type=dict[str, object])
        bundle = text(leaf.get("bundle")).removeprefix("sha256:")
        if leaf.get("in") and leaf.get("out") and bundle:
            return did, bundle
        found = (did, bundle or found[1])
    return found
