"""What files hold when they are unpacked, and what cannot be."""

import gzip
import io
import os
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import duckdb
import pytest
import zstandard

from gateway.evidence import scan_formats
from gateway.evidence.scan_formats import UnreadError, contents, unpacked

SECRET = b"somewhere 4111111111111111 in here"


def held(path: Path) -> dict[str, bytes]:
    return {name: b"".join(parts) for name, parts in contents(path, None)}


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_compressed_files_and_archives_are_unpacked_also_one_in_another(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(SECRET) + gzip.compress(b" and more"))
    assert held(path) == {"gzip": SECRET + b" and more"}
    path.write_bytes(zstandard.ZstdCompressor().compress(SECRET))
    assert held(path) == {"zstd": SECRET}
    path.write_bytes(zipped(a=SECRET, b=gzip.compress(b"inner")))
    assert held(path) == {"a": SECRET, "b": gzip.compress(b"inner"), "b/gzip": b"inner"}
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        info = tarfile.TarInfo("data.json")
        info.size = len(SECRET)
        archive.addfile(info, io.BytesIO(SECRET))
    path.write_bytes(tar.getvalue())
    assert SECRET in held(path)["gzip"]


def test_a_plain_file_holds_nothing_but_its_bytes(tmp_path: Path) -> None:
    for data in (b"", b"plain", b"\x1f", os.urandom(100)):
        (tmp_path / "a").write_bytes(b"x" + data)
        assert held(tmp_path / "a") == {}


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(SECRET)[:-9], gzip.compress(SECRET)[:12] + b"\xff" * 30, b"\x28\xb5\x2f\xfd" + b"\xff" * 20,
        zipped(a=SECRET)[:-10], b"PK\x03\x04" + b"x" * 50,
    ],
    ids=["cut gzip", "bad gzip", "bad zstd", "cut zip", "bad zip"],
)  # fmt: skip
def test_what_cannot_be_unpacked_is_unread(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(UnreadError):
        held(tmp_path / "a")


def test_what_unpacks_to_too_much_is_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_formats, "UNPACKED_MAX", 1000)
    for data in (
        gzip.compress(b"x" * 1001), gzip.compress(b"x" * 600) * 2, zstandard.ZstdCompressor().compress(b"x" * 1001),
        zipped(a=b"x" * 1001), gzip.compress(os.urandom(2000)),
    ):  # fmt: skip
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(UnreadError):
            held(tmp_path / "a")


def test_what_is_packed_too_often_is_unread() -> None:
    data = SECRET
    for _ in range(5):
        data = gzip.compress(data)
    with pytest.raises(UnreadError, match="too often"):
        list(unpacked(data, scan_formats.DEPTH))


def test_the_values_of_a_database_are_read_numbers_too(tmp_path: Path) -> None:
    path = tmp_path / "a b#?.sqlite"
    with sqlite3.connect(path) as database:
        database.execute('CREATE TABLE "odd ""name" (n INTEGER, t TEXT, b BLOB, r REAL)')
        database.execute('INSERT INTO "odd ""name" VALUES (4111111111111111, ?, ?, 1.5)', ("long " * 5000, b"\x00blob"))
    database.close()
    rows = held(path)["rows"].split(b"\n")
    assert b"4111111111111111" in rows
    assert b"long " * 5000 in rows
    assert b"\x00blob" in rows


def test_a_damaged_database_is_unread(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(UnreadError, match="database"):
        held(tmp_path / "a")


def test_the_values_of_a_parquet_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT 4111111111111111 AS n, 'x' AS t) TO '{path}' (FORMAT parquet)")
    assert held(path) == {"rows": b"4111111111111111\nx\n"}
    path.write_bytes(b"PAR1" + b"\xff" * 50)
    with pytest.raises(UnreadError, match="Parquet"):
        held(path)


def test_a_parquet_file_without_what_reads_it_is_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_formats, "find_spec", lambda _: None)
    (tmp_path / "a").write_bytes(b"PAR1")
    with pytest.raises(UnreadError, match=r"querywarden\[history\]"):
        held(tmp_path / "a")
