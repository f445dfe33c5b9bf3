"""The log of a package: entries → leaf hashes → tiles → the root that was signed; and what the leaves tell in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import NamedTuple

from gateway.evidence.package.verifier.archive import Archive
from gateway.evidence.package.verifier.findings import (
    Broken,
    Finding,
    decimal,
    listed,
    mapping,
    need,
    number,
    parsed,
    text,
    unbase64,
)
from gateway.evidence.package.verifier.signed import HASH, Key, checkpoint_of
from gateway.evidence.package.verifier.tree import (
    WIDTH,
    consistent,
    included,
    leaf_hash,
    proof_of,
    root_of,
    split_entries,
    tile_name,
)

SLACK_NS = 60 * 10**9
"""how far a clock may have been set back without a leaf of the period standing outside the entries of a package"""
LATE_NS = 15 * 10**9
DECIDED = "statement.decided"
_SPANS = 4
"""numbers: first block of entries, the block behind the last; first leaf of the period, the leaf behind the last"""


class Leaf(NamedTuple):
    """One leaf of the package's entries."""

    epoch: int
    at: int
    raw: bytes
    said: dict[str, object]

    @property
    def kind(self) -> str:
        """Its type."""
        return text(self.said.get("type"))

    @property
    def time_ns(self) -> int:
        """Since the epoch of Unix; -1 when it does not say."""
        return decimal(self.said.get("t"))

    @property
    def where(self) -> str:
        """For findings."""
        return f"epoch {self.epoch}, leaf {self.at}"

    def facts(self) -> dict[str, object]:
        """`data`; empty when a body holds it."""
        return mapping(self.said.get("data"))


