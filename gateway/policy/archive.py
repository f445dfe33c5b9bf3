"""The bundle's tar.gz: written in one way only, and read strictly.

Written: ustar, names sorted and with the leading slash that `opa build` gives them, every other field fixed, in a gzip
of stored blocks. Nothing is compressed, so that the bytes do not depend on anybody's zlib: the same files are the same
archive everywhere, and an archive can be proven whole by writing it again. A bundle is half a megabyte; that is cheap.

Read: regular files under plain names, none twice, none outside the folder, within limits that are applied while
inflating. Archives of `opa build` can be read, too; `is_canonical` tells whether this module could have written it.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping

from gateway.core.errors import BundleRejected

MAX_ARCHIVE_BYTES = 32 << 20
MAX_CONTENT_BYTES = 64 << 20
MAX_FILES = 4096

_BLOCK = 512
_STORED = 65535
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_NAME_BYTES = 100
_NAME = re.compile(
    r"/?((?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\.manifest|\.signatures\.json))"
)
_OCTAL = re.compile(rb"[0-7]{1,11}[ \0]")
_REGULAR = (b"0", b"\0")


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """The archive of files by path, `gateway/main/main.rego` or so. Raises BundleRejected for a name it cannot hold."""
    parts = [_member(name, content) for name, content in sorted(files.items())]
    return _stored(b"".join(parts) + bytes(2 * _BLOCK))


def read_archive(raw: bytes) -> dict[str, bytes]:
    """The files of an archive by path, without leading slash. Raises BundleRejected (malformed, too_large)."""
    files: dict[str, bytes] = {}
    for name, content in _members(_inflated(raw)):
        if name in files:
            raise BundleRejected("bundle.malformed", f"the archive holds {name} twice")
        files[name] = content
        if len(files) > MAX_FILES:
            raise BundleRejected("bundle.too_large", f"the archive holds more than {MAX_FILES} files")
    return files


def is_canonical(raw: bytes, files: Mapping[str, bytes]) -> bool:
    """Whether an archive is byte for byte what `write_archive` makes of its files."""
    return write_archive(files) == raw


def _member(name: str, content: bytes) -> bytes:
    encoded = f"/{name}".encode()
    if name.startswith("/") or _NAME.fullmatch(name) is None or len(encoded) > _NAME_BYTES:
        raise BundleRejected("bundle.malformed", f"a bundle cannot hold a file named {name!r}")
    header = bytearray(_BLOCK)
    fields = {
        0: encoded,
        100: b"0000600\0",  # mode
        108: b"0000000\0",  # owner
        116: b"0000000\0",  # group
        124: b"%011o\0" % len(content),
        136: b"00000000000\0",  # time of change
        148: b" " * 8,  # checksum: blanks while it is computed
        156: b"0",
        257: b"ustar\0" + b"00",
    }
    for offset, value in fields.items():
        header[offset : offset + len(value)] = value
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content + bytes(-len(content) % _BLOCK)


def _stored(tar: bytes) -> bytes:
    """RFC 1952 around stored blocks of RFC 1951, §3.2.4."""
    pieces = [tar[start : start + _STORED] for start in range(0, len(tar), _STORED)]
    blocks = [
        struct.pack("<BHH", number == len(pieces), len(piece), len(piece) ^ 0xFFFF) + piece
        for number, piece in enumerate(pieces, 1)
    ]
    return _GZIP_HEADER + b"".join(blocks) + struct.pack("<II", zlib.crc32(tar), len(tar))


def _inflated(raw: bytes) -> bytes:
    if len(raw) > MAX_ARCHIVE_BYTES:
        raise BundleRejected("bundle.too_large", f"the archive is larger than {MAX_ARCHIVE_BYTES} bytes")
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        tar = inflater.decompress(raw, MAX_CONTENT_BYTES + 1)
    except zlib.error:
        raise BundleRejected("bundle.malformed", "the archive is no gzip file, or it is damaged") from None
    if len(tar) > MAX_CONTENT_BYTES:
        raise BundleRejected("bundle.too_large", f"the archive's content is larger than {MAX_CONTENT_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise BundleRejected("bundle.malformed", "the archive is cut short, or something follows it")
    return tar


def _members(tar: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while any(header := tar[at : at + _BLOCK]):
        name, size = _header(header)
        content = tar[at + _BLOCK : at + _BLOCK + size]
        if len(content) != size:
            raise BundleRejected("bundle.malformed", f"{name} is cut short")
        yield name, content
        at += _BLOCK + size + (-size % _BLOCK)
    if len(header) != _BLOCK or any(tar[at:]):
        raise BundleRejected("bundle.malformed", "the archive does not end as it should")


def _header(header: bytes) -> tuple[str, int]:
    """Name and size of a regular file."""
    name_field, size_field, kind = header[:_NAME_BYTES], header[124:136], header[156:157]
    name = _NAME.fullmatch(name_field.rstrip(b"\0").decode("latin-1"))
    checksum = sum(header[:148]) + sum(header[156:]) + 8 * ord(" ")
    if len(header) != _BLOCK or header[257:262] != b"ustar" or _octal(header[148:156]) != checksum:
        raise BundleRejected("bundle.malformed", "a header of the archive is damaged")
    if kind not in _REGULAR:
        raise BundleRejected("bundle.malformed", "the archive holds something else than regular files")
    if name is None or any(header[345:500]):  # the prefix field: a longer name than a bundle needs
        raise BundleRejected("bundle.malformed", "a name in the archive is not one a bundle may hold")
    return name[1], _octal(size_field)


def _octal(field: bytes) -> int:
    match = _OCTAL.match(field)
    if match is None:
        raise BundleRejected("bundle.malformed", "a number in the archive's header is damaged")
    return int(match[0].strip(b" \0"), 8)
