"""A policy bundle, opened: every byte of the archive verified before anything in it is believed."""

import hashlib
from collections.abc import Container, Mapping, Sequence

import msgspec
from msgspec import UNSET

from gateway.core.errors import BundleRejected
from gateway.core.principal import Json
from gateway.policy import signature
from gateway.policy.archive import is_canonical, read_archive
from gateway.policy.digests import MANIFEST, SIGNATURES, canonical, canonical_value, policy_digest
from gateway.policy.keys import VerificationKey, load_key
from gateway.policy.manifest import Manifest, Rule, read_manifest
from gateway.policy.site import Site, contradictions

__all__ = ["Bundle", "BundleRejected", "Rule", "VerificationKey", "load_key", "open_bundle", "open_files"]

DATA, SITE_DATA, WASM = "data.json", "site/data.json", "policy.wasm"
VECTORS = "vectors/"
DEMO_KEYID = "querywarden-demo"
DEMO_FINGERPRINT = "9e0d8344eb81cc5de6bd4c3f0007ae9f43acc0652e1a1bacc879e6950856fe99"
"""of the key beside `bundles/demo`, whose private half everybody has"""


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that may decide."""

    sha256: str
    """hex, of the archive as loaded"""
    policy_digest: str
    """hex; the same policy signed again has it, too"""
    revision: str
    entrypoint: str
    reads: tuple[str, ...]
    wasm: bytes
    data: bytes
    """canonical JSON of the whole data document"""
    site: Site
    rules: Mapping[str, Rule]
    """by code"""
    keyid: str
    sequence: int
    not_before: int
    """seconds since the epoch"""
    expires_at: int | None
    """seconds since the epoch; None: never"""
    vectors: Mapping[str, bytes]
    """by path"""
    fingerprint: str
    """of the key that signed it"""
    demo: bool
    """signed with the demo's key, which proves nothing"""


def open_bundle(
    raw: bytes, keys: Sequence[VerificationKey], now_s: int, revoked: Container[str] = frozenset()
) -> Bundle:
    """Verify and read an archive. Raises BundleRejected; each way to fail has its own `bundle.*` code.

    `revoked` holds ids and fingerprints of keys whose signatures are believed no more, whoever lists them as trusted.
    """
    files = read_archive(raw)
    if not is_canonical(raw, files):
        raise BundleRejected("bundle.malformed", "the archive is not byte for byte as `policy sign` writes it")
    return open_files(files, hashlib.sha256(raw).hexdigest(), keys, now_s, revoked)


def open_files(
    files: Mapping[str, bytes],
    sha256: str,
    keys: Sequence[VerificationKey],
    now_s: int,
    revoked: Container[str] = frozenset(),
) -> Bundle:
    """The bundle of an archive's files."""
    claims, key = signature.verify(files, keys)
    if key.revoked or key.keyid in revoked or key.fingerprint in revoked:
        raise BundleRejected("bundle.revoked_key", f"the key {key.keyid!r}")
    expires_at = None if claims.expires_at is UNSET else claims.expires_at
    if now_s < claims.not_before:
        raise BundleRejected("bundle.not_yet_valid")
    if expires_at is not None and now_s >= expires_at:
        raise BundleRejected("bundle.expired")
    manifest = read_contents(files)
    ours = manifest.metadata.querywarden
    data = _merged(files)
    return Bundle(
        sha256=sha256,
        policy_digest=policy_digest(files),
        revision=manifest.revision,
        entrypoint=ours.entrypoint,
        reads=paths_read(manifest, data["site"]),
        wasm=files[WASM],
        data=whole_data(files),
        site=_site(data["site"]),
        rules={rule.code: rule for rule in ours.rules},
        keyid=claims.keyid,
        sequence=claims.sequence,
        not_before=claims.not_before,
        expires_at=expires_at,
        vectors={name: files[name] for name in ours.vectors},
        fingerprint=key.fingerprint,
        demo=DEMO_KEYID in {claims.keyid, key.keyid} or key.fingerprint == DEMO_FINGERPRINT,
    )


def read_contents(files: Mapping[str, bytes]) -> Manifest:
    """The manifest of a bundle whose files are the ones a bundle has. Raises BundleRejected."""
    needed = {MANIFEST, DATA, WASM}
    if missing := sorted(needed - files.keys()):
        raise BundleRejected("bundle.malformed", f"missing: {', '.join(missing)}")
    rest = files.keys() - needed - {SITE_DATA, SIGNATURES}
    if strange := sorted(name for name in rest if not _belongs(name)):
        raise BundleRejected("bundle.malformed", f"not a part of a bundle: {', '.join(strange)}")
    manifest = read_manifest(files[MANIFEST])
    named = set(manifest.metadata.querywarden.vectors)
    if named != {name for name in files if name.startswith(VECTORS)}:
        raise BundleRejected("bundle.vectors", "the vectors are not the ones that the manifest names")
    if hashlib.sha256(files[WASM]).hexdigest() != manifest.metadata.querywarden.wasm_sha256:
        raise BundleRejected("bundle.wasm")
    return manifest


def paths_read(manifest: Manifest, site: Json) -> tuple[str, ...]:
    """The paths of the input that the rules read under this site data; sorted."""
    ours = manifest.metadata.querywarden
    said = site if isinstance(site, dict) else {}
    more = (path for section, paths in ours.reads_for.items() if said.get(section) for path in paths)
    return tuple(sorted({*ours.reads, *more}))


def _belongs(name: str) -> bool:
    return (name.startswith("gateway/") and name.endswith(".rego")) or (
        name.startswith(VECTORS) and name.endswith(".json")
    )


def whole_data(files: Mapping[str, bytes]) -> bytes:
    """The data document that a bundle is evaluated with, canonical; without site data that part of it is empty."""
    base = canonical_value(DATA, files[DATA])
    site = canonical_value(SITE_DATA, files[SITE_DATA]) if SITE_DATA in files else {}
    return canonical({**(base if isinstance(base, dict) else {}), "site": site})


def _merged(files: Mapping[str, bytes]) -> dict[str, Json]:
    """The data document: what the rules bring and what the organisation says."""
    base = canonical_value(DATA, files[DATA])
    if not isinstance(base, dict) or set(base) != {"gateway"}:
        raise BundleRejected("bundle.data", f"{DATA} holds the data of `gateway` and nothing else")
    if SITE_DATA not in files:
        raise BundleRejected("bundle.data", "the bundle holds no site data")
    return {**base, "site": canonical_value(SITE_DATA, files[SITE_DATA])}


def _site(value: Json) -> Site:
    try:
        site = msgspec.convert(value, Site)
    except msgspec.ValidationError as error:
        raise BundleRejected("bundle.data", str(error)) from None
    if found := next(contradictions(site), None):
        raise BundleRejected("bundle.data", f"{found[0]}: {found[1]}")
    return site
