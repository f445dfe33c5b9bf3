"""`audit replay-decisions` on the command line: equal, or exit 1; with a candidate, what `policy backtest` says."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.audit.words import moment
from gateway.cli.policy.past import LoggedPast, Period
from tests.cli.audit.test_accessing import accesses
from tests.cli.audit.world import ARCHIVE, Written


def run(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> tuple[int, str]:
    code = cli.main(["audit", "replay-decisions", "--data", str(folder), "--processes", "1", *arguments])
    return code, capsys.readouterr().out


def test_a_decision_without_its_bundle_is_named_and_exits_1(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, read.folder)
    assert code == cli.SAYS_NO
    for line in ("decisions   3", "equal       1, byte for byte", "IMPOSSIBLE  1", f"            {read.hostile}"):
        assert line in out.splitlines()
    leaf = accesses(read.folder)[-1]
    assert (leaf.act, leaf.facts()["results"]) == ("replay-decisions", 3)


def test_a_period_and_connections_are_honoured(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, read.folder, "--connection", "hr")[0] == cli.DONE
    times = [int(leaf.t) for leaf in LoggedPast(read.folder, Period()).leaves(lambda *_: None)]
    code, out = run(capsys, read.folder, "--to", moment(times[1]), "--json")
    report = json.loads(out)
    assert (code, report["ok"], report["decisions"], report["equal"]) == (cli.DONE, True, 1, 1)


def test_a_candidate_is_reported_as_a_back_test_reports_it(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, read.folder, "--candidate", str(ARCHIVE), "--json")
    assert cli.main(["policy", "backtest", "--data", str(read.folder), "--candidate", str(ARCHIVE), "--json"]) == code
    assert capsys.readouterr().out == out
    assert accesses(read.folder)[-1].facts()["arguments"] == {"candidate": "bundle.tar.gz"}
