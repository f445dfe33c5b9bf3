"""Where a verification begins: at the first leaf, at the first that was not pruned, or at the first that is new."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.core.clock import moment
from gateway.core.events import EventType
from gateway.evidence.leaf import LeafError, decode_leaf
from gateway.evidence.note import Checkpoint
from gateway.evidence.pruned import Kept, Mark, decode_kept
from gateway.evidence.reader import LogReader
from gateway.evidence.tiles import WIDTH, Edge, Tile, split_hashes, tile_path
from gateway.evidence.verified import Verified
from gateway.evidence.walk import Finding, WalkState

Previous = tuple[int, str] | None
"""size and root of the epoch before, as the first leaf names them"""


class Beginning(NamedTuple):
    """What is known of the leaves that are not read."""

    edge: Edge
    walk: WalkState | None
    previous: Previous
    pruned: int
    """leaves that are gone"""
    taken: int
    """leaves that an earlier run read"""
    found: tuple[Finding, ...]
    tiles: tuple[tuple[Tile, bytes], ...] = ()
    """tiles above pruned leaves, to be compared with what is stored"""


def begin(reader: LogReader, checkpoint: Checkpoint | None, known: Verified | None) -> Beginning:
    """Choose. `known` is what an earlier run verified, when it may be gone on from. Raises nothing but OSError."""
    try:
        mark = reader.mark if checkpoint is not None else None
    except ValueError as error:
        return _nothing(Finding("prune.unrecorded", "pruned", str(error)))
    if mark is None or checkpoint is None:
        return _resumed(known, 0) if known is not None else _nothing()
    kept, finding = _kept(reader, checkpoint, mark)
    if kept is None:
        return _nothing(finding)._replace(pruned=mark.size)
    if known is not None and known.size >= mark.size:
        return _resumed(known, mark.size, finding)
    return _skip(reader, mark.size, Beginning(Edge(), kept.walk, kept.previous, mark.size, 0, (finding,)))


def _nothing(*found: Finding) -> Beginning:
    return Beginning(Edge(), None, None, 0, 0, found)


def _resumed(known: Verified, pruned: int, *found: Finding) -> Beginning:
    when = f"read at {moment(known.since_ns)}"
    if known.at_ns != known.since_ns:
        when = f"read from {moment(known.since_ns)} to {moment(known.at_ns)}"
    text = f"verified before ({when}); no file written since; --full reads them and their bodies again"
    taken = Finding("verify.resumed", f"leaves {pruned} to {known.size - 1}", text, grave=False)
    found = (*found, taken, *known.findings)
    return Beginning(Edge(known.levels), known.walk, known.previous, pruned, known.size - pruned, found)


def _kept(reader: LogReader, checkpoint: Checkpoint, mark: Mark) -> tuple[Kept | None, Finding]:
    """What the signed leaf says of those that are gone. That it is signed is seen when the walk comes to it.

    It stands under the checkpoint, for nothing is removed before it is signed: behind it anybody can write.
    """
    where, other = f"leaves 0 to {mark.size - 1}", reader
    try:
        if mark.epoch != reader.epoch:
            other = reader.sibling(mark.epoch)
            checkpoint = other.checkpoint
        leaf = decode_leaf(_leaf(other, checkpoint, mark.leaf))
        facts, digest = leaf.facts(), leaf.bodies().get("body", "")
        body = reader.body(digest) if digest else None
        kept = decode_kept(body) if body is not None else None
        fits = (facts.get("epoch"), facts.get("size")) == (reader.epoch, mark.size)
        if leaf.type == EventType.LOG_PRUNED and kept is not None and kept.size == mark.size and fits:
            leaf_of = f"leaf {mark.leaf}" if other is reader else f"leaf {mark.leaf} of epoch {mark.epoch}"
            text = f"pruned, recorded in {leaf_of}: {facts.get('reason')}{_age(leaf.t, facts)}; their hashes are here"
            return kept, Finding("log.pruned", where, text, grave=False)
    except (OSError, ValueError):
        pass
    return None, Finding(
        "prune.unrecorded", where, f"they may be gone, but leaf {mark.leaf} of epoch {mark.epoch} does not say so"
    )


def _age(at: str, facts: Mapping[str, object]) -> str:
    """How old the youngest of them was: whoever prunes says why, and the times say whether it is so."""
    until = str(facts.get("until"))
    if not (until.isdecimal() and at.isdecimal()):
        return ""
    legal = ", before its time for a legal reason" if facts.get("legal") is True else ""
    return f" (the youngest was {(int(at) - int(until)) / 86_400e9:.1f} days old{legal})"


def _leaf(reader: LogReader, checkpoint: Checkpoint, index: int) -> bytes:
    """A leaf that was signed. Raises OSError, ValueError."""
    number, at = divmod(index, WIDTH)
    if not 0 <= index < checkpoint.size:
        raise LeafError("no such leaf")
    return reader.entries(number, min(WIDTH, checkpoint.size - number * WIDTH))[at]


def _skip(reader: LogReader, size: int, empty: Beginning) -> Beginning:
    """The hashes of leaves that are gone: each tile must give the hash that stands above it, up to the signed root."""
    edge, above = Edge(), list[tuple[Tile, bytes]]()
    for number in range(size // WIDTH):
        tile = Tile(0, number)
        try:
            hashes = split_hashes(reader.tile(tile))
        except (OSError, ValueError):
            hashes = []
        if len(hashes) != WIDTH:
            missing = Finding("tile.missing", tile_path(tile), "the hashes of leaves that were pruned are not here")
            return empty._replace(edge=edge, found=(*empty.found, missing))
        above += edge.skip(hashes)
    return empty._replace(edge=edge, tiles=tuple(above))
