"""One epoch of the log as a package takes it: under one checkpoint, a span of entries, and every proof that is needed.

The checkpoint is read once and holds from then on; a gateway may go on writing. What is partial now is read at once,
because its file goes when the tile is full.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.evidence.anchors import anchors_of
from gateway.evidence.cosigned import cosigned_notes
from gateway.evidence.merkle import Node, consistency_proof, inclusion_proof
from gateway.evidence.note import Checkpoint, b64, open_checkpoint
from gateway.evidence.package.verifier.story import SLACK_NS, Leaf
from gateway.evidence.package.zipped import Content, same
from gateway.evidence.proof import format_proof
from gateway.evidence.reader import LogReader
from gateway.evidence.tiles import WIDTH, Tile, bundle_path, join_entries, nodes_of, tile_path, tiles_of

_DECODE: Final = msgspec.json.Decoder(dict[str, object])


class Span(NamedTuple):
    """What of an epoch belongs to a period."""

    low: int
    """first block of entries in the package"""
    high: int
    """the block behind the last"""
    first: int
    """first leaf of the period"""
    end: int
    """the leaf behind the last"""


class Snapshot:
    """Methods raise OSError and ValueError."""

    def __init__(self, reader: LogReader) -> None:
        self.reader = reader
        self.epoch = reader.epoch
        self.note = reader.note
        self.tree: Checkpoint = reader.checkpoint
        self.blocks = -(-self.tree.size // WIDTH)
        rest = self.tree.size % WIDTH
        self._last = reader.entries(self.blocks - 1, rest) if rest else []
        self._partial = {tile: reader.tile(tile) for tile in tiles_of(self.tree.size) if tile.width != WIDTH}
        self.node: Node = nodes_of(self.tree.size, self.tile)
        self._read: tuple[int, list[bytes]] = (-1, [])

    @property
    def folder(self) -> str:
        """Where it lies in a package."""
        return f"log/{self.epoch}/"

    def tile(self, tile: Tile) -> bytes:
        """Of the tree under the checkpoint."""
        return self._partial.get(tile) or self.reader.tile(tile)

    def width(self, block: int) -> int:
        """How many leaves a block has."""
        return min(WIDTH, self.tree.size - block * WIDTH)

    def entries(self, block: int) -> list[bytes]:
        """The leaves of a block."""
        if self.width(block) < WIDTH:
            return self._last
        if self._read[0] != block:
            self._read = block, self.reader.entries(block)
        return self._read[1]

    def raw(self, index: int) -> bytes:
        """One leaf."""
        block, at = divmod(index, WIDTH)
        return self.entries(block)[at]

    def leaves(self, start: int, end: int) -> Iterator[Leaf]:
        """Those from `start` up to `end`, which is not there any more."""
        for block in range(start // WIDTH, -(-end // WIDTH)):
            if block * WIDTH < self.reader.begin:  # pruned
                continue
            for index, raw in enumerate(self.entries(block), block * WIDTH):
                if start <= index < end:
                    yield Leaf(self.epoch, index, raw, _DECODE.decode(raw))

    def block_at(self, time_ns: int) -> int:
        """The block in front of the first that begins with a younger leaf; the first that is here when all are.

        Every block before that is looked at, not halves of them: a clock that was set back for a moment would lead past
        what it hides.
        """
        first = self.reader.begin // WIDTH
        younger = (block for block in range(first, self.blocks) if self._time(block * WIDTH) > time_ns)
        return max(next(younger, self.blocks) - 1, first)

    def _last_at(self, time_ns: int) -> int:
        """The last block that begins with a leaf that is not younger; the first that is here when none does."""
        first = self.reader.begin // WIDTH
        blocks = range(self.blocks - 1, first - 1, -1)
        return next((block for block in blocks if self._time(block * WIDTH) <= time_ns), first)

    def last_ns(self) -> int:
        """When its youngest leaf was written, as far as the last blocks tell: a clock may have been set back since."""
        start = max(self.reader.begin, (self.blocks - 2) * WIDTH, 0)
        return max((leaf.time_ns for leaf in self.leaves(start, self.tree.size)), default=0)

    def span(self, since_ns: int, until_ns: int, size: int) -> Span:
        """What belongs to a period, as far as the first `size` leaves tell; `first == end` when nothing does."""
        low = self.block_at(max(since_ns - SLACK_NS, 0))
        inside = (leaf.at for leaf in self.leaves(low * WIDTH, size) if leaf.time_ns >= since_ns)
        first = next(inside, max(size, low * WIDTH))
        last = min(size, (self._last_at(until_ns + SLACK_NS) + 1) * WIDTH)
        end = next((index + 1 for index in range(last - 1, first - 1, -1) if self._time(index) < until_ns), first)
        return Span(low, self.last_block(until_ns, end), first, end)

    def last_block(self, until_ns: int, end: int) -> int:
        """The block behind those whose leaves show that nothing of a period is left out."""
        return max(min(self.blocks, self._last_at(until_ns + SLACK_NS) + 2), -(-end // WIDTH))

    def begins_ns(self) -> int:
        """When the first leaf that is here was written."""
        return self._time(self.reader.begin)

    def _time(self, index: int) -> int:
        return Leaf(self.epoch, index, b"", _DECODE.decode(self.raw(index))).time_ns

    def proof(self, index: int) -> bytes:
        """The proof of a leaf as a file (C2SP tlog-proof)."""
        path = tuple(inclusion_proof(self.node, index, self.tree.size))
        return format_proof(self.raw(index), index, path, self.note)

    def _bundle(self, block: int) -> bytes:
        return join_entries(self.entries(block))

    def _checkpoint(self) -> bytes:
        return self.note

    def parts(self, span: Span, earlier: list[bytes]) -> dict[str, Content]:
        """Files of the package: checkpoint, key, the tiles, the entries of the span, proofs for earlier checkpoints."""
        folder = self.folder
        verifier = self.reader.verifier
        pem = Ed25519PublicKey.from_public_bytes(verifier.public).public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        parts: dict[str, Content] = {
            f"{folder}checkpoint": self._checkpoint,
            f"{folder}key.pub": partial(same, f"{verifier.encode()}\n".encode()),
            f"{folder}key.pem": partial(same, pem),
        }
        for tile in tiles_of(self.tree.size):
            if tile.level or tile.width != WIDTH or span.low <= tile.number < span.high:
                parts[folder + tile_path(tile)] = partial(self.tile, tile)
        for block in range(span.low, span.high):
            name = folder + bundle_path(block, self.width(block))
            parts[name] = partial(self._bundle, block)
        for anchor in anchors_of(self.reader.prefix):
            parts[f"{folder}anchors/{anchor.name}.tsr"] = partial(same, anchor.token)
            parts[f"{folder}anchors/{anchor.name}.checkpoint"] = partial(same, anchor.checkpoint)
        for note in earlier:
            if not note.startswith(f"{verifier.name}\n".encode()):
                continue
            old = open_checkpoint(note, verifier)
            if 0 < old.size < self.tree.size:
                siblings = "".join(f"{b64(each)}\n" for each in consistency_proof(self.node, old.size, self.tree.size))
                name = f"{folder}earlier/{old.size}"
                parts[f"{name}.checkpoint"] = partial(same, note)
                parts[f"{name}.consistency"] = partial(same, siblings.encode())
        return parts


def kept_checkpoints(data_dir: Path, epoch: int) -> list[bytes]:
    """Checkpoints of earlier exports and of time-stamps, and the last ones that witnesses cosigned. Raises OSError."""
    kept = [path.read_bytes() for path in sorted((data_dir / "exports" / str(epoch)).glob("*.checkpoint"))]
    prefix = data_dir / "log" / str(epoch)
    stamped = [anchor.checkpoint for anchor in anchors_of(prefix) if anchor.checkpoint]
    return [*kept, *stamped, *(note for _, note in cosigned_notes(prefix) if note)]
