"""The manifest: what a package is of, and every file in it by size and hash; signed with the log's own key."""

from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.evidence.dsse import seal
from gateway.evidence.note import Signer
from gateway.evidence.package.population import Fixed, Period
from gateway.evidence.package.snapshot import Snapshot, Span
from gateway.evidence.package.verifier.archive import ENVELOPE, MANIFEST
from gateway.evidence.package.verifier.command import SPEC
from gateway.evidence.package.verifier.drawn import moment
from gateway.evidence.package.verifier.signed import PAYLOAD_TYPE
from gateway.evidence.package.zipped import PackageWriter
from gateway.evidence.scrub import canonical

LATEST: Final = -1


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a manifest beside the files."""

    made_by: str
    period: Period
    fixed: Fixed
    taken: list[tuple[Snapshot, Span]]
    facts: Mapping[str, object]
    """of whoever assembles: what was left out, and why"""


def manifest_of(described: Described, writer: PackageWriter) -> bytes:
    """Canonical JSON. Its only time is the log's: the same log gives the same manifest."""
    period, newest = described.period, described.taken[LATEST][0]
    document = {
        "spec": SPEC,
        "made_by": described.made_by,
        "as_of": moment(newest.last_ns()),
        "period": {
            "since": str(period.since_ns),
            "until": str(period.until_ns),
            "from": moment(period.since_ns),
            "to": moment(period.until_ns),
            "connections": list(period.connections),
        },
        "log": [
            {
                "epoch": snapshot.epoch,
                "origin": snapshot.tree.origin,
                "size": snapshot.tree.size,
                "root": snapshot.tree.root.hex(),
                "blocks": [span.low, span.high],
                "leaves": [span.first, span.end],
            }
            for snapshot, span in described.taken
        ],
        "population": {"sha256": described.fixed.sha256, "rows": described.fixed.rows},
        **described.facts,
        "files": {name: [stored.size, stored.sha256] for name, stored in writer.files.items()},
    }
    return canonical(document)


def write_manifest(described: Described, writer: PackageWriter, signer: Signer) -> None:
    """Behind all other files: the manifest, then its signature. Raises OSError."""
    manifest = manifest_of(described, writer)
    writer.add(MANIFEST, manifest)
    writer.add(ENVELOPE, seal(manifest, PAYLOAD_TYPE, signer))
