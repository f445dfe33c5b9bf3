"""Runs the sinks of a gateway in one thread beside it, each for itself: a slow one keeps nobody from anything."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from gateway.core.events import Event
from gateway.evidence.sinks.allowance import Allowance
from gateway.evidence.sinks.aside import settled
from gateway.evidence.sinks.courier import Courier, Note

SETTLE_SECONDS: Final = 4.0
STOP_SECONDS: Final = 6.0
AGAIN_SECONDS: Final = 5.0
MEASURE_SECONDS: Final = 1.0
_NS: Final = 1_000_000_000

Make = Callable[[Note], Sequence[Courier]]


class Dispatch:
    """The sinks of a gateway. Made and closed on the gateway's own loop."""

    def __init__(self, make: Make, note: Note) -> None:
        self._gateway = asyncio.get_running_loop()
        self._note = note
        self.couriers: Sequence[Courier] = make(self._record)
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._work, name="sinks", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    async def close(self) -> None:
        """Stop; what was not taken is sent after the next start. A receiver that hangs is not waited for."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)
            await asyncio.to_thread(self._thread.join, STOP_SECONDS)

    def numbers(self, read: Callable[[Courier], float]) -> Mapping[str, float]:
        """A number of each sink, by its name."""
        return {courier.plan.name: read(courier) for courier in self.couriers}

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        allowance = Allowance()
        allowance.begin()
        self._tasks = [asyncio.ensure_future(_serve(courier, allowance)) for courier in self.couriers]
        self._tasks.append(asyncio.ensure_future(self._measure()))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(courier.close() for courier in self.couriers), return_exceptions=True)
        await settled(SETTLE_SECONDS)

    async def _measure(self) -> None:
        """Keep the numbers of /metrics true while receivers keep batches waiting."""
        while True:
            await asyncio.sleep(MEASURE_SECONDS)
            for courier in self.couriers:
                courier.measure()

    async def _record(self, event: Event) -> None:
        """Append on the loop that writes the log, and wait for it on this one."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_awaited(self._note(event)), self._gateway))


async def _serve(courier: Courier, allowance: Allowance) -> None:
    """Keep a courier going: an error of ours must not end a sink in silence."""
    while True:
        work = asyncio.ensure_future(courier.run(allowance))
        try:
            await asyncio.wait([work])
        finally:
            work.cancel()
        if not work.cancelled() and (error := work.exception()) is not None:
            await courier.fell(error)
        await asyncio.sleep(AGAIN_SECONDS)


async def _awaited(work: Awaitable[None]) -> None:
    await work


def lag_seconds(courier: Courier, now_ns: int) -> float:
    """How old the oldest leaf is that the receiver has not taken."""
    return max(0.0, (now_ns - courier.oldest_ns) / _NS) if courier.oldest_ns and courier.pending else 0.0
