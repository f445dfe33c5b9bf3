"""The bundle's `.manifest`: what OPA reads of it, and under `metadata.querywarden` what the gateway needs of it."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from gateway.core.errors import BundleRejected
from gateway.policy.digests import MANIFEST, canonical, canonical_value

ROOTS = ("gateway", "site")
ENTRYPOINT = "gateway/main/decision"

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Severity: TypeAlias = Annotated[str, msgspec.Meta(pattern="^(info|low|medium|high|critical)$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the manifest: what nobody knows is refused."""


class Rule(_Part, frozen=True, kw_only=True):
    """What the METADATA of one rule says. `message` has `{name}` for each argument of a reason."""

    code: Text
    title: Text
    effect: Text
    message: Text
    remedy: Text
    severity: Severity
    controls: tuple[Text, ...]
    """e.g. `PCI-DSS-4.0.1/3.4.1`"""
    rule: Text
    """dotted path, e.g. `data.gateway.pci.cardholder.effects`"""
    file: Text
    """path inside the bundle"""
    line: Annotated[int, msgspec.Meta(ge=1)]


class Ours(_Part, frozen=True, kw_only=True):
    """`metadata.querywarden`."""

    entrypoint: Annotated[str, msgspec.Meta(pattern=f"^{ENTRYPOINT}$")]
    wasm_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    reads: tuple[Text, ...]
    """paths of the input that the Rego reads, dotted, without `input.`; a path stands for all that is below it"""
    reads_for: dict[Text, tuple[Text, ...]] = {}
    """by section of the site data: paths that are read besides, where the section has entries"""
    rules: tuple[Rule, ...]
    vectors: tuple[Text, ...] = ()
    """files of questions with their answers, which the bundle must give before it decides anything"""


class Metadata(_Part, frozen=True, kw_only=True):
    """`metadata`."""

    querywarden: Ours


class Manifest(_Part, frozen=True, kw_only=True):
    """All of it. There is no `wasm` key: an OPA without wasm refuses a bundle that has one."""

    metadata: Metadata
    rego_version: Literal[1]
    revision: Annotated[str, msgspec.Meta(max_length=256)]
    roots: tuple[Text, ...]


def read_manifest(raw: bytes) -> Manifest:
    """The manifest of canonical bytes. Raises BundleRejected (bundle.manifest)."""
    canonical_value(MANIFEST, raw)
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.ValidationError as error:
        raise BundleRejected("bundle.manifest", str(error)) from None
    if sorted(manifest.roots) != sorted(ROOTS):
        raise BundleRejected("bundle.manifest", f"the roots must be {' and '.join(ROOTS)}")
    codes = [rule.code for rule in manifest.metadata.querywarden.rules]
    if len(set(codes)) != len(codes):
        raise BundleRejected("bundle.manifest", "two rules have one code")
    return manifest


def write_manifest(manifest: Manifest) -> bytes:
    """Canonical bytes."""
    return canonical(msgspec.to_builtins(manifest))
