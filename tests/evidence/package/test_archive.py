"""The archive is read in the one form it has; far and many files by ZIP64."""

import io
import zipfile

import pytest

from gateway.evidence.package.verifier import archive as form
from gateway.evidence.package.verifier.archive import Archive, directory_line, ending, header
from gateway.evidence.package.verifier.findings import Broken
from tests.evidence.package.mutations import zipped


def test_files_are_read_whole_and_in_pieces() -> None:
    raw = zipped([("a", b"1" * (2 << 20)), ("b/c", b"{}")])
    archive = Archive(io.BytesIO(raw))
    assert [len(piece) for piece in archive.pieces("a")] == [1 << 20, 1 << 20]
    assert (archive.document("b/c"), archive.under("b/")) == ({}, ["b/c"])
    with pytest.raises(Broken, match=r"file\.missing"):
        archive.read("d")


def test_what_is_too_large_for_memory_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "MAX_READ", 3)
    with pytest.raises(Broken, match=r"zip\.too_large"):
        Archive(io.BytesIO(zipped([("a", b"1234")]))).read("a")


@pytest.mark.parametrize("raw", [b"", b"PK", b"x" * 500])
def test_what_has_no_end_was_cut(raw: bytes) -> None:
    with pytest.raises(Broken, match=r"zip\.cut"):
        Archive(io.BytesIO(raw))


def test_a_packed_file_is_refused_so_nothing_can_burst() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(10 << 20))
    with pytest.raises(Broken, match=r"zip\.(compressed|structure)"):
        Archive(out)


def test_seventy_thousand_files_are_counted_by_zip64() -> None:
    raw = zipped([(f"n/{number:05d}", b"") for number in range(70_000)])
    assert len(Archive(io.BytesIO(raw)).parts) == 70_000
    assert len(zipfile.ZipFile(io.BytesIO(raw)).namelist()) == 70_000


def test_a_file_beyond_four_gigabytes_is_found_by_zip64() -> None:
    """The file in front is a hole that takes no room."""
    far = 1 << 32

    class Sparse(io.RawIOBase):
        """`far` zeros between a header and the rest."""

        def __init__(self) -> None:
            self.at = 0
            self.front = header(b"a", far - 2, 0)
            begin = len(self.front) + far - 2
            last = header(b"b", 3, 7) + b"xyz"
            lines = directory_line(b"a", far - 2, 0, 0) + directory_line(b"b", 3, 7, begin)
            self.back = last + lines + ending(2, len(lines), begin + len(last))
            self.begin, self.end = begin, begin + len(self.back)

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset + (self.end if whence == 2 else 0)
            return self.at

        def read(self, size: int = -1) -> bytes:
            if self.at < len(self.front):
                return self.front[self.at : self.at + size]
            return self.back[self.at - self.begin :][:size]

    archive = Archive(Sparse())  # type: ignore[arg-type]  # it seeks and reads, which is all that is asked
    assert archive.parts["b"].offset > far
    assert archive.read("b") == b"xyz"
