"""Bundles that were active are kept by their hash, whole."""

import hashlib
import os
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


def test_a_pipe_in_the_place_of_a_bundle_is_none_and_is_replaced(tmp_path: Path) -> None:
    store = BundleStore(tmp_path)
    path = tmp_path / "bundles" / f"{hashlib.sha256(b'archive').hexdigest()}.tar.gz"
    path.parent.mkdir()
    os.mkfifo(path)
    assert store.read(path.name.removesuffix(".tar.gz")) is None
    assert store.read(store.keep(b"archive")) == b"archive"
