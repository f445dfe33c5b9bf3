"""How long evidence is kept: what there is by age, and what would go if everything older than a time were pruned.

Pruning takes whole bundles of 256 leaves from the front, with the bodies that no leaf behind them names. Hashes stay,
so that the tree, its root and every proof of a kept leaf stay what they were.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gateway.evidence.head import epochs_with_head
from gateway.evidence.leaf import NAMED, decode_leaf
from gateway.evidence.objects import Objects
from gateway.evidence.pruned import Kept, decode_kept
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.tiles import WIDTH
from gateway.evidence.view import View
from gateway.evidence.wal import first_leaf, segments
from gateway.evidence.walk import Walk

DAY_NS: Final = 86_400 * 1_000_000_000


class Pruning(msgspec.Struct, frozen=True, kw_only=True):
    """What would go of one epoch, and what is kept of it."""

    epoch: int
    begin: int
    """leaves that are gone already"""
    size: int
    """leaves that are gone afterwards, a multiple of 256"""
    until_ns: int
    """time of the youngest leaf that goes"""
    root: str
    """of the tree of `size` leaves, hex"""
    entries_bytes: int
    bodies: tuple[str, ...]
    """hex digests of the bodies that only these leaves name"""
    bodies_bytes: int
    kept: Kept


class EpochAges(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch's part of the report."""

    epoch: int
    origin: str
    size: int
    pruned: int
    """leaves whose content is gone, as a leaf says"""
    oldest_ns: int | None
    """time of the oldest leaf whose content is here; null when there is none"""
    newest_ns: int | None
    older_than_hot: int
    """leaves here"""
    older_than_total: int
    """leaves here: these are due"""


class RetentionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept, by age. Times in nanoseconds."""

    at_ns: int
    hot_ns: int
    total_ns: int
    epochs: tuple[EpochAges, ...]
    complete: bool
    """nothing is missing but what was pruned by a recorded order or rule"""


def retention_report(data_dir: Path, *, now_ns: int, hot_ns: int, total_ns: int) -> RetentionReport:
    """By looking at times only; reads few leaves. Raises OSError, ValueError."""
    readers = open_epochs(data_dir)
    present = {reader.epoch for reader in readers}
    return RetentionReport(
        at_ns=now_ns,
        hot_ns=hot_ns,
        total_ns=total_ns,
        epochs=tuple(_ages(reader, now_ns - hot_ns, now_ns - total_ns) for reader in readers),
        complete=set(epochs_with_head(data_dir / "keys")) <= present,
    )


def _ages(reader: LogReader, hot_before: int, total_before: int) -> EpochAges:
    view = View(reader)
    times = [int(decode_leaf(view.leaf(index)).t) for index in (view.begin, view.size - 1) if index < view.size]
    return EpochAges(
        epoch=reader.epoch,
        origin=reader.verifier.name,
        size=view.size,
        pruned=view.begin,
        oldest_ns=times[0] if times else None,
        newest_ns=times[-1] if times else None,
        older_than_hot=view.older_than(hot_before) - view.begin,
        older_than_total=view.older_than(total_before) - view.begin,
    )


def plan(data_dir: Path, before_ns: int) -> list[Pruning]:
    """What would go if everything older than that went. Reads every leaf; raises OSError, ValueError."""
    views = [View(reader) for reader in open_epochs(data_dir)]
    parts = [(view, _part(view, before_ns)) for view in views]
    needed: set[bytes] = set()
    for view, part in parts:
        needed.update(bytes.fromhex(digest) for _, leaf in view.upwards(part.size) for digest in names_of(leaf))
    return [_with_bodies(part, needed, data_dir) for _, part in parts if part.size > part.begin]


def _part(view: View, before_ns: int) -> Pruning:
    """Whole bundles from the front, as long as every leaf in them is older; the segment being written keeps its own."""
    reader = view.reader
    held = min(map(first_leaf, segments(reader.prefix / "wal")), default=view.signed)
    last = min(view.signed, held) // WIDTH
    kept = _kept_before(reader)
    walk = Walk(reader.verifier.name, kept.walk if kept else None)
    size, until, length, bodies = view.begin, 0, 0, dict[str, None]()
    for number in range(view.begin // WIDTH, last):
        leaves = view.block(number)
        youngest = max(int(decode_leaf(leaf).t) for leaf in leaves)
        if youngest >= before_ns:
            break
        for index, leaf in enumerate(leaves, number * WIDTH):
            walk.leaf(index, leaf)
        bodies.update(dict.fromkeys(digest for digest, _ in walk.take_bodies()))
        size, until = (number + 1) * WIDTH, max(until, youngest)
        length += sum(len(leaf) + 2 for leaf in leaves)
    return Pruning(
        epoch=reader.epoch,
        begin=view.begin,
        size=size,
        until_ns=until,
        root=reader.root_of(size).hex(),
        entries_bytes=length,
        bodies=tuple(bodies),
        bodies_bytes=0,
        kept=Kept(size=size, walk=walk.state(), previous=walk.previous or (kept.previous if kept else None)),
    )


def _kept_before(reader: LogReader) -> Kept | None:
    """What the last pruning kept of the walk. Raises ValueError when it is not there."""
    mark = reader.mark
    if mark is None:
        return None
    other = reader if mark.epoch == reader.epoch else reader.sibling(mark.epoch)
    digest = decode_leaf(View(other).leaf(mark.leaf)).bodies().get("body", "")
    body = reader.body(digest)
    if body is None:
        raise ValueError("what the last pruning kept is missing")
    return decode_kept(body)


def _with_bodies(part: Pruning, needed: set[bytes], data_dir: Path) -> Pruning:
    """Without the bodies that somebody else needs."""
    objects = Objects(data_dir / "objects")
    alone = [digest for digest in part.bodies if bytes.fromhex(digest) not in needed]
    sizes = [_size(objects.path(digest)) for digest in alone]
    return msgspec.structs.replace(part, bodies=tuple(alone), bodies_bytes=sum(sizes))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class _Names(msgspec.Struct, frozen=True, gc=False):
    """The part of a leaf that names bodies."""

    in_: str = msgspec.field(default="", name="in")
    out: str = ""
    body: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")


_NAMES: Final = msgspec.json.Decoder(_Names)


def names_of(leaf: bytes) -> Iterator[str]:
    """Hex digests of the bodies a leaf names. Raises msgspec.DecodeError."""
    names = _NAMES.decode(leaf)
    moved = bytes(names.data)
    for name in (names.in_, names.out, names.body, moved[1:-1].decode() if moved[:1] == b'"' else ""):
        if name:
            yield name.removeprefix(NAMED)
