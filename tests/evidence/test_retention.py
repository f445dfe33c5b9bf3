"""What there is by age, and what would go."""

from pathlib import Path

import pytest

from gateway.evidence.leaf import Leaf, encode_leaf
from gateway.evidence.retention import names_of, plan, retention_report
from tests.evidence.world import TickClock, whole_log

DAY = 86_400 * 10**9
BORN = 1_900_000_000 * 10**9


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, clock = tmp_path_factory.mktemp("ages"), TickClock(BORN)
    whole_log(folder, sessions=30, statements=12, clock=clock)
    clock.forward(10 * 86_400)
    whole_log(folder, sessions=3, clock=clock)
    return folder


def test_leaves_are_counted_by_age(log: Path) -> None:
    report = retention_report(log, now_ns=BORN + 20 * DAY, hot_ns=5 * DAY, total_ns=15 * DAY)
    (epoch,) = report.epochs
    assert epoch.older_than_hot == epoch.size
    assert 30 * 12 < epoch.older_than_total < epoch.size
    assert epoch.pruned == 0
    assert epoch.oldest_ns is not None
    assert epoch.newest_ns is not None
    assert BORN < epoch.oldest_ns < BORN + DAY < epoch.newest_ns
    assert report.complete


def test_nothing_is_due_before_its_time(log: Path) -> None:
    (epoch,) = retention_report(log, now_ns=BORN + 20 * DAY, hot_ns=DAY, total_ns=30 * DAY).epochs
    assert epoch.older_than_total == 0


def test_an_epoch_that_is_missing_is_said(log: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "log").mkdir()
    (tmp_path / "keys/log-1.head").write_bytes((log / "keys/log-1.head").read_bytes())
    report = retention_report(tmp_path, now_ns=1, hot_ns=1, total_ns=1)
    assert (report.epochs, report.complete) == ((), False)


def test_the_segment_that_is_written_keeps_its_leaves(log: Path) -> None:
    assert plan(log, BORN + 100 * DAY) == []


def test_a_plan_takes_whole_bundles_of_old_leaves_only(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.evidence.retention.segments", lambda _: [])
    (part,) = plan(log, BORN + DAY)
    assert part.size % 256 == 0
    assert 0 < part.size <= 30 * 26
    assert part.until_ns < BORN + DAY
    assert part.entries_bytes > 0
    assert part.kept.walk.counts.leaves == part.size
    assert plan(log, BORN) == []


def test_every_body_a_leaf_names_is_seen() -> None:
    one, two, three = (f"sha256:{digit * 64}" for digit in "abc")
    leaf = encode_leaf(Leaf(type="x", in_=one, out=two, body=three, ok=True, seq=1, t="1", salt="b64:", v=1))
    assert list(names_of(leaf)) == ["a" * 64, "b" * 64, "c" * 64]
    moved = leaf.replace(b'"in"', b'"data":"sha256:' + b"d" * 64 + b'","in"')
    assert "d" * 64 in set(names_of(moved))
