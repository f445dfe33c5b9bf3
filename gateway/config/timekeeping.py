"""Clocks compared when the gateway starts and each hour after: recorded, and said to the operator when they differ."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.events import Event
from gateway.evidence.clocks import Apart, apart, kernel_clock, measured
from gateway.frontends.keeper import Keeper

EVERY_SECONDS = 3600.0
TIMES = 3
_US = 1000


class Tell(Protocol):
    """Says something to the operator."""

    def __call__(self, event: str, **facts: object) -> object:
        """As structlog does."""
        ...


async def keep_time(
    keepers: Mapping[str, Keeper], record: Callable[[Event], Awaitable[object]], clock: Clock, warn: Tell
) -> None:
    """Measure now and each hour, for as long as the gateway runs. A log that takes nothing says so itself."""
    while True:
        event = measured(kernel_clock(), {name: await compare(keeper, clock) for name, keeper in keepers.items()})
        if not event.ok:
            warn("clocks.differ", remedy="Synchronise the machines: tokens and grants expire by ours.", **event.data)
        with contextlib.suppress(Unavailable):
            await record(event)
        await asyncio.sleep(EVERY_SECONDS)


async def compare(keeper: Keeper, clock: Clock) -> Apart | str:
    """How far a database's clock is from ours; the code of the error when it cannot be asked."""
    asked = []
    try:
        for _ in range(TIMES):
            before = clock.now_ns() // _US
            theirs = await keeper.clock_us()
            asked.append((before, theirs, clock.now_ns() // _US))
    except Unavailable as error:
        return error.code
    return apart(asked)
