"""From `evidence.publish` to the desk that serves the log: who may read it, and the record that somebody did."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.config import settings as s
from gateway.core.clock import Clock
from gateway.core.events import Event, EventType, Who
from gateway.evidence.recorder import Recorder
from gateway.frontends.http.log import LogDesk

READING_NS: Final = 3_600_000_000_000
"""one reader's requests within an hour are one reading: a leaf for each would never let a follower catch up"""
_MAX_READERS: Final = 1000


class Readers:
    """Records who reads entries over http, each at most once an hour."""

    def __init__(self, note: Callable[[Event], Awaitable[object]], clock: Clock) -> None:
        self._note = note
        self._clock = clock
        self._known: OrderedDict[str, int] = OrderedDict()

    async def accessed(self, address: str) -> None:
        """Somebody at this address reads entries. Raises Unavailable when that cannot be recorded."""
        now = self._clock.monotonic_ns()
        since = self._known.get(address)
        if since is not None and now - since < READING_NS:
            return
        data: dict[str, object] = {"over": "http", "client": address}
        who = Who(id="holder of evidence.publish.token")  # a token says no more
        await self._note(Event(type=EventType.EVIDENCE_ACCESSED, who=who, act="log.entries", data=data, durable=True))
        self._known[address] = now
        self._known.move_to_end(address)
        while len(self._known) > _MAX_READERS:
            self._known.popitem(last=False)


def log_desk(settings: s.Settings, listener: s.Listener, recorder: Recorder, clock: Clock) -> LogDesk:
    """The log of this gateway, for the readers of one listener."""
    token = settings.evidence.publish.token
    return LogDesk(
        data_dir=settings.data_dir,
        epoch=lambda: recorder.epoch,
        loopback=listener.address.is_loopback,
        accessed=Readers(recorder.append, clock).accessed,
        token=token.reveal if token else None,
    )
