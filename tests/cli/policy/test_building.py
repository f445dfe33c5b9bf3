"""`policy build` makes the same bundle from the same site data, with or without opa."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.policy.archive import read_archive
from gateway.policy.bundle import load_key, open_bundle
from gateway.policy.manifest import read_manifest
from tests.cli.policy.keys import DEMO_SITE, ROOT, make_keys, make_policy

NOW = 1_800_000_000


def test_site_data_becomes_a_bundle_without_opa(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPA", str(tmp_path / "there-is-none"))
    private, public = make_keys(tmp_path)
    capsys.readouterr()
    out = tmp_path / "bundle.tar.gz"
    options = ["--site", str(DEMO_SITE), "-o", str(out), "--key", private, "--revision", "r7", "--json"]
    assert cli.main(["policy", "build", *options]) == cli.DONE
    said = json.loads(capsys.readouterr().out)
    bundle = open_bundle(out.read_bytes(), [load_key(Path(public))], NOW)
    assert (said["sha256"], said["policy_digest"], said["revision"], said["signed"]) == (
        bundle.sha256,
        bundle.policy_digest,
        "r7",
        True,
    )
    assert (bundle.keyid, bundle.site.masks["pan"]) == ("acme", "last4")


def test_two_builds_are_byte_for_byte_equal(tmp_path: Path) -> None:
    private, _ = make_keys(tmp_path)
    made = []
    for name in ("one", "two"):
        out = tmp_path / name
        assert cli.main(["policy", "build", "--site", str(DEMO_SITE), "-o", str(out), "--key", private]) == cli.DONE
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_without_a_key_the_bundle_is_unsigned_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bundle.tar.gz"
    assert cli.main(["policy", "build", "-o", str(out)]) == cli.DONE
    assert "signed         False" in capsys.readouterr().out
    assert ".signatures.json" not in read_archive(out.read_bytes())


def test_the_released_rules_and_freshly_compiled_ones_make_the_same_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    base = ["policy", "build", "--site", str(DEMO_SITE), "--revision", "same"]
    assert cli.main([*base, "-o", str(tmp_path / "released")]) == cli.DONE
    assert cli.main([*base, "-o", str(tmp_path / "rebuilt"), "--rebuild"]) == cli.DONE
    released, rebuilt = (read_archive((tmp_path / name).read_bytes()) for name in ("released", "rebuilt"))
    assert [name for name in released | rebuilt if released.get(name) != rebuilt.get(name)] == []


def test_rules_of_ones_own_are_compiled_or_taken_from_a_bundle(tmp_path: Path) -> None:
    policies = make_policy(tmp_path)[:2]
    first, second = tmp_path / "first.tar.gz", tmp_path / "second.tar.gz"
    assert cli.main(["policy", "build", "--rebuild", *policies, "--revision", "own", "-o", str(first)]) == cli.DONE
    options = ["--base", str(first), "--site", str(DEMO_SITE), "-o", str(second)]
    assert cli.main(["policy", "build", *options]) == cli.DONE
    manifest = read_manifest(read_archive(second.read_bytes())[".manifest"])
    assert manifest.revision == "own"
    assert [rule.code for rule in manifest.metadata.querywarden.rules] == ["access.not_covered"]
    assert cli.main(["policy", "build", *options, "--rebuild", *policies]) == cli.USAGE


def test_wrong_site_data_is_a_usage_error_and_leaves_the_old_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle.tar.gz"
    out.write_bytes(b"old")
    (tmp_path / "access.yaml").write_text("grants: []\nmasks: {cvv: last4}\n")
    assert cli.main(["policy", "build", "--site", str(tmp_path), "-o", str(out)]) == cli.USAGE
    assert "access.yaml:2: the label cvv accepts only" in capsys.readouterr().err
    assert out.read_bytes() == b"old"


def test_rego_that_is_wrong_is_a_usage_error_in_opas_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policies = make_policy(tmp_path, "package gateway.main\n\ndecision :=\n")[:2]
    assert cli.main(["policy", "build", "--rebuild", *policies, "-o", str(tmp_path / "x")]) == cli.USAGE
    assert "main.rego:4: rego_parse_error" in capsys.readouterr().err


def test_a_base_that_is_no_bundle_says_no(tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(b"nothing")
    assert cli.main(["policy", "build", "--base", str(tmp_path / "base"), "-o", str(tmp_path / "x")]) == cli.SAYS_NO
    assert cli.main(["policy", "build", "--base", str(tmp_path / "gone"), "-o", str(tmp_path / "x")]) == cli.USAGE
