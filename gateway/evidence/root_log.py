"""The root log: a log whose leaves are the checkpoints of other logs, so that one signed tree stands over a fleet.

Each gateway writes its own log with its own key and waits for nobody. Now and then somebody collects: the newest
checkpoint of each log is verified by that log's key, compared with the one collected before (the tree must have grown
and must still contain it), and becomes a leaf `checkpoint.collected` that names the note. A checkpoint that does not
fit becomes `checkpoint.refused`. A leaf of a gateway is then proved by two paths: from the leaf to a collected
checkpoint, and from that checkpoint's leaf to the root log's own.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.core.clock import Clock
from gateway.core.events import Event, EventType
from gateway.evidence.leaf import Leaf, decode_leaf
from gateway.evidence.note import Checkpoint, NoteError, Verifier, open_checkpoint
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.view import View
from gateway.evidence.walk import Finding

NAME: Final = "root.querywarden.local"
"""begins the origin of a root log"""
_COLLECTED: Final = EventType.CHECKPOINT_COLLECTED.value
_REFUSED: Final = EventType.CHECKPOINT_REFUSED.value


class Collected(NamedTuple):
    """A checkpoint in the root log."""

    number: int
    """of its leaf"""
    key: str
    checkpoint: Checkpoint
    note: bytes


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one log when it was collected."""

    origin: str
    size: int
    outcome: str
    """collected, unchanged, or refused"""
    why: str = ""


class _Facts(msgspec.Struct, frozen=True):
    """Of a leaf `checkpoint.collected`."""

    origin: str
    key: str
    size: int
    root: str


def is_root(origin: str) -> bool:
    """Whether a log of that name is a root log."""
    return origin.startswith(NAME)


async def collect(root: Path, folders: Sequence[Path], clock: Clock) -> list[Result]:
    """Take the newest checkpoint of every log in these data folders. Raises Unavailable, OSError."""
    recorder = await Recorder.open(root, clock, name=NAME)
    try:
        last = {each.checkpoint.origin: each for each in collected(root)}
        readers = [reader for folder in folders for reader in open_epochs(folder)]
        results = []
        for reader in readers:
            result, taken = await _take(recorder, reader, last)
            results.append(result)
            last |= {taken.checkpoint.origin: taken} if taken else {}
        await recorder.checkpoint()
    finally:
        await recorder.close()
    return results


async def _take(recorder: Recorder, reader: LogReader, last: dict[str, Collected]) -> tuple[Result, Collected | None]:
    """One log; what was collected of it. Raises Unavailable."""
    try:
        verifier, note = reader.verifier, reader.note
        checkpoint = open_checkpoint(note, verifier)
    except (OSError, ValueError) as error:
        why = str(error) if isinstance(error, NoteError) else type(error).__name__
        return await _refuse(recorder, f"epoch {reader.epoch}", 0, why), None
    before = last.get(checkpoint.origin)
    why = _trouble(reader, checkpoint, before)
    if why:
        return await _refuse(recorder, checkpoint.origin, checkpoint.size, why), None
    if before is not None and before.checkpoint.size == checkpoint.size:
        return Result(origin=checkpoint.origin, size=checkpoint.size, outcome="unchanged"), None
    facts = _Facts(checkpoint.origin, verifier.encode(), checkpoint.size, checkpoint.root.hex())
    data: dict[str, object] = msgspec.to_builtins(facts)
    event = Event(type=EventType.CHECKPOINT_COLLECTED, data=data, bodies={"body": note}, durable=True)
    receipt = await recorder.append(event)
    taken = Collected(receipt.leaf, facts.key, checkpoint, note)
    return Result(origin=checkpoint.origin, size=checkpoint.size, outcome="collected"), taken


def _trouble(reader: LogReader, checkpoint: Checkpoint, before: Collected | None) -> str:
    """Why this checkpoint cannot follow the one before; empty when it does."""
    if before is None:
        return ""
    if before.key != reader.verifier.encode():
        return "it is signed by another key than the one before"
    return _does_not_contain(reader, checkpoint, before.checkpoint)


