"""Bundles that were active are kept by their hash, whole."""

from pathlib import Path

import pytest

from gateway.policy.store import BundleStore


def test_a_kept_bundle_is_read_back_by_its_sha256(tmp_path: Path) -> None:
    store = BundleStore(tmp_path / "var")
    digest = store.keep(b"archive")
    assert store.keep(b"archive") == digest
    assert store.read(digest) == b"archive"
    assert [path.name for path in (tmp_path / "var/bundles").iterdir()] == [f"{digest}.tar.gz"]


def test_a_bundle_that_was_never_kept_is_none(tmp_path: Path) -> None:
    assert BundleStore(tmp_path).read("0" * 64) is None


def test_a_kept_bundle_that_was_changed_is_not_given_out(tmp_path: Path) -> None:
    store = BundleStore(tmp_path)
    digest = store.keep(b"archive")
    (tmp_path / "bundles" / f"{digest}.tar.gz").write_bytes(b"another")
    with pytest.raises(ValueError, match="not that bundle"):
        store.read(digest)
