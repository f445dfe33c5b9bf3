"""Prunes what is older than a time: recorded first, then done; a crash in between is gone on with the next time.

    data_dir/pruning            what is being removed, while it is
    data_dir/log/<epoch>/pruned how much is gone, and which leaf says so

A body may be named again while others are removed: from when the plan is made until it is carried out, the recorder
stores every body it names anew and remembers its digest, and files are removed only when nothing is being laid out.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec

from gateway.core.events import Event, EventType, Who
from gateway.evidence.files import put_file, read_file
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.objects import Objects
from gateway.evidence.pruned import Mark, encode_kept, write_mark
from gateway.evidence.reader import LogReader
from gateway.evidence.recorder import Recorder
from gateway.evidence.retention import Pruning, names_of
from gateway.evidence.tiles import WIDTH, bundle_path
from gateway.evidence.view import View
from gateway.evidence.wal import first_torn

FILE: Final = "pruning"
AT_ONCE: Final = 2000
"""bodies removed while nothing may be laid out"""
_DIGEST: Final = re.compile("[0-9a-f]{64}")


class Order(NamedTuple):
    """Why, and by whose word."""

    reason: str
    by: str = ""
    legal: bool = False
    """inside the time everything is kept: somebody answers for it"""


class _Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The file that says what is being removed."""

    epoch: int
    mark: Mark
    bodies: list[str]


Plan = Callable[[], Sequence[Pruning]]


class Planner(Protocol):
    """Runs a plan where it does not hold up what else is done."""

    async def __call__(self) -> Sequence[Pruning]:
        """Make it. Raises OSError, ValueError."""
        ...


async def prune(recorder: Recorder, data_dir: Path, planner: Planner, order: Order) -> list[Pruning]:
    """Finish what was begun, make the plan, record it, carry it out. Raises Unavailable, OSError, ValueError."""
    await finish(recorder, data_dir)
    named = recorder.watch_bodies()
    try:
        await recorder.checkpoint()  # whatever was named before is in tiles now, and the plan sees it
        done = list(await planner())
        for part in done:
            receipt = await recorder.append(_event(part, order))
            await recorder.checkpoint()
            mark = Mark(size=part.size, leaf=receipt.leaf, epoch=recorder.epoch)
            bodies = [digest for digest in part.bodies if digest not in named]
            begun = _Begun(epoch=part.epoch, mark=mark, bodies=bodies)
            put_file(data_dir / FILE, msgspec.json.encode(begun), sync=True)
            await _carry_out(recorder, data_dir, begun, named)
    finally:
        recorder.watch_bodies(end=True)
    return done


async def finish(recorder: Recorder, data_dir: Path) -> None:
    """Go on with what a crash interrupted. Raises Unavailable, OSError, ValueError."""
    try:
        begun = msgspec.json.decode(read_file(data_dir / FILE), type=_Begun)
    except FileNotFoundError:
        return
    named = recorder.watch_bodies()
    try:
        await recorder.checkpoint()
        view = View(LogReader(data_dir, begun.mark.epoch))
        if not _is_recorded(view, begun):  # somebody else's file: nothing goes by its word
            (data_dir / FILE).unlink(missing_ok=True)
            return
        since = {digest for _, leaf in view.upwards(begun.mark.leaf) for digest in names_of(leaf)}
        left = [digest for digest in begun.bodies if digest not in since and _DIGEST.fullmatch(digest)]
        await _carry_out(recorder, data_dir, msgspec.structs.replace(begun, bodies=left), named)
    finally:
        recorder.watch_bodies(end=True)


def _is_recorded(view: View, begun: _Begun) -> bool:
    """Whether the leaf it names says what is to be removed. Raises OSError, ValueError."""
    try:
        leaf = decode_leaf(view.leaf(begun.mark.leaf))
    except IndexError:
        return False
    facts = leaf.facts()
    return leaf.type == EventType.LOG_PRUNED and (facts.get("epoch"), facts.get("size")) == (
        begun.epoch,
        begun.mark.size,
    )


def _event(part: Pruning, order: Order) -> Event:
    data: dict[str, object] = {
        "epoch": part.epoch,
        "from": part.begin,
        "size": part.size,
        "until": str(part.until_ns),
        "root": part.root,
        "bodies": len(part.bodies),
        "reason": order.reason,
    }
    return Event(
        type=EventType.LOG_PRUNED,
        who=Who(id=order.by) if order.by else None,
        data=data | ({"legal": True} if order.legal else {}),
        bodies={"body": encode_kept(part.kept)},
        durable=True,
    )


async def _carry_out(recorder: Recorder, data_dir: Path, begun: _Begun, named: set[str]) -> None:
    objects, prefix = Objects(data_dir / "objects"), data_dir / "log" / str(begun.epoch)
    write_mark(prefix, begun.mark)
    for start in range(0, len(begun.bodies), AT_ONCE):
        batch = begun.bodies[start : start + AT_ONCE]

        def remove(batch: list[str] = batch) -> None:
            for digest in batch:
                if digest not in named:
                    objects.path(digest).unlink(missing_ok=True)

        await recorder.undisturbed(remove)
    archive = LogReader(data_dir, begun.epoch).archive
    await recorder.undisturbed(lambda: remove_leaves(prefix, begun.mark.size, archive))
    (data_dir / FILE).unlink(missing_ok=True)


def remove_leaves(prefix: Path, size: int, archive: Path | None = None) -> None:
    """The content of the first `size` leaves, wherever it lies; folders that are empty then. Raises OSError."""
    for place in (prefix, archive) if archive else (prefix,):
        for number in range(size // WIDTH):
            (place / bundle_path(number)).unlink(missing_ok=True)
        for folder in _folders(place / "tile/entries"):
            with suppress(OSError):  # not empty
                folder.rmdir()
    for path in (prefix / "wal").glob("*.torn"):
        if first_torn(path) < size:
            path.unlink(missing_ok=True)


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("x*"), reverse=True) if path.is_dir())
