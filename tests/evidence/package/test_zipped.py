"""The archive: its bytes depend on its files alone, and other programs read it."""

import io
import zipfile
from functools import partial
from pathlib import Path

import pytest

from gateway.evidence.package.zipped import PackageWriter, same, write_in_order


def written(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    writer = PackageWriter(out)
    write_in_order(writer, {name: partial(same, content) for name, content in parts.items()})
    writer.finish()
    return out.getvalue()


PARTS = {"b/two.txt": b"2", "a.json": b"{}", "b/one.txt": b"", "verify.py": b"x" * 70_000}


def test_the_order_in_which_parts_are_given_does_not_matter() -> None:
    assert written(PARTS) == written(dict(reversed(PARTS.items())))


def test_other_programs_read_it() -> None:
    with zipfile.ZipFile(io.BytesIO(written(PARTS))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == PARTS
        assert [info.compress_type for info in archive.infolist()] == [zipfile.ZIP_STORED] * 4
        assert {info.date_time[:3] for info in archive.infolist()} == {(1980, 1, 1)}


def test_a_large_part_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"y" * (3 << 20))
    out = io.BytesIO()
    writer = PackageWriter(out)
    writer.add("large", same(path))
    writer.finish()
    assert zipfile.ZipFile(out).read("large") == path.read_bytes()
    assert writer.files["large"].size == 3 << 20


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "", "ä", "x" * 201])
def test_a_name_that_no_package_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        PackageWriter(io.BytesIO()).add(name, b"")


def test_names_out_of_order_are_refused() -> None:
    writer = PackageWriter(io.BytesIO())
    writer.add("b", b"")
    with pytest.raises(ValueError, match="cannot stand behind 'b'"):
        writer.add("a", b"")
