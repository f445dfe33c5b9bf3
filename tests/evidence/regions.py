"""Every class of bytes of a log on disk: where its bytes lie in which file, so that each class can be damaged."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.evidence.frames import MAGIC, Kind, read_frames
from gateway.evidence.tiles import bundle_path

PREFIX = "log/1"
HASH = 32
SLOT = 512

Span = tuple[int, int]


class Region(NamedTuple):
    """One class of bytes."""

    name: str
    file: Callable[[Path], Path]
    spans: Callable[[bytes], list[Span]]
    """where they lie: one span of them is damaged"""
    found: frozenset[str]
    """one of these names it"""
    grave: bool = True


def at(name: str) -> Callable[[Path], Path]:
    return lambda folder: folder / name


def wal(folder: Path) -> Path:
    (path,) = (folder / PREFIX / "wal").glob("*.wal")
    return path


def body(folder: Path) -> Path:
    return next(path for path in sorted((folder / "objects").rglob("*")) if path.is_file())


def partial(kind: str) -> Callable[[Path], Path]:
    return lambda folder: next(path for path in sorted((folder / PREFIX / kind).rglob("*.p/*")))


def whole(data: bytes) -> list[Span]:
    return [(0, len(data))]


def lengths(data: bytes) -> list[Span]:
    return [(start, start + 2) for start, _ in entries(data)]


def leaves(data: bytes) -> list[Span]:
    return [(start + 2, end) for start, end in entries(data)]


def entries(data: bytes) -> Iterator[Span]:
    start = 0
    while start < len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        yield start, end
        start = end


def hashes(data: bytes) -> list[Span]:
    return [(start, start + HASH) for start in range(0, len(data), HASH)]


def line(number: int) -> Callable[[bytes], list[Span]]:
    def spans(data: bytes) -> list[Span]:
        ends = [index for index, byte in enumerate(data) if byte == ord("\n")]
        return [(ends[number - 1] + 1 if number else 0, ends[number])]

    return spans


def after_dash(part: int) -> Callable[[bytes], list[Span]]:
    """Of the signature line: the dash, the name, the key's id and the signature in base64."""

    def spans(data: bytes) -> list[Span]:
        start = data.index("— ".encode())
        dash, name, rest = data[start:].split(b" ", 2)
        first = start + len(dash) + 1
        second = first + len(name) + 1
        places = [(start, first), (first, second - 1), (second, second + 5), (second + 6, second + len(rest) - 3)]
        return [places[part]]

    return spans


def frame(kind: Kind | None, part: str) -> Callable[[bytes], list[Span]]:
    """Of frames of a kind: length, checksum, number, kind, payload."""
    offsets = {"length": (0, 4), "crc": (4, 8), "number": (8, 16), "kind": (16, 17)}

    def spans(data: bytes) -> list[Span]:
        found, start = [], len(MAGIC)
        for each in read_frames(data):
            first, last = offsets.get(part, (17, each.end - start))
            if kind is None or each.kind is kind:
                found.append((start + first, start + last))
            start = each.end
        return found

    return spans


def slots(data: bytes) -> list[Span]:
    """What counts in one slot: behind its line there is only filling."""
    return [(start, start + data[start:].index(b"\n")) for start in range(0, len(data), SLOT) if data[start]]


LEAVES = frozenset({"entries.unreadable", "root.mismatch", "root.unproved"})
TILES = frozenset({"tile.mismatch"})
NOTE = frozenset({"checkpoint.signature"})
WAL = frozenset({"wal.damaged", "wal.mismatch", "wal.missing"})

REGIONS = [
    Region("length of an entry", at(f"{PREFIX}/{bundle_path(0)}"), lengths, LEAVES),
    Region("an entry", at(f"{PREFIX}/{bundle_path(1)}"), leaves, LEAVES),
    Region("an entry of the partial bundle", partial("tile/entries"), leaves, LEAVES),
    Region("a hash of a leaf", at(f"{PREFIX}/tile/0/000"), hashes, TILES),
    Region("a hash of the partial tile", partial("tile/0"), hashes, TILES),
    Region("a hash above", partial("tile/1"), hashes, TILES),
    Region("origin", at(f"{PREFIX}/checkpoint"), line(0), NOTE),
    Region("size", at(f"{PREFIX}/checkpoint"), line(1), NOTE),
    Region("root", at(f"{PREFIX}/checkpoint"), line(2), NOTE),
    Region("the dash of a signature", at(f"{PREFIX}/checkpoint"), after_dash(0), NOTE),
    Region("the name of a signature", at(f"{PREFIX}/checkpoint"), after_dash(1), NOTE),
    Region("the id of a signature's key", at(f"{PREFIX}/checkpoint"), after_dash(2), NOTE),
    Region("a signature", at(f"{PREFIX}/checkpoint"), after_dash(3), NOTE),
    Region("the magic of a segment", wal, lambda _: [(0, len(MAGIC))], WAL),
    *[
        Region(f"{part} of a frame that holds a {kind.name.lower()}", wal, frame(kind, part), WAL)
        for kind in Kind
        for part in ("length", "crc", "number", "kind", "payload")
    ],
    Region("a stored document", body, whole, frozenset({"body.changed"})),
    Region("the public key", at("keys/log-1.pub"), line(0) , frozenset({"checkpoint.signature"})),
    Region("one slot of the signed head", at("keys/log-1.head"), slots, frozenset({"head.damaged"}), grave=False),
]  # fmt: skip
