"""Bundles as files: written whole or not at all, and described in a few facts."""

import hashlib
import os
from pathlib import Path

from gateway.policy.archive import read_archive
from gateway.policy.bundle import read_contents
from gateway.policy.digests import policy_digest


def write(path: Path, raw: bytes) -> None:
    """Put an archive in its place at once, so that a gateway that watches the place never reads half of one."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def overview(raw: bytes) -> dict[str, object]:
    """What an archive is, verified or not."""
    files = read_archive(raw)
    return {
        "revision": read_contents(files).revision,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "policy_digest": policy_digest(files),
        "bytes": len(raw),
    }
