"""`audit scan` on the command line: clean and not, signed, recorded, and never a digit."""

import hashlib
import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.evidence.keys import load_verifier
from gateway.evidence.merkle import leaf_hash, root_of
from gateway.evidence.note import Signer
from gateway.evidence.reader import ARCHIVED
from gateway.evidence.recording.keys import make_private
from gateway.evidence.scan_result import opened
from tests.cli.audit.test_accessing import accesses
from tests.cli.audit.world import Written
from tests.support.card_forms import TEXTS

CARD = "4111111111111111"


def run(capsys: pytest.CaptureFixture[str], written: Written, *arguments: str | Path) -> tuple[int, str]:
    code = cli.main(["audit", "scan", "--data", str(written.folder), *map(str, arguments)])
    said = capsys.readouterr()
    assert "4111" not in said.out + said.err
    return code, said.out + said.err


def test_a_folder_without_card_numbers_is_clean(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, read)
    assert code == cli.DONE
    assert said.endswith("clean: no card number is stored.\n")
    assert "planted numbers found" in said
    assert f"{read.folder}/keys/log-1.key: holds a key" in said


@pytest.mark.parametrize("form", ["plain", "base64, second alignment", "full-width", "percent signs"])
def test_one_number_in_any_file_is_found_and_named_by_its_place(
    damaged: Written, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    (damaged.folder / "log" / "1" / ".stray.tmp").write_text(f"so {TEXTS[form](CARD)}", encoding="utf-8")
    code, said = run(capsys, damaged)
    assert code == cli.SAYS_NO
    assert f"FOUND   {damaged.folder}/log/1/.stray.tmp: at byte 3, " in said
    assert said.endswith("NOT clean: 1 places that look like a card number.\n")


def test_other_files_are_scanned_too(read: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "gateway.log"
    log.write_text(f"error: {CARD}\n")
    code, said = run(capsys, read, "--also", log)
    assert code == cli.SAYS_NO
    assert f"FOUND   {log}: at byte 7, 16 long, plain" in said


def test_what_was_moved_to_an_archive_is_scanned_too(
    damaged: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "cold"
    (archive / "tile").mkdir(parents=True)
    (archive / "tile/000").write_text(CARD, encoding="utf-8")
    (damaged.folder / "log/1" / ARCHIVED).write_text(f"{archive}\n", encoding="utf-8")
    code, said = run(capsys, damaged)
    assert code == cli.SAYS_NO
    assert f"FOUND   {archive}/tile/000: " in said


def test_the_result_is_signed_with_the_logs_key_and_says_what_was_scanned(
    damaged: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, listing = tmp_path / "scan.dsse.json", tmp_path / "files.txt"
    code, said = run(capsys, damaged, "-o", output, "--list", listing, "--json", "--as", "ada")
    assert code == cli.DONE
    result = opened(output.read_bytes(), load_verifier(damaged.folder / "keys" / "log-1.pub"))
    assert json.loads(said)["root"] == result.root
    assert result.by.startswith("ada (")
    assert result.log is not None
    assert result.scope == (str(damaged.folder),)
    lines = listing.read_text(encoding="utf-8").splitlines()
    assert root_of([leaf_hash(line.encode()) for line in lines]).hex() == result.root
    assert len(lines) == result.files
    for line in lines:
        digest, size, name = line.split(" ", 2)
        content = Path(name).read_bytes() if "/objects/" in name else b""
        assert not content or (hashlib.sha256(content).hexdigest(), len(content)) == (digest, int(size))


def test_another_key_can_sign(read: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signer = Signer("scan.test", bytes(range(32)))
    (tmp_path / "scan.key").write_text(signer.encode())
    code, _ = run(capsys, read, "-o", tmp_path / "out", "--sign-key", tmp_path / "scan.key")
    assert code == cli.DONE
    assert opened((tmp_path / "out").read_bytes(), signer.verifier).ok


def test_nothing_is_signed_without_a_key_or_with_something_else(
    tmp_path: Path, read: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.key").write_text("nothing")
    bare = read._replace(folder=tmp_path / "empty")
    assert run(capsys, bare, "-o", tmp_path / "out")[0] == cli.USAGE
    assert run(capsys, read, "-o", tmp_path / "out", "--sign-key", tmp_path / "no.key")[0] == cli.USAGE
    assert not (tmp_path / "out").exists()


def test_that_somebody_scanned_is_recorded(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, damaged, "--as", "ada")
    assert accesses(damaged.folder)[-1].act == "scan"


def test_recordings_are_looked_into_with_a_recipients_key(
    read: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recording.pem").write_bytes(make_private())
    code, said = run(capsys, read, "--key", tmp_path / "recording.pem", "--json")
    assert code == cli.DONE
    assert json.loads(said)["with_recordings"] is True


def test_what_could_not_be_read_is_named_and_not_clean(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    (damaged.folder / "a.gz").write_bytes(b"\x1f\x8b\x08\x00 cut")
    code, said = run(capsys, damaged)
    assert code == cli.SAYS_NO
    assert f"UNREAD  {damaged.folder}/a.gz" in said
    assert said.endswith("NOT clean: 1 files that could not be read.\n")
