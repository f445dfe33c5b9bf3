"""A bundle of a few hundred bytes that has everything a bundle has, except rules that decide."""

import hashlib
from collections.abc import Mapping

import msgspec

from gateway.policy.build import signed
from gateway.policy.bundle import DATA, SITE_DATA, WASM
from gateway.policy.digests import MANIFEST, canonical
from gateway.policy.keys import SigningKey
from gateway.policy.manifest import ENTRYPOINT, ROOTS, Manifest, Metadata, Ours, Rule, write_manifest
from gateway.policy.site import Grant, Site
from tests.support.bundle import bundle_key

SITE = Site(grants=(Grant(groups=("agents",), connections=("payments",), relations=("*",), actions=("select",)),))
RULE = Rule(
    code="pci.x",
    title="A rule",
    effect="mask",
    message="{column} is masked",
    remedy="do without",
    severity="high",
    controls=("PCI-DSS-4.0.1/3.4.1",),
    rule="data.gateway.pci.x.effects",
    file="gateway/main/main.rego",
    line=3,
)


def manifest(wasm: bytes = b"\0asm", *rules: Rule) -> Manifest:
    ours = Ours(
        entrypoint=ENTRYPOINT,
        wasm_sha256=hashlib.sha256(wasm).hexdigest(),
        reads=("action.name", "context.purpose"),
        rules=rules or (RULE,),
        vectors=("vectors/small.json",),
    )
    return Manifest(metadata=Metadata(querywarden=ours), rego_version=1, revision="small-1", roots=ROOTS)


def small_files() -> dict[str, bytes]:
    """Without a signature."""
    return {
        MANIFEST: write_manifest(manifest()),
        DATA: canonical({"gateway": {"lib": {"allow": {"functions": {}}}}}),
        SITE_DATA: canonical(msgspec.to_builtins(SITE)),
        WASM: b"\0asm",
        "vectors/small.json": canonical({"about": "one", "vectors": [{"name": "one", "input": {}, "decision": {}}]}),
        "gateway/main/main.rego": b"package gateway.main\n",
    }


def sealed(files: Mapping[str, bytes], key: SigningKey | None = None, **claims: int) -> bytes:
    """The archive, signed."""
    return signed(files, key or bundle_key(), **claims)
