"""Bounds how much of a processor the sinks take, all together: after each slice of work they rest in proportion.

They run in a thread of their own, yet in Python one thread at a time computes: what they take, statements wait for. A
slice is short, so that nobody waits long; the rests keep their share small while a backlog is worked off.
"""

import asyncio
from typing import Final

from gateway.core.clock import thread_cpu_ns

SHARE: Final = 0.2
SLICE: Final = 32
"""leaves formatted between two rests: about a millisecond"""
_LONGEST_REST: Final = 0.25


class Allowance:
    """The thread's processor time, counted from one rest to the next whatever it was used for."""

    def __init__(self, share: float = SHARE) -> None:
        self._factor = 1 / share - 1
        self._mark = 0

    def begin(self) -> None:
        """Count from now on; called in the thread that works."""
        self._mark = thread_cpu_ns()

    async def rest(self) -> None:
        """Let others run for as long as the work since the last rest is worth."""
        now = thread_cpu_ns()
        used, self._mark = max(0, now - self._mark), now
        await asyncio.sleep(min(_LONGEST_REST, used / 1e9 * self._factor))
