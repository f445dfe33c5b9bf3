"""What is no longer hot lies elsewhere and is found there; what goes, goes there too."""

import shutil
from pathlib import Path

import pytest

from gateway.evidence import archive as module
from gateway.evidence.archive import move_older
from gateway.evidence.pruning import Order, prune
from gateway.evidence.reader import open_epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.retention import plan
from gateway.evidence.tiles import bundle_path
from gateway.evidence.verified import Memory
from gateway.evidence.verify import Options, verify
from gateway.evidence.view import open_views
from tests.evidence.test_verify import edit, flip
from tests.evidence.world import TickClock, check, grave, whole_log

DAY = 86_400 * 10**9
BORN = 1_900_000_000 * 10**9
FIRST = bundle_path(0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    clock = TickClock(BORN)
    whole_log(tmp_path / "var", sessions=30, statements=12, clock=clock)
    clock.forward(100 * 86_400)
    whole_log(tmp_path / "var", sessions=30, statements=12, clock=clock)
    return tmp_path / "var"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cold"


def moved(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file())


def leaves(folder: Path) -> list[tuple[int, bytes]]:
    return list(next(open_views(folder)).upwards(0))


def test_old_entries_lie_elsewhere_and_everything_reads_as_before(log: Path, place: Path) -> None:
    before = leaves(log)
    assert move_older(log, place, BORN + DAY) == 512
    assert not (log / "log/1" / FIRST).exists()
    assert len(moved(place)) == 2
    assert leaves(log) == before
    assert grave(check(log)) == []
    assert move_older(log, place, BORN + DAY) == 0
    assert move_older(log, place.with_name("other"), BORN + 200 * DAY) > 0
    assert not place.with_name("other").exists()
    assert grave(check(log)) == []


def test_nothing_that_is_hot_is_moved(log: Path, place: Path) -> None:
    assert move_older(log, place, BORN) == 0
    assert not place.exists()
    assert move_older(log.with_name("none"), place, BORN) == 0


def test_what_is_changed_or_gone_there_is_found(log: Path, place: Path) -> None:
    move_older(log, place, BORN + DAY)
    edit(moved(place)[0], flip)
    assert "root.mismatch" in grave(check(log))
    shutil.rmtree(place)
    assert "entries.missing" in grave(check(log))


@pytest.mark.parametrize("note", [b"", b"/nowhere", b"/tmp\0", b"\xff\xfe", b"x" * 10_000])
def test_a_note_that_leads_nowhere_is_found(log: Path, place: Path, note: bytes) -> None:
    move_older(log, place, BORN + DAY)
    (log / "log/1" / module.ARCHIVED).write_bytes(note)
    assert {"entries.missing", "entries.unreadable"} & set(grave(check(log)))


def test_a_stop_between_copying_and_removing_is_gone_on_with(
    log: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: Path) -> None:
        raise OSError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", stop)
        with pytest.raises(OSError, match="killed here"):
            move_older(log, place, BORN + DAY)
    assert grave(check(log)) == []
    moved(place)[0].write_bytes(b"half of it")
    assert move_older(log, place, BORN + DAY) == 512
    assert grave(check(log)) == []


def test_a_verification_goes_on_over_a_move(log: Path, place: Path, tmp_path: Path) -> None:
    options = Options(Memory(tmp_path / "memory"))
    assert verify(log, TickClock(), options=options).ok
    move_older(log, place, BORN + DAY)
    report = verify(log, TickClock(), options=options)
    assert report.ok
    assert report.epochs[0].taken > 512
    assert "verify.reread" in {finding.name for finding in report.findings}


async def test_what_is_pruned_goes_there_too(log: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.evidence.retention.segments", lambda _: [])
    move_older(log, place, BORN + DAY)
    recorder = await Recorder.open(log, TickClock(BORN + 200 * DAY), checkpoint_interval=3600)

    async def planner() -> list[object]:
        return list(plan(log, BORN + DAY))

    await prune(recorder, log, planner, Order("old"))  # type: ignore[arg-type]  # a list of what a plan gives
    await recorder.close()
    assert moved(place) == []
    assert next(open_views(log)).begin == 512


def test_several_logs_may_share_a_place(log: Path, place: Path, tmp_path: Path) -> None:
    whole_log(tmp_path / "second", sessions=30, statements=12, clock=TickClock(BORN))
    move_older(log, place, BORN + DAY)
    move_older(tmp_path / "second", place, BORN + DAY)
    names = {open_epochs(folder)[0].verifier.name.replace("/", "_") for folder in (log, tmp_path / "second")}
    assert {path.name for path in place.iterdir()} == names
    assert grave(check(log)) == grave(check(tmp_path / "second")) == []
    assert module.ARCHIVED == "archived"
