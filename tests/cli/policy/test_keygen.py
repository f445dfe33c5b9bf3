"""`policy keygen` makes two files that belong together, once."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.policy.keys import load_key, load_signing_key


def keygen(folder: Path) -> tuple[str, str]:
    private = str(folder / "acme.key")
    assert cli.main(["policy", "keygen", private, "--keyid", "acme"]) == cli.DONE
    return private, f"{private}.pub"


def test_the_two_halves_belong_together_and_only_the_owner_reads_the_private_one(tmp_path: Path) -> None:
    private, public = keygen(tmp_path)
    signer, verifier = load_signing_key(Path(private)), load_key(Path(public))
    assert verifier.verifies(b"message", signer.sign(b"message"))
    assert (signer.public.keyid, verifier.keyid, verifier.algorithm) == ("acme", "acme", "RS256")
    assert Path(private).stat().st_mode & 0o777 == 0o600


def test_without_a_name_the_key_is_called_by_its_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["policy", "keygen", str(tmp_path / "key"), "--json"]) == cli.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["keyid"] == load_key(Path(said["public"])).fingerprint


def test_a_key_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    private, public = keygen(tmp_path)
    before = [Path(path).read_bytes() for path in (private, public)]
    assert cli.main(["policy", "keygen", private]) == cli.USAGE
    assert [Path(path).read_bytes() for path in (private, public)] == before


def test_a_name_that_could_not_be_read_back_is_refused(tmp_path: Path) -> None:
    assert cli.main(["policy", "keygen", str(tmp_path / "key"), "--keyid", "two words"]) == cli.USAGE
    assert list(tmp_path.iterdir()) == []
