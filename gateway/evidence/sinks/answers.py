"""What a receiver says to a batch, and what a receiver is."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from gateway.evidence.sinks.outgoing import Outgoing


class Taken(NamedTuple):
    """The receiver has the batch; what it must not lose is in its hands now."""

    refused: tuple[int, ...] = ()
    """positions in the batch of events that it named and did not take"""
    reason: str = ""


class Later(NamedTuple):
    """The receiver is down, slow, busy, not to be understood or not to be believed: the same batch again, later."""

    reason: str
    """our own words: a kind of failure and a number; nothing the receiver said"""
    after: float | None = None
    """seconds it asked us to wait"""


class Refused(NamedTuple):
    """The receiver will not take this batch as it is, however often it comes."""

    reason: str
    which: int | None = None
    """position of the event it named"""


Answer: TypeAlias = Taken | Later | Refused


class Receiver(Protocol):
    """One kind of sink. Methods raise nothing for what is wrong on the other side."""

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        """Hand a batch over; it is never empty."""
        ...

    async def probe(self) -> Answer:
        """Whether it could take events now, as far as can be told without sending one."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...
