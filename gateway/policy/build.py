"""A bundle, put together: the compiled rules, what an organisation says of its data, a signature.

Compiling needs opa; the rest does not, because the wasm holds no data. So `policy build --site` takes the released
base (`bundles/reference`, compiled here and locked by its hash) and adds the site data.
"""

import hashlib
from collections.abc import Mapping
from importlib.resources import files as resources
from pathlib import Path

import msgspec

from gateway.core.errors import BundleRejected
from gateway.policy import signature
from gateway.policy.archive import MAX_ARCHIVE_BYTES, read_archive, write_archive
from gateway.policy.bundle import SITE_DATA, VECTORS, WASM, read_contents
from gateway.policy.compiler import Compiled
from gateway.policy.digests import MANIFEST, SIGNATURES, canonical
from gateway.policy.keys import SigningKey
from gateway.policy.manifest import ENTRYPOINT, ROOTS, Manifest, Metadata, Ours, write_manifest
from gateway.policy.site import Site
from gateway.policy.vectors import SITE_VECTORS


def base_of(compiled: Compiled, revision: str) -> dict[str, bytes]:
    """The files of a bundle without site data and without signature."""
    ours = Ours(
        entrypoint=ENTRYPOINT,
        wasm_sha256=hashlib.sha256(compiled.files[WASM]).hexdigest(),
        reads=compiled.reads,
        reads_for=compiled.reads_for,
        rules=compiled.rules,
        vectors=tuple(sorted(compiled.vectors)),
    )
    manifest = Manifest(metadata=Metadata(querywarden=ours), rego_version=1, revision=revision, roots=ROOTS)
    return {**compiled.files, **compiled.vectors, MANIFEST: write_manifest(manifest)}


def reference_base() -> Path:
    """The released base: inside an installed package, else in the checkout."""
    packaged = Path(str(resources("gateway.policy"))) / "reference"
    folder = packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "bundles" / "reference"
    return folder / "base.tar.gz"


def read_bundle_files(path: Path) -> dict[str, bytes]:
    """The files of an archive on disk, checked to be those of a bundle, not verified.

    Raises BundleRejected, or OSError when there is no such file.
    """
    files = read_archive(read_bundle(path))
    read_contents(files)
    return files


def read_bundle(path: Path) -> bytes:
    """An archive's bytes. Raises BundleRejected when it is too large, OSError when there is none."""
    with path.open("rb") as file:
        raw = file.read(MAX_ARCHIVE_BYTES + 1)
    if len(raw) > MAX_ARCHIVE_BYTES:
        raise BundleRejected("bundle.too_large", f"{path} is larger than {MAX_ARCHIVE_BYTES} bytes")
    return raw


def with_site(
    base: Mapping[str, bytes], site: Site, revision: str | None = None, vectors: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """The base's files with other site data, unsigned; under another revision, if one is given.

    `vectors` are the site's own, by their path in the bundle; they take the place of those of the site before it.
    """
    given = vectors or {}
    files = {name: content for name, content in base.items() if name != SIGNATURES}
    manifest = read_contents(files)
    ours = manifest.metadata.querywarden
    kept = {name for name in ours.vectors if not name.startswith(SITE_VECTORS)}
    files = {name: content for name, content in files.items() if name in kept or not name.startswith(VECTORS)}
    ours = msgspec.structs.replace(ours, vectors=tuple(sorted(kept | given.keys())))
    manifest = msgspec.structs.replace(
        manifest,
        revision=manifest.revision if revision is None else revision,
        metadata=Metadata(querywarden=ours),
    )
    return {**files, **given, SITE_DATA: canonical(msgspec.to_builtins(site)), MANIFEST: write_manifest(manifest)}


def signed(
    files: Mapping[str, bytes],
    key: SigningKey,
    *,
    sequence: int = 1,
    not_before: int = 0,
    expires_at: int | None = None,
) -> bytes:
    """The archive of files with a new signature. `not_before` and `expires_at` in seconds since the epoch."""
    contents = {name: content for name, content in files.items() if name != SIGNATURES}
    signatures = signature.sign(contents, key, sequence=sequence, not_before=not_before, expires_at=expires_at)
    return write_archive({**contents, SIGNATURES: signatures})
