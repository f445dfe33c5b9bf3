"""`policy sign` gives a bundle one signature, and changes nothing else."""

from pathlib import Path

import pytest

from gateway import cli
from gateway.policy.archive import read_archive
from gateway.policy.bundle import load_key, open_bundle
from gateway.policy.digests import SIGNATURES
from tests.cli.policy.keys import DEMO_SITE, make_keys


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    out = tmp_path / "bundle.tar.gz"
    assert cli.main(["policy", "build", "--site", str(DEMO_SITE), "-o", str(out)]) == cli.DONE
    return out


def test_a_bundle_is_signed_in_place_with_everything_that_was_asked(tmp_path: Path, unsigned: Path) -> None:
    private, public = make_keys(tmp_path)
    before = read_archive(unsigned.read_bytes())
    options = ["--sequence", "9", "--not-before", "2026-01-02", "--expires-at", "2030-01-02T03:04:05Z"]
    assert cli.main(["policy", "sign", str(unsigned), "--key", private, *options]) == cli.DONE
    bundle = open_bundle(unsigned.read_bytes(), [load_key(Path(public))], 1_800_000_000)
    assert (bundle.sequence, bundle.not_before, bundle.expires_at) == (9, 1767312000, 1893553445)
    after = read_archive(unsigned.read_bytes())
    assert {name: content for name, content in after.items() if name != SIGNATURES} == before


def test_a_new_signature_replaces_the_old_one_and_goes_where_it_is_sent(tmp_path: Path, unsigned: Path) -> None:
    (first, _), (second, public) = make_keys(tmp_path, "first"), make_keys(tmp_path, "second")
    assert cli.main(["policy", "sign", str(unsigned), "--key", first]) == cli.DONE
    signed = unsigned.read_bytes()
    out = tmp_path / "again.tar.gz"
    assert cli.main(["policy", "sign", str(unsigned), "--key", second, "-o", str(out)]) == cli.DONE
    assert open_bundle(out.read_bytes(), [load_key(Path(public))], 0).keyid == "second"
    assert unsigned.read_bytes() == signed


def test_the_keys_name_can_be_given(tmp_path: Path, unsigned: Path) -> None:
    private, _ = make_keys(tmp_path)
    assert cli.main(["policy", "sign", str(unsigned), "--key", private, "--keyid", "acme-2027"]) == cli.DONE
    assert cli.main(["policy", "verify", str(unsigned), "--key", f"{private}.pub"]) == cli.SAYS_NO


def test_a_wrong_key_or_moment_is_a_usage_error_and_leaves_the_bundle(tmp_path: Path, unsigned: Path) -> None:
    private, public = make_keys(tmp_path)
    before = unsigned.read_bytes()
    for options in (["--key", public], ["--key", "gone"], ["--key", private, "--expires-at", "soon"], []):
        assert cli.main(["policy", "sign", str(unsigned), *options]) == cli.USAGE
    assert unsigned.read_bytes() == before
