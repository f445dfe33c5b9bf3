"""What a verification remembers: the next one reads what is new, finds the same, and hides nothing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.evidence.reader import open_epochs
from gateway.evidence.tiles import bundle_path, join_entries, split_entries
from gateway.evidence.verified import Files, Memory, Written, written_since
from gateway.evidence.verify import Options, Report, verify
from gateway.evidence.walk import Finding
from tests.evidence.test_verify import cut, edit, flip, rewrite_history
from tests.evidence.world import TickClock, grave, whole_log


@pytest.fixture
def log(tmp_path: Path, finished_log: Path) -> Path:
    folder = tmp_path / "var"
    shutil.copytree(finished_log, folder)
    return folder


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "memory")


def run(folder: Path, memory: Memory, *, full: bool = False) -> Report:
    return verify(folder, TickClock(), options=Options(memory, full=full))


def named(report: Report) -> set[str]:
    return {finding.name for finding in report.findings}


def plain(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.name != "verify.resumed"]


def test_the_first_run_reads_everything_and_the_next_what_is_new(log: Path, memory: Memory) -> None:
    first = run(log, memory)
    assert (first.ok, first.epochs[0].taken, named(first)) == (True, 0, {"witness.none"})
    second = run(log, memory)
    assert second.ok
    assert second.epochs[0].taken == first.epochs[0].size // 256 * 256
    assert second.epochs[0].read == first.epochs[0].size % 256
    assert named(second) == {"witness.none", "verify.resumed"}
    whole_log(log, sessions=40, statements=9)
    third, anew = run(log, memory), run(log, Memory(log.parent / "other"))
    assert third.epochs[0].taken == second.epochs[0].taken
    assert plain(third) == plain(anew)
    for name in ("size", "root", "decisions", "sessions", "unknown_outcomes", "tail"):
        assert getattr(third.epochs[0], name) == getattr(anew.epochs[0], name)
    assert run(log, memory).epochs[0].taken > third.epochs[0].taken


def test_findings_of_the_part_taken_are_told_again(log: Path, memory: Memory) -> None:
    clock = TickClock(now=TickClock().now - 10**18)
    whole_log(log, sessions=30, statements=12, clock=clock)
    whole_log(log, sessions=30, statements=12)
    first, second = run(log, memory), run(log, memory)
    assert second.epochs[0].taken > 1000
    assert "time.backwards" in named(first)
    assert plain(first) == plain(second)


def swap(folder: Path) -> None:
    """Another leaf, and the file's times put back as they were."""
    path = folder / "log/1" / bundle_path(0)
    stat = path.stat()
    entries = split_entries(path.read_bytes())
    entries[8], entries[9] = entries[9], entries[8]
    path.write_bytes(join_entries(entries))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda f: edit(f / "log/1" / bundle_path(0), flip), "root.mismatch"),
        (lambda f: edit(f / "log/1/tile/0/000", flip), "tile.mismatch"),
        (lambda f: (f / "log/1/tile/0/001").unlink(), "tile.missing"),
        (lambda f: edit(f / "log/1" / bundle_path(1), cut), "entries.unreadable"),
        (swap, "root.mismatch"),
        (rewrite_history, "log.rewritten"),
    ],
)
def test_what_was_changed_in_the_part_taken_is_found(
    log: Path, memory: Memory, change: Callable[[Path], object], name: str
) -> None:
    run(log, memory)
    change(log)
    report = run(log, memory)
    assert name in grave(report)
    assert "verify.restarted" in named(report)
    assert not run(log, memory).ok


def test_a_history_written_anew_is_known_even_without_the_writers_memory(log: Path, memory: Memory) -> None:
    run(log, memory)
    rewrite_history(log)
    (log / "keys/log-1.head").unlink()
    shutil.rmtree(log / "log/1/wal")
    (log / "log/1/wal").mkdir()
    assert grave(run(log, memory)) == ["log.rewritten"]
    assert grave(run(log, memory, full=True)) == ["log.rewritten"]
    assert run(log, Memory(log.parent / "nothing")).ok


