"""`policy verify` says yes to what the gateway would take, and else names what is wrong."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.demo.place import bundle_folder
from gateway.policy.archive import read_archive, write_archive
from tests.cli.policy.keys import DEMO_SITE, ROOT, make_keys


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, str, str]:
    """A signed bundle, and its key pair."""
    private, public = make_keys(tmp_path)
    out = tmp_path / "bundle.tar.gz"
    options = ["--site", str(DEMO_SITE), "-o", str(out), "--key", private, "--sequence", "2"]
    assert cli.main(["policy", "build", *options]) == cli.DONE
    return out, private, public


def verified(capsys: pytest.CaptureFixture[str], bundle: Path, *keys: str) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    options = [option for key in keys for option in ("--key", key)]
    code = cli.main(["policy", "verify", str(bundle), *options, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_good_bundle_is_described(made: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    bundle, _, public = made
    code, said = verified(capsys, bundle, public)
    assert code == cli.DONE
    assert (said["verified"], said["keyid"], said["sequence"], said["demo"]) == (True, "acme", 2, False)
    assert isinstance(said["vectors"], int)
    assert said["vectors"] >= 200
    assert (said["not_before"], said["expires_at"]) == ("1970-01-01T00:00:00Z", None)


def test_one_of_several_keys_is_enough(
    made: tuple[Path, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, _, public = made
    _, other = make_keys(tmp_path, "other")
    assert verified(capsys, bundle, other, public)[0] == cli.DONE
    code, said = verified(capsys, bundle, other)
    assert (code, said["code"]) == (cli.SAYS_NO, "bundle.unknown_key")


def test_a_changed_file_is_named(made: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    bundle, _, public = made
    files = read_archive(bundle.read_bytes())
    bundle.write_bytes(write_archive({**files, "gateway/main/main.rego": b"package gateway.main\n"}))
    code, said = verified(capsys, bundle, public)
    assert (code, said["code"], said["why"]) == (cli.SAYS_NO, "bundle.tampered", "changed: gateway/main/main.rego")


def test_an_expired_bundle_says_no(made: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    bundle, private, public = made
    assert cli.main(["policy", "sign", str(bundle), "--key", private, "--expires-at", "2020-01-01"]) == cli.DONE
    code, said = verified(capsys, bundle, public)
    assert (code, said["code"]) == (cli.SAYS_NO, "bundle.expired")


def test_people_read_lines(made: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    bundle, _, public = made
    assert cli.main(["policy", "verify", str(bundle), "--key", public]) == cli.DONE
    shown = capsys.readouterr().out
    assert "verified       True\n" in shown
    assert "expires_at     -\n" in shown


def test_the_released_demo_bundle_verifies_and_is_called_demo(capsys: pytest.CaptureFixture[str]) -> None:
    demo = ROOT / "bundles" / "demo"
    code, said = verified(capsys, demo / "bundle.tar.gz", str(demo / "policy.pub"))
    assert (code, said["demo"]) == (cli.DONE, True)


def test_the_demo_finds_the_released_bundle() -> None:
    assert bundle_folder() == ROOT / "bundles" / "demo"


def test_a_missing_file_or_key_is_a_usage_error(made: tuple[Path, str, str], tmp_path: Path) -> None:
    bundle, _, public = made
    assert cli.main(["policy", "verify", str(tmp_path / "gone"), "--key", public]) == cli.USAGE
    assert cli.main(["policy", "verify", str(bundle), "--key", str(tmp_path / "gone")]) == cli.USAGE
    assert cli.main(["policy", "verify", str(bundle)]) == cli.USAGE
