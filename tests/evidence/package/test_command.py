"""`verify.py` on the command line: exit codes, words, JSON; whose key is believed."""

import json
import os
from pathlib import Path

import pytest

from gateway.evidence.package.verifier.command import FINE, TAMPERED, USAGE, as_document, in_words, main
from tests.evidence.package.mutations import Base
from tests.evidence.package.world import verified_bytes, wrong


@pytest.fixture
def package(base: Base, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    path.write_bytes(base.raw)
    (tmp_path / "log.pub").write_text(base.signer.verifier.encode())
    (tmp_path / "other.pub").write_text(base.stranger.verifier.encode())
    return path


def test_a_whole_package_exits_0_and_counts(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(package), "--key", str(package.parent / "log.pub")]) == FINE
    assert "verified. 731 leaves, 360 decisions, 12 samples" in capsys.readouterr().out


def test_without_a_key_it_says_so(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(package)]) == FINE
    assert "key.unproved" in capsys.readouterr().out


def test_another_key_exits_1(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(package), "--key", str(package.parent / "other.pub"), "--json"]) == TAMPERED
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], [finding["name"] for finding in told["findings"]]) == (False, ["signature.other_key"])


@pytest.mark.parametrize(
    "arguments", [[], ["no-such.zip"], ["{}", "--key", "{}"], ["{}", "--witness", "no key"], ["--x"]]
)
def test_a_wrong_command_exits_3(package: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([argument.replace("{}", str(package)) for argument in arguments]) == USAGE
    assert capsys.readouterr().err


def test_a_pipe_in_a_packages_place_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "evidence.zip")
    assert main([str(tmp_path / "evidence.zip")]) == USAGE
    assert "not a file" in capsys.readouterr().err


def test_help_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == FINE
    assert "evidence package" in capsys.readouterr().out


def test_words_of_a_hostile_package_do_not_reach_the_terminal(base: Base) -> None:
    found = verified_bytes(base.raw[:-1], base.signer.verifier.encode())
    found.findings[0] = found.findings[0]._replace(text="\x1b[2J\u202e")
    assert "\x1b" not in in_words(found)
    assert as_document(found)["ok"] is False


def test_a_manifest_that_is_none_ends_it(base: Base) -> None:
    from tests.evidence.package.mutations import again  # noqa: PLC0415 -- only here

    for manifest in (b"[]", b'{"spec":"x"}', b'{"log":[],"spec":"querywarden/evidence/v1"}', b"\xff"):
        changed = again({**base.files, "MANIFEST.json": manifest})
        assert wrong(verified_bytes(changed, base.signer.verifier.encode())) == ["manifest.unreadable"]
