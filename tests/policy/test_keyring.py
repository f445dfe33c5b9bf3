"""Keys come and go with their files; a revoked one answers for nothing, whoever lists it."""

from pathlib import Path

import pytest

from gateway.core.errors import BundleRejected, ConfigError
from gateway.policy.keyring import Keyring
from gateway.policy.keys import public_pem
from tests.policy.small import sealed, small_files
from tests.support.bundle import bundle_key

KEY = bundle_key().public


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "policy.pub"
    made.write_bytes(public_pem(KEY))
    return made


def test_a_key_of_a_file_answers_for_what_it_signed(path: Path) -> None:
    assert Keyring([path]).open(sealed(small_files()), 0).fingerprint == KEY.fingerprint


@pytest.mark.parametrize("revoked", [KEY.keyid, KEY.fingerprint])
def test_a_key_that_the_configuration_revokes_answers_for_nothing(path: Path, revoked: str) -> None:
    with pytest.raises(BundleRejected, match="revoked_key"):
        Keyring([path], [revoked]).open(sealed(small_files()), 0)


def test_a_key_whose_file_says_revoked_answers_for_nothing_from_the_moment_it_does(path: Path) -> None:
    ring = Keyring([path])
    ring.open(sealed(small_files()), 0)
    assert not ring.moved()
    path.write_bytes(b"revoked: 2026-11-25\n" + path.read_bytes())
    assert ring.moved()
    with pytest.raises(BundleRejected, match="revoked_key"):
        ring.open(sealed(small_files()), 0)
    assert not ring.moved()


def test_a_file_that_cannot_be_read_leaves_nothing_to_believe(path: Path) -> None:
    ring = Keyring([path])
    path.unlink()
    assert ring.moved()
    with pytest.raises(ConfigError):
        ring.open(sealed(small_files()), 0)
