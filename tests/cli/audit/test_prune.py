"""`audit prune` on the command line."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from gateway import cli
from gateway.evidence.view import open_views
from gateway.policy.orders import Answer, Prune, Tray
from tests.evidence.world import TickClock, check, grave, whole_log

BORN = 1_500_000_000 * 10**9
YEARS_AGO = "2020-01-01"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of 2017, whose write-ahead log holds no old leaf any more."""
    monkeypatch.setattr("gateway.evidence.retention.segments", lambda _: [])
    whole_log(tmp_path / "var", sessions=30, statements=12, clock=TickClock(BORN))
    return tmp_path / "var"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main(["audit", "prune", *arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_nothing_is_removed_unless_told_so(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in old.rglob("*"))
    code, out = run(capsys, "--data", str(old))
    assert code == cli.DONE
    assert "leaves     0 to 511, the youngest of 2017-07-14" in out
    assert "nothing was removed; --remove does it" in out
    code, out = run(capsys, "--data", str(old), "--json")
    (epoch,) = json.loads(out)["epochs"]
    assert (epoch["begin"], epoch["size"]) == (0, 512)
    assert sorted((path, path.stat().st_mtime_ns) for path in old.rglob("*")) == before


def test_what_is_over_goes_and_the_log_verifies(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "--data", str(old), "--remove")
    assert (code, "512 leaves and" in out) == (cli.DONE, True)
    shutil.rmtree(old / "log/1/wal")
    (old / "log/1/wal").mkdir()
    assert grave(check(old)) == []
    assert next(open_views(old)).begin == 512
    assert "nothing to prune" in run(capsys, "--data", str(old))[1]
    assert "nothing to prune" in run(capsys, "--data", str(old), "--remove", "--json")[1]


def test_what_must_be_kept_goes_only_for_a_legal_reason(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "--data", str(old), "--before", "5d", "--remove")
    assert (code, "give --legal-reason" in out) == (cli.USAGE, True)
    assert next(open_views(old)).begin == 0
    code, out = run(capsys, "--data", str(old), "--before", "5d", "--legal-reason", "case 4711", "--remove")
    assert code == cli.DONE
    assert any(b'"legal":true' in raw and b"case 4711" in raw for _, raw in next(open_views(old)).upwards(0))


def test_nothing_is_old_before_its_time(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing to prune" in run(capsys, "--data", str(old), "--before", "2016-01-01")[1]


def test_a_gateway_that_runs_does_it(
    old: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Prune] = []
    monkeypatch.setattr(Tray, "attended", lambda _: True)
    tray = Tray(old)

    def attend() -> None:
        while not taken:
            for order_id, order in tray.pending():
                if order is not None and isinstance(order.command, Prune):
                    taken.append(order.command)
                    tray.settle(order_id, Answer(ok=False, text="no", code="order.invalid"))

    gateway = threading.Thread(target=attend)
    gateway.start()
    code, out = run(capsys, "--data", str(old), "--before", YEARS_AGO, "--remove")
    gateway.join()
    assert (code, out) == (cli.SAYS_NO, "no\n")
    assert [wish.legal for wish in taken] == [False]
