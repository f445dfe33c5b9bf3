"""`audit root` on the command line."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.audit import root as module
from tests.cli.audit.world import Written
from tests.evidence.world import whole_log


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main(["audit", "root", *arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_it_collects_proves_and_checks(desk: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", str(tmp_path / "root"))
    whole_log(tmp_path / "second")
    code, out = run(capsys, "collect", str(desk.folder), str(tmp_path / "second"), *data)
    assert (code, out.count("collected  log.test/")) == (cli.DONE, 2)
    assert json.loads(run(capsys, "collect", str(desk.folder), *data, "--json")[1])[0]["outcome"] == "unchanged"
    files, key = str(tmp_path / "case"), str(tmp_path / "root/keys/log-1.pub")
    assert run(capsys, "prove", desk.by_policy, *data, "--of", str(desk.folder), "-o", files)[0] == cli.DONE
    code, out = run(capsys, "check", files, "--key", key)
    assert code == cli.DONE
    assert "which is leaf 2 of the " in out
    assert desk.by_policy in out
    found = json.loads(run(capsys, "check", files, "--key", key, "--json")[1])
    assert (found["ok"], found["leaf"]["leaf"]["did"]) == (True, desk.by_policy)
    code = cli.main(["audit", "verify", *data, "--replica", str(desk.folder), "--replica", str(tmp_path / "second")])
    assert (code, "root.unchecked" in capsys.readouterr().out) == (cli.DONE, False)


def test_what_does_not_fit_says_no(
    desk: Written, damaged: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(tmp_path / "root"))
    (damaged.folder / "log/1/checkpoint").write_bytes(b"?")
    code, out = run(capsys, "collect", str(damaged.folder), *data)
    assert (code, "refused    epoch 1" in out) == (cli.SAYS_NO, True)
    code, out = run(capsys, "prove", desk.by_policy, *data, "--of", str(desk.folder), "-o", str(tmp_path / "case"))
    assert (code, "no checkpoint that has this leaf was collected yet" in out) == (cli.SAYS_NO, True)
    assert run(capsys, "prove", "unknown", *data, "--of", str(desk.folder), "-o", "x")[0] == cli.SAYS_NO
    run(capsys, "collect", str(desk.folder), *data)
    run(capsys, "prove", desk.by_policy, *data, "--of", str(desk.folder), "-o", str(tmp_path / "case"))
    foreign = str(desk.folder / "keys/log-1.pub")
    assert run(capsys, "check", str(tmp_path / "case"), "--key", foreign)[0] == cli.SAYS_NO
    assert '"ok": false' in run(capsys, "check", str(tmp_path / "case"), "--key", foreign, "--json")[1]
    (tmp_path / "key").write_text("no key", encoding="ascii")
    assert run(capsys, "check", str(tmp_path / "case"), "--key", str(tmp_path / "key"))[0] == cli.USAGE


def test_it_goes_on_collecting_when_asked_to(
    desk: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "SLEEP", pause)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        raise SystemExit(
            cli.main(["audit", "root", "collect", str(desk.folder), "--data", str(tmp_path), "--every", "5m"])
        )
    assert pauses == [300.0, 300.0]
    assert "unchanged" in capsys.readouterr().out
    assert run(capsys, "collect", str(desk.folder), "--data", str(tmp_path), "--every", "soon")[0] == cli.USAGE
