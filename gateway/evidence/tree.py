"""The growing tree in memory, and what of it must still be laid out as files."""

import hashlib
from typing import Final, NamedTuple

import msgspec

from gateway.evidence.head import Head
from gateway.evidence.ledger import OpenState
from gateway.evidence.merkle import leaf_hash
from gateway.evidence.tiles import WIDTH, Edge, bundle_path, join_entries, tile_path


class Start(msgspec.Struct, frozen=True):
    """What a WAL segment begins with: the tree's right edge and what was open."""

    size: int
    levels: list[list[bytes]]
    open: OpenState


_START_DECODER: Final = msgspec.json.Decoder(Start)


def decode_start(payload: bytes) -> Start:
    """Read the payload of a START frame. Raises ValueError."""
    try:
        start = _START_DECODER.decode(payload)
    except msgspec.DecodeError as error:
        raise ValueError("not the start of a segment") from error
    if start.size % WIDTH or Edge(start.levels).size != start.size:
        raise ValueError("not the start of a segment")
    return start


class Publication(NamedTuple):
    """Files that show the tree at one size. Paths are relative to the log's prefix."""

    head: Head
    bodies: list[tuple[str, bytes]]
    """hex sha256, content"""
    full: list[tuple[str, bytes]]
    """tiles and bundles that will not change any more"""
    partial: list[tuple[str, bytes]]


class Tree:
    """Leaves go in; at any time the files that are missing on disk come out."""

    def __init__(self, levels: list[list[bytes]] | None = None) -> None:
        self.edge = Edge(levels or [])
        self._entries: list[bytes] = []
        self._full: list[tuple[str, bytes]] = []
        self._bodies: list[tuple[str, bytes]] = []

    @property
    def size(self) -> int:
        """How many leaves."""
        return self.edge.size

    def add(self, leaf: bytes, bodies: list[bytes]) -> bytes:
        """Append a leaf with the bodies that came with it; its hash."""
        hashed = leaf_hash(leaf)
        self._entries.append(leaf)
        self._bodies.extend((hashlib.sha256(body).hexdigest(), body) for body in bodies)
        tiles = self.edge.append(hashed)
        if tiles:
            self._full.append((bundle_path(self.size // WIDTH - 1), join_entries(self._entries)))
            self._full.extend((tile_path(tile), data) for tile, data in tiles)
            self._entries.clear()
        return hashed

    def head(self) -> Head:
        """The tree as it is now."""
        return Head(self.size, self.edge.root())

    def publication(self) -> Publication:
        """Everything that must be on disk for the tree as it is now to be read."""
        partial = [(tile_path(tile), data) for tile, data in self.edge.partial_tiles()]
        if self._entries:
            partial.append((bundle_path(self.size // WIDTH, len(self._entries)), join_entries(self._entries)))
        return Publication(self.head(), list(self._bodies), list(self._full), partial)

    def published(self, publication: Publication) -> None:
        """Note that a publication is on disk."""
        del self._bodies[: len(publication.bodies)]
        del self._full[: len(publication.full)]

    def start(self, state: OpenState) -> bytes:
        """Payload of the START frame of a segment that begins here."""
        return msgspec.json.encode(Start(self.size, self.edge.levels, state))
