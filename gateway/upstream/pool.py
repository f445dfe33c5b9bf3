"""How many sessions each database may carry: a place must be had before `connect`, and is given back when it ends.

Sessions are never shared: what one agent set in it would meet the next. So the pool hands out places, not links.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from gateway.core.errors import Unavailable

PATIENCE_SECONDS = 5.0


class Place:
    """The right to one upstream session. Give it back by `release`, once or more often, or use it as a context."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free: asyncio.Semaphore | None = free

    def release(self) -> None:
        """Give the place back."""
        if self._free is not None:
            self._free.release()
            self._free = None

    def __enter__(self) -> Self:
        """The place is already had."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self.release()


class Pool:
    """Places for each connection name. `sizes` are `limits.pool_max`; a name without size has no place."""

    def __init__(self, sizes: Mapping[str, int], patience: float = PATIENCE_SECONDS) -> None:
        self._free = {name: asyncio.Semaphore(size) for name, size in sizes.items()}
        self._patience = patience

    async def acquire(self, name: str) -> Place:
        """Wait for a place, `patience` seconds at most. Raises Unavailable(`upstream.too_many`)."""
        free = self._free.get(name)
        if free is None:
            raise Unavailable("upstream.too_many", "no such connection")
        try:
            async with asyncio.timeout(self._patience):
                await free.acquire()
        except TimeoutError:
            raise Unavailable("upstream.too_many", "all are in use") from None
        return Place(free)
