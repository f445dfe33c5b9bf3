"""`audit verify` on the command line."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.audit.verify import SHOWN
from tests.cli.audit.world import Written
from tests.evidence.world import whole_log


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main(["audit", "verify", *arguments])
    return code, capsys.readouterr().out


def test_a_whole_log_is_verified_and_has_no_independent_witness(
    desk: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys, "--data", str(desk.folder))
    assert code == cli.DONE
    assert "verified: 10 leaves, none changed since they were signed." in out
    assert "no independent witness" in out
    assert "3 decisions; 1 sessions" in out
    assert "The key that lies beside the log was believed" in out


def test_a_key_kept_elsewhere_is_used(desk: Written, damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "--data", str(desk.folder), "--key", str(desk.folder / "keys/log-1.pub"))
    assert code == cli.DONE
    assert "was believed" not in out
    code, out = run(capsys, "--data", str(desk.folder), "--key", str(damaged.folder / "keys/log-1.pub"))
    assert code == cli.SAYS_NO
    assert "GRAVE  checkpoint.signature" in out


def test_each_thing_that_does_not_fit_is_named(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (damaged.folder / "log/1/tile/0/000.p").iterdir():
        path.write_bytes(bytes(path.stat().st_size))
    code, out = run(capsys, "--data", str(damaged.folder))
    assert code == cli.SAYS_NO
    assert "GRAVE  tile.mismatch" in out
    assert "GRAVE  leaf.mismatch" in out
    assert "leaf 4: tile/0/000.p/10 holds another hash for it" in out
    assert "NOT verified: 11 grave findings in 10 leaves." in out


def test_the_report_can_be_had_as_json(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "--data", str(desk.folder), "--json")
    report = json.loads(out)
    assert (code, report["ok"]) == (cli.DONE, True)
    assert [finding["name"] for finding in report["findings"]] == ["witness.none"]
    assert report["epochs"][0]["decisions"] == 3


def test_of_very_many_findings_with_one_name_the_first_are_written_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole_log(tmp_path, sessions=SHOWN, statements=1)
    for path in (tmp_path / "log/1/tile/entries").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b'"ok":true', b'"ok": tru'))
    code, out = run(capsys, "--data", str(tmp_path))
    assert code == cli.SAYS_NO
    assert out.count("GRAVE  leaf.unreadable") == SHOWN
    assert " more\n" in out


def test_no_log_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--data", str(tmp_path))[0] == cli.USAGE


def test_a_verification_changes_nothing(desk: Written, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in desk.folder.rglob("*"))
    run(capsys, "--data", str(desk.folder))
    assert sorted((path, path.stat().st_mtime_ns) for path in desk.folder.rglob("*")) == before


def test_the_next_run_reads_only_what_is_new_and_says_so(
    state_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole_log(tmp_path, sessions=30, statements=12)
    out = run(capsys, "--data", str(tmp_path))[1]
    assert "verify.resumed" not in out
    assert list((state_home / "querywarden/verified").iterdir())
    code, out = run(capsys, "--data", str(tmp_path))
    assert code == cli.DONE
    assert "note   verify.resumed          leaves 0 to 511: verified before (read at " in out
    assert " of them read now." in out
    code, out = run(capsys, "--data", str(tmp_path), "--full", "--json")
    assert json.loads(out)["epochs"][0]["taken"] == 0


def test_what_is_remembered_can_lie_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole_log(tmp_path / "var", sessions=30, statements=12)
    for _ in range(2):
        code, out = run(capsys, "--data", str(tmp_path / "var"), "--state", str(tmp_path / "mine"), "--json")
        assert code == cli.DONE
    assert json.loads(out)["epochs"][0]["taken"] == 512
    assert sorted(path.suffix for path in (tmp_path / "mine").iterdir()) == [".seen", ".verified"]
