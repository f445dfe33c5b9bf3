"""How many sessions each database may carry: a place must be had before `connect`, and is given back when it ends.

Sessions are never shared: what one agent set in it would meet the next. So the pool hands out places, not links.
"""

import asyncio
from collections.abc import Mapping

from gateway.core.errors import Unavailable
from gateway.upstream.postgres import Link, connect
from gateway.upstream.target import Target

PATIENCE_SECONDS = 5.0


class Place:
    """The right to one upstream session, given back by `release`, once or more often."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free: asyncio.Semaphore | None = free

    def release(self) -> None:
        """Give the place back."""
        if self._free is not None:
            self._free.release()
            self._free = None


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

    async def open(self, target: Target, *, application_name: str, settings: Mapping[str, str]) -> Link:
        """A place and a session on it; the place is free again when the connection is gone. Raises Unavailable."""
        place = await self.acquire(target.name)
        try:
            link = await connect(target, application_name=application_name, settings=settings)
        except BaseException:
            place.release()
            raise
        link.stream.when_closed(place.release)
        return link
