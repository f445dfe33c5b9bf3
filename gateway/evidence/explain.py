"""Everything the log knows of one decision: leaf, stored documents, how it ended, its bundle's activation, a proof."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from gateway.core.events import EventType
from gateway.evidence.leaf import NAMED, Leaf, decode_leaf
from gateway.evidence.merkle import inclusion_proof, leaf_hash, verify_inclusion
from gateway.evidence.note import Checkpoint, Verifier
from gateway.evidence.search import SLACK_NS
from gateway.evidence.tiles import WIDTH
from gateway.evidence.view import View, open_views

_TIME_ORDERED: Final = 7
_ACTIVATED: Final = frozenset({EventType.BUNDLE_ACTIVATED, EventType.BUNDLE_ROLLED_BACK})


class Placed(NamedTuple):
    """A leaf and where it stands."""

    number: int
    leaf: Leaf


class Proof(NamedTuple):
    """That a leaf stands in the tree that was signed."""

    checkpoint: Checkpoint
    path: tuple[bytes, ...]
    """siblings from the leaf up (RFC 6962, §2.1.1); empty for a leaf that is not signed yet"""
    signed: bool
    """the leaf is under the checkpoint; without it the leaf is binding for the gateway, but not proved"""
    holds: bool


class Story(NamedTuple):
    """What the log tells of one decision."""

    epoch: int
    decided: Placed
    finished: Placed | None
    activated: Placed | None
    """the leaf that last put the decision's bundle in force before it"""
    input: bytes | None
    """the canonical document that was evaluated; None when policy was not asked, or it was shredded"""
    answer: bytes | None
    proof: Proof
    note: bytes
    """the signed checkpoint the proof is under"""
    raw: bytes
    """the decision's leaf, as it is written"""


def tell(data_dir: Path, did: str, verifier: Verifier | None = None) -> Story | None:
    """The story of a decision; None when there is none. FileNotFoundError without a log; OSError, ValueError."""
    for view in open_views(data_dir, verifier):
        decided = _find(view, did)
        if decided is not None:
            return _story(view, decided, _finished(view, decided), _activated(view, decided))
    return None


def tell_at(view: View, decided: int, finished: int | None, activated: int | None) -> Story:
    """The story of the decision at a leaf, by where somebody says its end and its bundle's activation are.

    What is not said is looked for; what is said must be so: ValueError. OSError.
    """
    placed = _placed(view, decided)
    end = _finished(view, placed) if finished is None else _placed(view, finished)
    force = _activated(view, placed) if activated is None else _placed(view, activated)
    if placed.leaf.type != EventType.STATEMENT_DECIDED:
        raise ValueError(f"leaf {decided} is no decision")
    if end is not None and (end.leaf.type != EventType.STATEMENT_FINISHED or end.leaf.did != placed.leaf.did):
        raise ValueError(f"leaf {finished} does not say how {placed.leaf.did} ended")
    if force is not None and not (force.leaf.type in _ACTIVATED and force.leaf.bundle == placed.leaf.bundle):
        raise ValueError(f"leaf {activated} did not bring its bundle into force")
    return _story(view, placed, end, force)


def _placed(view: View, number: int) -> Placed:
    return Placed(number, decode_leaf(view.leaf(number)))


def _story(view: View, decided: Placed, finished: Placed | None, activated: Placed | None) -> Story:
    return Story(
        epoch=view.reader.epoch,
        decided=decided,
        finished=finished,
        activated=activated,
        input=_body(view, decided.leaf.in_),
        answer=_body(view, decided.leaf.out),
        proof=prove(view, decided.number),
        note=view.reader.note,
        raw=view.leaf(decided.number),
    )


def knows(view: View, did: str) -> bool:
    """Whether a log has a decision of this id: reads all of it when it has none. Raises OSError and ValueError."""
    return _find(view, did) is not None


def prove(view: View, index: int) -> Proof:
    """Inclusion of a leaf under the checkpoint, made from the tiles and verified. Raises OSError and ValueError."""
    checkpoint = view.reader.checkpoint
    if index >= checkpoint.size:
        return Proof(checkpoint, (), signed=False, holds=False)
    path = inclusion_proof(view.reader.node(), index, checkpoint.size)
    hashed = leaf_hash(view.leaf(index))
    holds = verify_inclusion(hashed, index, checkpoint.size, path, checkpoint.root)
    return Proof(checkpoint, tuple(path), signed=True, holds=holds)


def _find(view: View, did: str) -> Placed | None:
    """The decision's leaf: first where its id says it should be, then everywhere."""

    def is_it(leaf: Leaf) -> bool:
        return leaf.did == did and leaf.type == EventType.STATEMENT_DECIDED

    start_ns = _time_of(did)
    if start_ns is not None and view.blocks:
        start = view.block_at(start_ns - SLACK_NS) * WIDTH
        found = _first(view.upwards(start), did.encode(), is_it)
        if found is not None:
            return found
    return _first(view.downwards(view.size), did.encode(), is_it)


def _finished(view: View, decided: Placed) -> Placed | None:
    """How it ended: read up to the end of its session."""
    did, sid = decided.leaf.did, decided.leaf.sid

    def is_last(leaf: Leaf) -> bool:
        over = leaf.type == EventType.SESSION_CLOSED and leaf.sid == sid
        return over or (leaf.type == EventType.STATEMENT_FINISHED and leaf.did == did)

    leaves = view.upwards(decided.number + 1)
    found = _first(leaves, (sid or did).encode(), is_last)
    return found if found is not None and found.leaf.did == did else None


def _activated(view: View, decided: Placed) -> Placed | None:
    bundle = decided.leaf.bundle

    def is_it(leaf: Leaf) -> bool:
        return leaf.type in _ACTIVATED and leaf.bundle == bundle

    return _first(view.downwards(decided.number), bundle.encode(), is_it) if bundle else None


def _first(leaves: Iterator[tuple[int, bytes]], part: bytes, is_it: Callable[[Leaf], bool]) -> Placed | None:
    """The first leaf that has the bytes (a quick look), and then is what is looked for."""
    for number, data in leaves:
        if part in data and is_it(leaf := decode_leaf(data)):
            return Placed(number, leaf)
    return None


def _time_of(did: str) -> int | None:
    """Nanoseconds at which a version 7 UUID was made (RFC 9562, §5.7); None for any other text."""
    try:
        value = UUID(did)
    except ValueError:
        return None
    return (value.int >> 80) * 1_000_000 if value.version == _TIME_ORDERED else None


def _body(view: View, name: str) -> bytes | None:
    return view.reader.body(name.removeprefix(NAMED)) if name else None
