"""The archive: files stored one behind the other, in the only form there is, so that every byte of it is accounted for.

A reader computes each header from name, size and checksum and compares: nothing can hide before, between or behind the
files, and nothing can be packed, linked, repeated or named so that it leaves a folder.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from gateway.evidence.package.verifier.findings import need, parsed

MANIFEST, ENVELOPE = "MANIFEST.json", "MANIFEST.dsse.json"
MAX_DIRECTORY, MAX_READ = 512 << 20, 256 << 20
FAR, MANY = 0xFFFFFFFF, 0xFFFF
SAFE = re.compile(r"(?!/)(?!.*(?:^|/)\.{1,2}(?:/|$))(?!.*//)[A-Za-z0-9._+/-]{1,200}(?<!/)")
_END, _ENDS, _LINE = 22, 98, 46
"""bytes: of the end, of the end with its ZIP64 form, of a line of the directory without its name"""
PLAIN_FILE = 0o100644


class Part(NamedTuple):
    """One file in the archive."""

    offset: int
    size: int
    crc: int


def header(name: bytes, size: int, crc: int) -> bytes:
    """What stands before a file (PKWARE APPNOTE, 4.3.7): stored, on 1980-01-01."""
    return struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0) + name


def directory_line(name: bytes, size: int, crc: int, offset: int) -> bytes:
    """Its line in the central directory (4.3.12); far offsets by ZIP64 (4.5.3)."""
    far = offset >= FAR
    extra = struct.pack("<HHQ", 1, 8, offset) if far else b""
    versions = (0x02014B50, 3 << 8 | 45, 45 if far else 20)
    sizes = (0, 0, 0, 0x21, crc, size, size, len(name), len(extra), 0, 0, 0)
    return struct.pack("<IHHHHHHIIIHHHHHII", *versions, *sizes, PLAIN_FILE << 16, min(offset, FAR)) + name + extra


def ending(count: int, size: int, offset: int) -> bytes:
    """The end of the central directory (4.3.16), behind its ZIP64 form (4.3.14) where a number is too large for it."""
    big = count >= MANY or size >= FAR or offset >= FAR
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 3 << 8 | 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<IIQI", 0x07064B50, 0, offset + size, 1)
    few = min(count, MANY)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, few, few, min(size, FAR), min(offset, FAR), 0)
    return (record + locator if big else b"") + end


class Archive:
    """A package that is open. Methods raise Broken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.parts = self._read_end()

    def pieces(self, name: str) -> Iterator[bytes]:
        """A file, piece by piece."""
        need(name in self.parts, "file.missing", name, "it is not there")
        at, left = self.parts[name].offset, self.parts[name].size
        while left:
            piece = self._at(at, min(left, 1 << 20))
            need(piece, "zip.cut", name, "the archive ends within it")
            yield piece
            at, left = at + len(piece), left - len(piece)

    def read(self, name: str) -> bytes:
        """A file that fits into memory."""
        large = name in self.parts and self.parts[name].size > MAX_READ
        need(not large, "zip.too_large", name, "no such file is so large")
        return b"".join(self.pieces(name))

    def document(self, name: str) -> dict[str, object]:
        """A JSON object."""
        return parsed(self.read(name), name)

    def under(self, folder: str) -> list[str]:
        """Names that begin with a folder's, in their order."""
        return [name for name in self.parts if name.startswith(folder)]

    def _read_end(self) -> dict[str, Part]:
        end = self._file.seek(0, 2)
        tail = self._at(max(0, end - _ENDS), min(_ENDS, end))
        found = tail.rfind(b"PK\x05\x06")
        need(found >= 0, "zip.cut", "the archive", "it has no end: it was cut, or is no archive")
        need(found + _END <= len(tail), "zip.cut", "the archive", "its end is cut")
        count, size, offset, comment = struct.unpack_from("<HIIH", tail, found + 10)
        need(found + _END == len(tail), "zip.extra_data", "the archive", "something stands behind its end")
        need(not comment, "zip.structure", "the end", "it announces a comment")
        if (count == MANY or FAR in {size, offset}) and tail.startswith(b"PK\x06\x06"):
            count, size, offset = struct.unpack_from("<QQQ", tail, 32)
        last = ending(count, size, offset)
        need(tail.endswith(last), "zip.structure", "the end", "it is written in another way")
        fits = offset + size + len(last) == end and size <= MAX_DIRECTORY
        need(fits, "zip.structure", "the end", "the directory is not where the end says")
        return self._directory(self._at(offset, size), count, offset)

    def _directory(self, raw: bytes, count: int, files_end: int) -> dict[str, Part]:
        parts: dict[str, Part] = {}
        seen: set[str] = set()
        at = offset = 0
        while at < len(raw):
            need(len(raw) - at >= _LINE, "zip.structure", "the directory", "it ends within a line")
            name, crc, size = self._line(raw, at)
            where = name.decode("latin-1")
            need(where.lower() not in seen, "zip.duplicate", where, "two files have this name, or one on some machines")
            seen.add(where.lower())
            line, before = directory_line(name, size, crc, offset), header(name, size, crc)
            need(raw[at : at + len(line)] == line, "zip.structure", where, "its line in the directory is another")
            need(self._at(offset, len(before)) == before, "zip.structure", where, "the header before it is another")
            parts[where] = Part(offset + len(before), size, crc)
            at, offset = at + len(line), offset + len(before) + size
        need(len(parts) == count, "zip.structure", "the directory", "it has other lines than it says")
        need(offset == files_end, "zip.extra_data", "the archive", "something stands between the files")
        need(list(parts) == in_order(parts), "zip.order", "the archive", "the files stand in another order")
        return parts

    def _line(self, raw: bytes, at: int) -> tuple[bytes, int, int]:
        """Name, checksum and size of a line, if it is of a file that a package can hold."""
        method, crc, stored, size, length = struct.unpack_from("<H4xIIIH", raw, at + 10)
        name = raw[at + _LINE : at + _LINE + length]
        where = repr(name.decode("latin-1"))
        need(SAFE.fullmatch(name.decode("latin-1")), "zip.path", where, "no file of a package is called so")
        need(method == 0 and stored == size, "zip.compressed", where, "files are stored as they are")
        mode = struct.unpack_from("<I", raw, at + 38)[0] >> 16
        need(mode == PLAIN_FILE, "zip.kind", where, "something else than a plain file")
        return name, crc, size

    def _at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


def in_order(names: dict[str, Part]) -> list[str]:
    """By name, the manifest and its signature at the end."""
    last = [name for name in (MANIFEST, ENVELOPE) if name in names]
    return [*sorted(name for name in names if name not in last), *last]
