"""Hashes of a bundle's files: as OPA signs them, and as a policy is recognised whoever signed it.

OPA hashes JSON documents by content (keys sorted, no blanks, its own text escapes) and every other file by its bytes
(OPA 1.22, v1/bundle/hash.go). Bundles of ours hold JSON in canonical form (RFC 8785) only, so that one content has one
text and a hash of the content binds the bytes, too.
"""

import hashlib
import json
from collections.abc import Mapping

import rfc8785

from gateway.core.errors import BundleRejected
from gateway.core.principal import Json

MANIFEST = ".manifest"
SIGNATURES = ".signatures.json"


def is_structured(name: str) -> bool:
    """Whether OPA hashes the file by its content."""
    return name.rpartition("/")[2] in {"data.json", MANIFEST}


def file_hash(name: str, content: bytes) -> str:
    """What stands in a signature for a file, hex. Raises BundleRejected when JSON is not canonical."""
    signed = opa_text(canonical_value(name, content)).encode() if is_structured(name) else content
    return hashlib.sha256(signed).hexdigest()


def canonical(value: Json) -> bytes:
    """RFC 8785 bytes. Raises BundleRejected for what JSON cannot hold."""
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # checked by it
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError):
        raise BundleRejected("bundle.data", "a value cannot be written as canonical JSON") from None


def canonical_value(name: str, content: bytes) -> Json:
    """The value of a canonical JSON file. Raises BundleRejected when it is anything else."""
    try:
        value: Json = json.loads(content)
    except (ValueError, RecursionError):
        raise BundleRejected("bundle.data", f"{name} is not JSON") from None
    if _has_fraction(value) or canonical(value) != content:
        raise BundleRejected("bundle.data", f"{name} is not canonical JSON of texts, truths and whole numbers")
    return value


def opa_text(value: Json) -> str:
    """JSON as OPA writes it to hash it: Go's encoding/json without HTML escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("\N{LINE SEPARATOR}", "\\u2028").replace("\N{PARAGRAPH SEPARATOR}", "\\u2029")


def policy_digest(files: Mapping[str, bytes]) -> str:
    """What a policy is, whoever signed it and whatever its revision is called: hex SHA-256 over `hash  path` lines."""
    lines = [
        f"{hashlib.sha256(_without_revision(content) if name == MANIFEST else content).hexdigest()}  {name}\n"
        for name, content in files.items()
        if name != SIGNATURES
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _without_revision(manifest: bytes) -> bytes:
    value = canonical_value(MANIFEST, manifest)
    if not isinstance(value, dict):
        raise BundleRejected("bundle.manifest", "the manifest is not an object")
    return canonical({key: part for key, part in value.items() if key != "revision"})


def _has_fraction(value: Json) -> bool:
    """Fractions have several texts; OPA keeps the one it read, so they could not be hashed alike."""
    match value:
        case float():
            return True
        case dict():
            return any(_has_fraction(part) for part in value.values())
        case list():
            return any(_has_fraction(part) for part in value)
    return False