def _does_not_contain(reader: LogReader, checkpoint: Checkpoint, before: Checkpoint) -> str:
    """Why the tree as its tiles show it does not contain an older one; empty when it does."""
    if checkpoint.size < before.size:
        return f"it has {checkpoint.size} leaves; {before.size} were collected before"
    try:
        if reader.root_of(checkpoint.size) != checkpoint.root:
            return "its tiles do not give its root"
        if reader.root_of(before.size) != before.root:
            return f"it does not contain the tree of {before.size} leaves that was collected before"
    except (OSError, ValueError):
        return "its tiles cannot be read"
    return ""


async def _refuse(recorder: Recorder, origin: str, size: int, why: str) -> Result:
    data: dict[str, object] = {"origin": origin, "size": size, "why": why}
    await recorder.append(Event(type=EventType.CHECKPOINT_REFUSED, ok=False, data=data, durable=True))
    return Result(origin=origin, size=size, outcome="refused", why=why)


def collected(root: Path) -> Iterator[Collected]:
    """Every checkpoint that was collected, the oldest first. Raises OSError, ValueError."""
    for reader in open_epochs(root):
        for index, leaf in _leaves(reader):
            if leaf.type == _COLLECTED:
                yield _read(reader, index, leaf)


def _leaves(reader: LogReader) -> Iterator[tuple[int, Leaf]]:
    return ((index, decode_leaf(raw)) for index, raw in View(reader).upwards(0) if b'"checkpoint.' in raw)


def _read(reader: LogReader, index: int, leaf: Leaf) -> Collected:
    """What a leaf says, held against the note it names. Raises ValueError, OSError."""
    facts = msgspec.convert(leaf.facts(), _Facts)
    note = reader.body(leaf.bodies().get("body", ""))
    if note is None:
        raise ValueError("its note is missing")
    checkpoint = open_checkpoint(note, Verifier.decode(facts.key))
    if (checkpoint.origin, checkpoint.size, checkpoint.root.hex()) != (facts.origin, facts.size, facts.root):
        raise ValueError("it says another thing than its note")
    return Collected(index, facts.key, checkpoint, note)


def root_findings(readers: Sequence[LogReader], replicas: Sequence[Path]) -> list[Finding]:
    """What is to be said of a root log's epochs; nothing of other logs. What cannot be read has been said already."""
    found: list[Finding] = []
    for reader in readers:
        try:
            if is_root(reader.verifier.name):
                found += check_root(reader, replicas)
        except (OSError, ValueError, IndexError):
            continue
    return found


def check_root(reader: LogReader, replicas: Sequence[Path]) -> list[Finding]:
    """Whether what was collected fits together, and is contained in the logs of these data folders. Raises OSError."""
    found: list[Finding] = []
    last: dict[str, Collected] = {}
    logs = {log.verifier.name: log for folder in replicas for log in open_epochs(folder)}
    for index, leaf in _leaves(reader):
        where = f"leaf {index}"
        if leaf.type == _REFUSED:
            facts = leaf.facts()
            found.append(Finding("root.refused", where, f"a checkpoint of {facts.get('origin')}: {facts.get('why')}"))
        elif leaf.type == _COLLECTED:
            try:
                one = _read(reader, index, leaf)
            except ValueError as error:
                found.append(Finding("root.signature", where, str(error)))
                continue
            origin = one.checkpoint.origin
            found += _compare(one, last.get(origin), logs.get(origin))
            last[origin] = one
    missing = sorted(set(last) - set(logs))
    text = "its checkpoints are signed and grow; they were not compared with the log itself (--replica)"
    return found + [Finding("root.unchecked", origin, text, grave=False) for origin in missing]


def _compare(one: Collected, before: Collected | None, log: LogReader | None) -> Iterator[Finding]:
    where, checkpoint = f"leaf {one.number}", one.checkpoint
    if before is not None and (before.key != one.key or before.checkpoint.size >= checkpoint.size):
        yield Finding("root.backwards", where, f"{checkpoint.origin}: another key, or no more leaves than before")
    if log is None:
        return
    try:
        why = _does_not_contain(log, log.checkpoint, checkpoint)
    except (OSError, ValueError) as error:
        why = f"its checkpoint cannot be read ({type(error).__name__})"
    if why:
        yield Finding("root.fork", where, f"{checkpoint.origin}: {why}")
