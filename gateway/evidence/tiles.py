"""The tree cut into tiles of 256 hashes, as C2SP tlog-tiles lays it out in plain files.

A tile at level 0 holds leaf hashes, one at level n the roots of full tiles below it. The rightmost tile of a level may
be partial; its file says its width. Entry bundles hold the leaves themselves, each behind its length (uint16,
big-endian).
`Edge` is the right edge of a growing tree: all a writer needs to know of what came before.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from gateway.evidence.merkle import EMPTY_ROOT, HASH_SIZE, Node, root_of

WIDTH: Final = 256
"""hashes in a full tile"""
HEIGHT: Final = 8
_LENGTH: Final = struct.Struct(">H")
MAX_ENTRY: Final = 0xFFFF


class Tile(NamedTuple):
    """Which tile: its level, its number on that level, and how many hashes it holds."""

    level: int
    number: int
    width: int = WIDTH


def tile_path(tile: Tile) -> str:
    """Where a tile lies under the log's prefix, e.g. `tile/1/x001/234.p/5`."""
    return f"tile/{tile.level}/{_number_path(tile.number)}{_suffix(tile.width)}"


def bundle_path(number: int, width: int = WIDTH) -> str:
    """Where an entry bundle lies under the log's prefix."""
    return f"tile/entries/{_number_path(number)}{_suffix(width)}"


def _number_path(number: int) -> str:
    """Three digits a path element, all but the last behind an `x`."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))


def _suffix(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree of `size` leaves, partial ones too, lowest level first."""
    level = 0
    while size:
        full, rest = divmod(size, WIDTH)
        yield from (Tile(level, number) for number in range(full))
        if rest:
            yield Tile(level, full, rest)
        size, level = full, level + 1


def split_hashes(tile: bytes) -> list[bytes]:
    """The hashes of a tile. Raises ValueError when it is not whole hashes."""
    if len(tile) % HASH_SIZE:
        raise ValueError(f"a tile of {len(tile)} bytes")
    return [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]


def join_entries(entries: Sequence[bytes]) -> bytes:
    """An entry bundle. An entry has at most 65,535 bytes."""
    return b"".join(part for entry in entries for part in (_LENGTH.pack(len(entry)), entry))


def split_entries(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ValueError when the lengths do not add up."""
    entries, at, end = [], 0, len(bundle)
    while at < end:
        start = at + 2
        stop = start + int.from_bytes(bundle[at:start], "big")
        if stop > end or start > end:
            raise ValueError("an entry bundle ends within an entry")
        entries.append(bundle[start:stop])
        at = stop
    return entries


class Edge:
    """The right edge of a growing tree: for each level, the hashes of its partial tile."""

    def __init__(self, levels: Sequence[Sequence[bytes]] = ()) -> None:
        self.levels: list[list[bytes]] = [list(level) for level in levels] or [[]]
        self._counts = [0] * len(self.levels)
        for level in reversed(range(len(self.levels))):
            above = self._counts[level + 1] if level + 1 < len(self.levels) else 0
            self._counts[level] = above * WIDTH + len(self.levels[level])

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._counts[0]

    def append(self, leaf: bytes) -> list[tuple[Tile, bytes]]:
        """Add one leaf's hash; the tiles that became full, with their bytes."""
        return self._carry(0, leaf)

    def _carry(self, level: int, carried: bytes) -> list[tuple[Tile, bytes]]:
        """Add a hash on a level, and on those above as long as tiles become full."""
        full: list[tuple[Tile, bytes]] = []
        while True:
            if level == len(self.levels):
                self.levels.append([])
                self._counts.append(0)
            hashes = self.levels[level]
            hashes.append(carried)
            self._counts[level] += 1
            if len(hashes) < WIDTH:
                return full
            full.append((Tile(level, self._counts[level] // WIDTH - 1), b"".join(hashes)))
            carried = root_of(hashes)
            hashes.clear()
            level += 1

    def extend(self, leaves: list[bytes]) -> list[tuple[Tile, bytes]]:
        """Add many leaves' hashes; the tiles that became full. A whole tile at once is four times as fast."""
        if len(leaves) == WIDTH and not self.levels[0]:
            return self._full(b"".join(leaves), root_of(leaves))
        return [tile for leaf in leaves for tile in self.append(leaf)]

    def skip(self, hashes: list[bytes]) -> list[tuple[Tile, bytes]]:
        """Add a full tile of leaf hashes whose leaves are not here; the tiles above that became full."""
        return self.extend(hashes)[1:]

    def _full(self, data: bytes, root: bytes) -> list[tuple[Tile, bytes]]:
        """A full tile on the lowest level, and what it fills above."""
        self._counts[0] += WIDTH
        tiles = [(Tile(0, self._counts[0] // WIDTH - 1), data)]
        if len(self.levels) == 1:
            self.levels.append([])
            self._counts.append(0)
        return tiles + self._carry(1, root)

    def root(self) -> bytes:
        """Root of the tree as it is now."""
        below: bytes | None = None
        for hashes in self.levels:
            nodes = hashes if below is None else [*hashes, below]
            if nodes:
                below = root_of(nodes)
        return EMPTY_ROOT if below is None else below

    def partial_tiles(self) -> list[tuple[Tile, bytes]]:
        """The partial tiles of the tree as it is now, with their bytes."""
        return [
            (Tile(level, self._counts[level] // WIDTH, len(hashes)), b"".join(hashes))
            for level, hashes in enumerate(self.levels)
            if hashes
        ]


def nodes_of(size: int, read: Callable[[Tile], bytes]) -> Node:
    """Nodes of the tree of `size` leaves, read from its tiles. It raises what `read` raises, and ValueError."""
    kept: dict[Tile, list[bytes]] = {}

    def node(level: int, index: int) -> bytes:
        tile_level, inside = divmod(level, HEIGHT)
        first = index << inside
        number, at = divmod(first, WIDTH)
        width = min(WIDTH, (size >> HEIGHT * tile_level) - number * WIDTH)
        tile = Tile(tile_level, number, width)
        hashes = kept.get(tile)
        if hashes is None:
            hashes = kept[tile] = split_hashes(read(tile))
            if len(hashes) != width:
                raise ValueError(f"{tile_path(tile)} holds {len(hashes)} hashes")
        wanted = hashes[at : at + (1 << inside)]
        if len(wanted) != 1 << inside:
            raise ValueError(f"node {level}/{index} is not complete in a tree of {size}")
        return root_of(wanted)

    return node
