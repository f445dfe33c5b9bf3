"""Bounds how much of a processor the sinks take, all together: after each slice of work comes a rest in proportion.

They run in a thread of their own, yet in Python one thread at a time computes: what they take, statements wait for. A
slice is short, so that nobody waits long; the rests keep their share small while a backlog is worked off. Rests stand
in a line, one behind the other, so that many sinks take no more than one.
"""

import asyncio
from typing import Final

from gateway.core.clock import thread_cpu_ns

SHARE: Final = 0.2
SLICE: Final = 32
"""leaves formatted between two rests: about a millisecond"""
_LONGEST_REST: Final = 2.0


class Allowance:
    """The thread's processor time, counted from one rest to the next whoever used it."""

    def __init__(self, share: float = SHARE) -> None:
        self._factor = 1 / share - 1
        self._mark = 0
        self._free_at = 0.0
        """when the last rest in the line ends, by the loop's clock"""

    def begin(self) -> None:
        """Count from now on; called in the thread that works."""
        self._mark = thread_cpu_ns()

    async def rest(self) -> None:
        """Let others run for as long as the work since the last rest is worth, behind the rests that are due."""
        now = thread_cpu_ns()
        used, self._mark = max(0, now - self._mark), now
        at = asyncio.get_running_loop().time()
        self._free_at = min(max(at, self._free_at) + used / 1e9 * self._factor, at + _LONGEST_REST)
        await asyncio.sleep(max(0.0, self._free_at - at))
