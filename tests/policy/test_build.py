"""A bundle is put together from released rules and site data, without opa."""

import hashlib
from pathlib import Path

import pytest

from gateway.core.errors import BundleRejected
from gateway.policy import build
from gateway.policy.archive import read_archive, write_archive
from gateway.policy.build import base_of, read_bundle, read_bundle_files, reference_base, signed, with_site
from gateway.policy.bundle import DATA, SITE_DATA, WASM, open_bundle
from gateway.policy.compiler import Compiled
from gateway.policy.digests import MANIFEST, SIGNATURES, policy_digest
from gateway.policy.manifest import read_manifest
from gateway.policy.site import Site
from tests.policy.small import RULE, SITE, small_files
from tests.support.bundle import bundle_key, reference_files

ROOT = Path(__file__).resolve().parents[2]


def test_a_base_names_its_module_its_rules_and_what_they_read() -> None:
    files = {WASM: b"\0asm", DATA: b'{"gateway":{}}', "gateway/main/main.rego": b""}
    base = base_of(Compiled(files=files, reads=("spec",), rules=(RULE,)), "r9")
    found = read_manifest(base[MANIFEST])
    assert (found.revision, found.roots) == ("r9", ("gateway", "site"))
    ours = found.metadata.querywarden
    assert (ours.wasm_sha256, ours.reads, ours.rules) == (hashlib.sha256(b"\0asm").hexdigest(), ("spec",), (RULE,))


def test_site_data_replaces_site_data_and_takes_the_signature_away() -> None:
    files = with_site({**small_files(), SIGNATURES: b"old"}, Site())
    assert SIGNATURES not in files
    assert files[SITE_DATA] != small_files()[SITE_DATA]
    assert {name for name in files if files[name] != small_files()[name]} == {SITE_DATA}


def test_a_bundle_can_be_given_another_revision_and_keeps_its_policy_digest() -> None:
    old, new = (with_site(small_files(), SITE, revision) for revision in (None, "r2"))
    assert read_manifest(new[MANIFEST]).revision == "r2"
    assert policy_digest(old) == policy_digest(new)


def test_signing_again_changes_the_archive_and_not_the_policy() -> None:
    one, two = (signed(small_files(), bundle_key(), sequence=number) for number in (1, 2))
    assert one != two
    assert policy_digest(read_archive(one)) == policy_digest(read_archive(two))
    assert open_bundle(two, [bundle_key().public], 0).sequence == 2


def test_the_released_base_has_rules_and_no_site_data_and_no_signature() -> None:
    files = reference_files()
    assert SITE_DATA not in files
    assert SIGNATURES not in files
    assert len(read_manifest(files[MANIFEST]).metadata.querywarden.rules) > 20


def test_the_released_archives_are_the_locked_ones() -> None:
    lines = [
        line.split()
        for line in (ROOT / "bundles" / "bundles.lock").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert [name for name, _, _ in lines] == ["demo/bundle.tar.gz", "reference/base.tar.gz"]
    for name, revision, digest in lines:
        raw = (ROOT / "bundles" / name).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == digest
        assert read_manifest(read_archive(raw)[MANIFEST]).revision == revision


def test_the_base_is_found_in_the_checkout() -> None:
    assert reference_base() == ROOT / "bundles" / "reference" / "base.tar.gz"


def test_an_archive_that_is_no_bundle_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(write_archive({"data.json": b"{}"}))
    with pytest.raises(BundleRejected, match="missing"):
        read_bundle_files(path)
    with pytest.raises(FileNotFoundError):
        read_bundle(tmp_path / "gone")
    monkeypatch.setattr(build, "MAX_ARCHIVE_BYTES", 10)
    with pytest.raises(BundleRejected, match="too_large"):
        read_bundle(path)