class Epoch:
    """One epoch of the log, as far as the package has it. Methods raise Broken."""

    def __init__(self, archive: Archive, told: dict[str, object], key: Key) -> None:
        self.number = number(told.get("epoch"))
        self.folder = f"log/{self.number}/"
        self.key = key
        self._archive = archive
        self.note = archive.read(f"{self.folder}checkpoint")
        self.tree = checkpoint_of(self.note, key, f"{self.folder}checkpoint")
        same = (told.get("size"), told.get("root")) == (self.tree.size, self.tree.root.hex())
        need(same, "checkpoint.other", f"{self.folder}checkpoint", "it is not the one the manifest names")
        spans = [number(each) for each in [*listed(told.get("blocks")), *listed(told.get("leaves"))]]
        need(len(spans) == _SPANS, "manifest.unreadable", "MANIFEST.json", "a log without its spans")
        self.low, self.high, self.first, self.end = spans
        last = -(-self.tree.size // WIDTH)
        ordered = 0 <= self.low <= self.high <= last and self.low * WIDTH <= self.first <= self.end
        fits = ordered and self.end <= min(self.high * WIDTH, self.tree.size)
        need(fits, "manifest.unreadable", "MANIFEST.json", "a log whose spans cannot be")
        self._hashes: dict[tuple[int, int], list[bytes]] = {}

    def check_tree(self) -> None:
        """Every tile above the leaves is what those below it give, and the root is the signed one."""
        below: list[bytes] = []
        level, count = 0, self.tree.size
        while count:
            full, rest = divmod(count, WIDTH)
            nodes = [*(self._tile(level, full, rest) if rest else []), *below]
            below = [root_of(nodes)] if nodes else []
            for each in range(full if level else 0):
                self._fits(level, each, root_of(self._tile(level, each)))
            count, level = full, level + 1
        where = f"{self.folder}checkpoint"
        need(root_of(below) == self.tree.root, "root.mismatch", where, "the tiles are not of the tree that was signed")

    def leaves(self) -> Iterator[Leaf]:
        """Every leaf of the entries, its hash compared with its tile's and the tile's with the one above."""
        for block in range(self.low, self.high):
            width = min(WIDTH, self.tree.size - block * WIDTH)
            name = self.folder + tile_name("entries", block, width)
            entries = split_entries(self._archive.read(name), width, name)
            held = self._tile(0, block, width)
            if width == WIDTH:
                self._fits(0, block, root_of(held))
            for index, raw in enumerate(entries, block * WIDTH):
                where = f"epoch {self.number}, leaf {index}"
                need(
                    leaf_hash(raw) == held[index % WIDTH], "entries.mismatch", where, "its tile has another hash for it"
                )
                yield Leaf(self.number, index, raw, parsed(raw, where, "leaf.unreadable"))

    def check_begin(self, since: int) -> None:
        """Of the first epoch of a package: it is the log's first, or it began before the period."""
        if self.low == 0 and self.high:
            name = self.folder + tile_name("entries", 0, min(WIDTH, self.tree.size))
            first = parsed(split_entries(self._archive.read(name), min(WIDTH, self.tree.size), name)[0], name)
            alone = "previous" not in mapping(first.get("data")) or decimal(first.get("t")) <= since - SLACK_NS
            need(alone, "period.uncovered", self.folder, "an epoch of the log before this one is missing")

    def check_edges(self, since: int, until: int) -> None:
        """No leaf of the period stands before or behind the entries."""
        if self.low:
            early = self._first_time(self.low)
            need(early <= since - SLACK_NS, "period.uncovered", self.folder, "entries before the period are missing")
        if self.high * WIDTH < self.tree.size:
            late = self._first_time(self.high - 1) if self.high > self.low else -1
            need(late > until + SLACK_NS, "period.uncovered", self.folder, "entries behind the period are missing")

    def check_earlier(self) -> dict[str, bytes]:
        """Checkpoints of this log that were signed before are beginnings of this one. Their names and notes."""
        names = [name for name in self._archive.under(f"{self.folder}earlier/") if name.endswith(".checkpoint")]
        notes = {name: self._archive.read(name) for name in names}
        for name, note in notes.items():
            old = checkpoint_of(note, self.key, name)
            path = self._archive.read(f"{name[: -len('.checkpoint')]}.consistency").decode("latin-1").splitlines()
            siblings = [unbase64(line, name, "consistency.invalid") for line in path]
            holds = consistent(old, self.tree, siblings)
            need(holds, "consistency.invalid", name, "it is no beginning of the log in this package")
        return notes

    def check_anchors(self) -> None:
        """Each time-stamp is over the checkpoint beside it. Whether its authority is to be trusted openssl can say."""
        for name in self._archive.under(f"{self.folder}anchors/"):
            if name.endswith(".tsr"):
                note = self._archive.read(f"{name[: -len('.tsr')]}.checkpoint")
                checkpoint_of(note, self.key, name)
                token = self._archive.read(name)
                over = any(
                    hashlib.new(hash_name, note).digest() in token for hash_name in ("sha256", "sha384", "sha512")
                )
                need(over, "anchor.mismatch", name, "the time-stamp is not over the checkpoint beside it")

    def proved(self, name: str) -> Leaf:
        """The leaf of a proof file, once the proof holds under this epoch's checkpoint."""
        proof = proof_of(self._archive.read(name), name)
        need(proof.note == self.note, "proof.invalid", name, "it is under another checkpoint than the package's")
        holds = included(proof.leaf, proof.at, self.tree, proof.path)
        need(holds, "proof.invalid", name, f"the leaf is not number {proof.at} of the tree that was signed")
        return Leaf(self.number, proof.at, proof.leaf, parsed(proof.leaf, name, "leaf.unreadable"))

    def follows(self, before: Epoch) -> None:
        """The first leaf of an epoch names the checkpoint of the one before."""
        first = self.proved(f"{self.folder}opened.tlog-proof")
        named = mapping(first.facts().get("previous"))
        tree = before.tree
        same = (named.get("origin"), named.get("size"), named.get("root")) == (tree.origin, tree.size, tree.root.hex())
        need(first.at == 0 and same, "epoch.unlinked", first.where, "it does not name the end of the epoch before")

    def _first_time(self, block: int) -> int:
        width = min(WIDTH, self.tree.size - block * WIDTH)
        name = self.folder + tile_name("entries", block, width)
        return decimal(parsed(split_entries(self._archive.read(name), width, name)[0], name).get("t"))

    def _fits(self, level: int, block: int, root: bytes) -> None:
        above = self._hash(level + 1, block)
        name = self.folder + tile_name(str(level), block)
        need(root == above, "tile.mismatch", name, "the tile above it has another hash for it")

    def _hash(self, level: int, index: int) -> bytes:
        block, at = divmod(index, WIDTH)
        width = min(WIDTH, (self.tree.size >> 8 * level) - block * WIDTH)
        if (level, block) not in self._hashes:
            self._hashes[level, block] = self._tile(level, block, width)
        return self._hashes[level, block][at]

    def _tile(self, level: int, block: int, width: int = WIDTH) -> list[bytes]:
        name = self.folder + tile_name(str(level), block, width)
        raw = self._archive.read(name)
        need(len(raw) == width * HASH, "tile.mismatch", name, f"it does not hold {width} hashes")
        return [raw[at : at + HASH] for at in range(0, len(raw), HASH)]


class Walk:
    """Goes along the leaves: numbers in a session without a gap, heartbeats, what the log says of itself."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.shredded: set[str] = set()
        self._next: dict[tuple[int, str], int] = {}
        self._beat = 0

    def leaf(self, leaf: Leaf) -> None:
        """Take in the next one."""
        sid, kind = text(leaf.said.get("sid")), leaf.kind
        seq, key = number(leaf.said.get("seq")), (leaf.epoch, text(leaf.said.get("sid")))
        begins = kind == "session.opened" or (not sid and kind == "log.opened")
        wanted = 1 if begins else self._next.get(key, seq)
        if seq != wanted:
            name = "session.gap" if seq > wanted else "session.repeated"
            self._find(name, leaf, f"{sid or 'the gateway'}: number {seq} where {wanted} was due")
        self._next[key] = seq + 1
        if not sid:
            self._own(leaf)

    def _own(self, leaf: Leaf) -> None:
        kind = leaf.kind
        if kind in {"heartbeat", "log.closed"}:
            late = leaf.time_ns - self._beat if self._beat else 0
            if late > LATE_NS:
                self._find("heartbeat.late", leaf, f"{late // 10**9} s without a heartbeat")
        if kind in {"heartbeat", "log.opened", "log.degraded"}:
            self._beat = leaf.time_ns
        if kind == "log.closed":
            self._beat = 0
        if kind in {"log.degraded", "log.recovered", "clock.jumped"}:
            self._find(kind, leaf, json.dumps(leaf.facts(), sort_keys=True))
        if kind == "body.shredded":
            self.shredded |= {name for name, gone in leaf.facts().items() if gone is True}

    def _find(self, name: str, leaf: Leaf, said: str) -> None:
        self.findings.append(Finding(name, leaf.where, said))


def epoch_holding(epochs: list[Epoch], checkpoint: bytes, where: str) -> Epoch:
    """The epoch whose checkpoint this is."""
    for epoch in epochs:
        if epoch.note == checkpoint:
            return epoch
    raise Broken("proof.invalid", where, "it is under a checkpoint that the package does not have")
