"""One leaf on its way out: its id, which is the same however often it is sent, and the bytes of its format."""

from typing import NamedTuple

import msgspec

from gateway.evidence.leaf import Leaf


class Position(NamedTuple):
    """A place in the log: the number of a leaf of an epoch."""

    epoch: int
    number: int


class Outgoing(NamedTuple):
    """A leaf as a receiver gets it."""

    id: str
    """`origin#index`: what receivers recognise a repeated event by"""
    position: Position
    leaf: Leaf
    payload: bytes
    """UTF-8: a JSON object, or one line of text"""

    @property
    def time_ns(self) -> int:
        """When it happened."""
        return int(self.leaf.t)

    @property
    def after(self) -> Position:
        """The place behind it."""
        return Position(self.position.epoch, self.position.number + 1)

    def as_json(self) -> msgspec.Raw:
        """The payload as a JSON value: itself, or a text."""
        if self.payload.startswith(b"{"):
            return msgspec.Raw(self.payload)
        return msgspec.Raw(msgspec.json.encode(self.payload.decode()))


def event_id(origin: str, index: int) -> str:
    """The id of a leaf."""
    return f"{origin}#{index}"


def grave(leaf: Leaf) -> int:
    """How grave a leaf is: 1 all is well, 2 a refusal, 3 somebody should look, 4 evidence or card data is at stake."""
    if leaf.scrubbed or leaf.type in _AT_STAKE:
        return 4
    if leaf.type in _LOOK:
        return 3
    if leaf.type in _QUIET or leaf.ok:
        return 1
    return 2


_AT_STAKE = frozenset({"log.degraded"})
_LOOK = frozenset({"auth.failed", "bundle.rejected", "log.recovered", "policy.stopped", "sink.failed", "sink.rejected"})
_QUIET = frozenset({"statement.finished", "session.closed"})
"""how a statement ended is told by its outcome; an error of the database is nobody's attack"""