def test_a_log_put_back_from_an_older_copy_is_known_even_without_the_writers_memory(log: Path, memory: Memory) -> None:
    copy = log.parent / "copy"
    shutil.copytree(log, copy)
    whole_log(log, sessions=60, statements=12)
    run(log, memory)
    (copy / "keys/log-1.head").unlink()
    report = run(copy, memory)
    assert grave(report) == ["log.cut"]
    assert "were verified at" in next(finding.text for finding in report.findings if finding.grave)


def test_files_that_were_only_copied_are_read_again(log: Path, memory: Memory) -> None:
    run(log, memory)
    copy = log.parent / "copy"
    shutil.copytree(log, copy)
    report = run(copy, memory)
    assert report.ok
    assert report.epochs[0].taken == 0
    assert "verify.restarted" in named(report)


def test_full_reads_bodies_that_the_next_run_would_take(log: Path, memory: Memory) -> None:
    whole_log(log, sessions=100, statements=2)
    run(log, memory)
    (path,) = (path for path in (log / "objects").rglob("*") if path.is_file() and b"TABLE orders" in path.read_bytes())
    edit(path, flip)
    taken = run(log, memory)
    assert taken.ok
    assert "--full reads them and their bodies again" in str(taken.findings)
    assert grave(run(log, memory, full=True)) == ["body.changed"]


def test_nothing_grave_is_ever_remembered(log: Path, memory: Memory) -> None:
    edit(log / "log/1" / bundle_path(0), flip)
    for _ in range(2):
        report = run(log, memory)
        assert not report.ok
        assert report.epochs[0].taken == 0


@pytest.mark.parametrize("damage", [flip, cut, lambda data: data.clear()])
def test_a_memory_that_was_damaged_is_no_memory(
    log: Path, memory: Memory, damage: Callable[[bytearray], object]
) -> None:
    run(log, memory)
    (path,) = (log.parent / "memory").glob("*.verified")
    edit(path, damage)
    report = run(log, memory)
    assert (report.ok, report.epochs[0].taken) == (True, 0)


def test_a_memory_that_cannot_be_written_is_said_and_costs_nothing_else(log: Path) -> None:
    (log.parent / "file").write_text("not a folder", encoding="utf-8")
    report = run(log, Memory(log.parent / "file/below"))
    assert report.ok
    assert "memory.unwritable" in named(report)


def test_the_memory_of_another_log_is_not_used(log: Path, memory: Memory) -> None:
    run(log, memory)
    whole_log(log.parent / "second", sessions=30, statements=12)
    report = run(log.parent / "second", memory)
    assert (report.ok, report.epochs[0].taken, named(report)) == (True, 0, {"witness.none"})


def test_several_epochs_are_remembered_one_by_one(log: Path, memory: Memory) -> None:
    (log / "keys/log-1.key").write_bytes(b"?")
    whole_log(log, sessions=30, statements=12)
    first, second = run(log, memory), run(log, memory)
    assert first.ok
    assert second.ok
    assert [epoch.taken > 0 for epoch in second.epochs] == [True, True]


def test_the_file_systems_word_changes_with_every_file_that_is_final(log: Path) -> None:
    prefix = open_epochs(log)[0].prefix
    before = Files(prefix).upto(512)
    assert Files(prefix).upto(512) == before
    whole = Files(prefix)
    whole.upto(256)
    assert whole.upto(512) == before
    for name, written in ((bundle_path(1), Written((1,), ())), ("tile/0/000", Written((), (0,)))):
        (prefix / name).touch()
        now = Files(prefix).upto(512)
        assert written_since(before, now) == written
        before = now


def test_entries_that_were_put_back_are_held_against_their_tile(log: Path, memory: Memory) -> None:
    run(log, memory)
    path = log / "log/1" / bundle_path(0)
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    report = run(log, memory)
    assert report.ok
    assert report.epochs[0].taken == 512
    (reread,) = [finding for finding in report.findings if finding.name == "verify.reread"]
    assert reread.where == "256 leaves"
    assert "verify.reread" not in named(run(log, memory))
