"""Vectors: named questions with the answers a policy must give. A bundle brings its own and is tried by them.

A file says whose site data its questions are asked under; without, it is the bundle's own: so an organisation can say
what its access rules must come to, in `SITE/vectors/*.json`, and no bundle that says otherwise comes into force.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType

from gateway.core.errors import BundleRejected, ConfigError
from gateway.core.principal import Json
from gateway.policy.digests import canonical

SITE_VECTORS = "vectors/site/"


class Vector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question with its answer."""

    name: str
    shows: tuple[str, ...] = ()
    """requirements, e.g. `PCI-DSS-4.0.1/3.4.1`"""
    input: Json
    decision: Json
    conforms: bool = True
    """whether the gateway would ask it: `policies/schema/input.json`"""


class Vectors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file."""

    about: str
    site: Json | UnsetType = UNSET
    vectors: tuple[Vector, ...]


def decode_vectors(name: str, raw: bytes) -> Vectors:
    """A file's vectors. Raises BundleRejected (bundle.vectors) when it has none, or is something else."""
    try:
        found = msgspec.json.decode(raw, type=Vectors)
    except msgspec.DecodeError as error:
        raise BundleRejected("bundle.vectors", f"{name}: {error}") from None
    if not found.vectors:
        raise BundleRejected("bundle.vectors", f"{name} holds none")
    return found


def read_vectors(folder: Path, prefix: str = "vectors/") -> dict[str, bytes]:
    """The files of a folder by their path in a bundle, canonical. Raises ConfigError when one cannot be used."""
    return dict(_read(folder, prefix))


def _read(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob("*.json")):
        try:
            raw = canonical(msgspec.json.decode(path.read_bytes()))
            decode_vectors(path.name, raw)
        except (msgspec.DecodeError, BundleRejected) as error:
            raise ConfigError("config.invalid", f"{path}:1: {error}") from None
        yield f"{prefix}{path.name}", raw


def count(vectors: Mapping[str, bytes]) -> int:
    """How many questions there are in all files."""
    return sum(len(decode_vectors(name, raw).vectors) for name, raw in vectors.items())
