"""A scan of a folder: what it looks at, what it finds where, and what it says of the rest."""

import gzip
import hashlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.core.disguised import Kind
from gateway.evidence import scan as scanning
from gateway.evidence import scan_formats
from gateway.evidence.merkle import leaf_hash, root_of
from gateway.evidence.scan import Found, Passed, Scanned, scan
from tests.evidence.world import CARD, whole_log
from tests.support.card_forms import TEXTS


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "var"
    whole_log(folder)
    return folder


def look(folder: Path, *also: Path) -> Scanned:
    return scan(folder, also, None)


def test_a_log_is_clean_and_every_file_of_it_was_looked_at_but_the_keys(log: Path) -> None:
    scanned = look(log)
    assert scanned.ok
    files = [path for path in log.rglob("*") if path.is_file()]
    keys = {str(path) for path in (log / "keys").iterdir()}
    assert {each.file for each in scanned.passed} == keys
    assert {each.why for each in scanned.passed} == {"holds a key"}
    assert scanned.files == len(files) - len(keys)
    assert scanned.size == sum(path.stat().st_size for path in files if str(path) not in keys)


def test_the_root_is_over_the_hashes_of_the_files(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(name.encode())
    lines = sorted(f"{hashlib.sha256(name.encode()).hexdigest()} 1 {tmp_path / name}" for name in ("a", "b"))
    assert look(tmp_path).lines == tuple(lines)
    assert look(tmp_path).root == root_of([leaf_hash(line.encode()) for line in lines])


@pytest.mark.parametrize(
    "place",
    [
        "log/1/tile/entries/000.p/9",
        "log/1/wal/torn.wal",
        "objects/ab/.x.tmp1",
        "core.123",
        "sinks/a/out.jsonl",
        "gateway.log",
    ],
)
def test_a_number_in_any_file_is_found_with_its_place(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x00\x10{" + CARD.encode() + b"}")
    assert look(tmp_path).found == (Found(str(path), "", 3, 16, Kind.PLAIN),)
    assert not look(tmp_path).ok


def test_what_is_found_never_says_the_number(tmp_path: Path) -> None:
    for number, form in enumerate(TEXTS.values()):
        (tmp_path / f"{number}-{CARD}").write_text(form(CARD), encoding="utf-8")
    scanned = look(tmp_path)
    assert scanned.total == 2 * len(TEXTS)  # in each file, and in its name
    assert CARD not in repr(scanned)
    assert CARD[:8] not in repr(scanned)


def test_what_is_packed_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"xx" + CARD.encode()))
    with sqlite3.connect(tmp_path / "b.sqlite") as database:
        database.execute("CREATE TABLE t AS SELECT 4111111111111111 AS n")
    database.close()
    found = {(Path(each.file).name, each.within) for each in look(tmp_path).found}
    assert found == {("a.gz", "gzip"), ("b.sqlite", "rows")}


def test_what_cannot_be_read_is_not_clean(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x" * 100)[:-8])
    scanned = look(tmp_path)
    assert scanned.unread == (Passed(str(tmp_path / "a.gz"), "ends early"),)
    assert not scanned.ok


def test_in_the_folder_of_keys_only_keys_are_passed_over(log: Path, tmp_path: Path) -> None:
    shutil.copytree(log, tmp_path / "var")
    for name in ("notes.txt", "log-1.keys", "log-2.pub/log-2.pub"):
        (tmp_path / "var/keys" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "var/keys" / name).write_text("4111111111111111", encoding="utf-8")
    (tmp_path / "var/keys/log-3.key").write_text("4111111111111111 " * 400, encoding="utf-8")
    found = {Path(each.file).name for each in look(tmp_path / "var").found}
    assert found == {"notes.txt", "log-1.keys", "log-2.pub", "log-3.key"}


def test_what_a_link_leads_to_is_looked_at_or_the_scan_is_not_complete(tmp_path: Path) -> None:
    inside, outside = tmp_path / "var", tmp_path / "disk"
    (outside / "recordings").mkdir(parents=True)
    inside.mkdir()
    (inside / "recordings").symlink_to(outside / "recordings")
    (inside / "nothing").symlink_to(tmp_path / "nowhere")
    scanned = look(inside)
    assert not scanned.ok
    assert [Path(each.file).name for each in scanned.unread] == ["recordings"]
    assert look(inside, outside).ok


def test_links_and_sockets_are_told_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text(CARD)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    os.mkfifo(inside / "pipe")
    scanned = look(inside)
    assert [(Path(each.file).name, each.why) for each in scanned.passed] == [("pipe", "not a file")]
    assert [Path(each.file).name for each in scanned.unread] == ["link"]
    assert scanned.total == 0
    both = look(inside, outside)
    assert {(Path(each.file).name, each.why) for each in both.passed} >= {("link", "a link, not followed")}
    assert both.total == 1


def test_a_file_that_goes_away_meanwhile_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("x")
    there = scan_formats.contents

    def gone(path: Path, key: None) -> object:
        path.unlink()
        return there(path, key)

    monkeypatch.setattr(scanning, "contents", gone)
    scanned = look(tmp_path)
    assert (scanned.gone, scanned.ok) == (1, True)


def test_of_very_many_findings_only_the_first_are_told_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "FINDINGS_MAX", 3)
    (tmp_path / "a").write_text(f"{CARD}\n" * 10)
    scanned = look(tmp_path)
    assert (scanned.total, len(scanned.found)) == (10, 3)


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        look(tmp_path, tmp_path / "nowhere")


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x" * 100)
    seen: list[tuple[int, int]] = []
    scan(tmp_path, (), None, lambda done, total: seen.append((done, total)))
    assert seen == [(100, 300), (200, 300), (300, 300)]
