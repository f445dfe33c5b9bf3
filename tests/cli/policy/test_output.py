"""A bundle is put in its place whole."""

from pathlib import Path

import pytest

from gateway.cli.policy.output import overview, write
from gateway.policy.digests import policy_digest
from tests.policy.small import sealed, small_files


def test_what_is_written_replaces_what_was_there_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "bundle.tar.gz"
    place.write_bytes(b"old")
    write(place, b"new")
    assert place.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [place]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "gone" / "bundle.tar.gz", b"new")


def test_an_archive_is_described_verified_or_not() -> None:
    raw = sealed(small_files())
    said = overview(raw)
    assert (said["revision"], said["bytes"], said["policy_digest"]) == (
        "small-1",
        len(raw),
        policy_digest(small_files()),
    )
