"""What every session shares: policy, log, clock, and the connections. Wired once by `app.py`."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.events import Event
from gateway.evidence.recording.store import Recordings
from gateway.frontends.driver import Driver
from gateway.frontends.keeper import Keeper
from gateway.identity.verifier import Verifier


@dataclass(eq=False)
class House:
    """The shared services."""

    driver: Driver
    verifier: Verifier
    keepers: dict[str, Keeper]
    clock: Clock
    recordings: Recordings | None = None
    """None when sessions are not recorded"""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start a task and hold on to it until it ends: the loop keeps only weak references."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def note(self, event: Event) -> bool:
        """Append an event that nothing waits for. False when the log cannot take it: it says so itself."""
        try:
            await self.driver.log.append(event)
        except Unavailable:
            return False
        return True
