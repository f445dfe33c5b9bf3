"""From `evidence.retention` to what is done: leaves older than `total` are pruned while the gateway runs; or by order.

A plan reads every leaf, so another process makes it.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from gateway.config import settings as s
from gateway.core.clock import Clock, moment
from gateway.core.errors import GatewayError, Refused
from gateway.evidence.archive import move_older
from gateway.evidence.pruning import Order, prune
from gateway.evidence.recorder import Recorder
from gateway.evidence.recording.aging import remove_older
from gateway.evidence.retention import DAY_NS, Pruning, plan, retention_report
from gateway.evidence.sinks.held import unsent_since
from gateway.policy.orders import Order as Wish
from gateway.policy.orders import Prune

FIRST_LOOK_SECONDS: Final = 60.0
LOOK_EVERY_SECONDS: Final = 3600.0
AHEAD_NS: Final = 3600 * 10**9
"""of a clock that was set ahead by more nothing is pruned by itself: people can tell by an order"""
Say = Callable[..., object]


class Keeping:
    """One gateway's."""

    def __init__(  # noqa: PLR0913 -- what it works with
        self,
        recorder: Recorder,
        data_dir: Path,
        retention: s.Retention,
        clock: Clock,
        say: Say,
        *,
        sinks: Sequence[str] = (),
    ) -> None:
        self._recorder = recorder
        self._data_dir = data_dir
        self._retention = retention
        self._clock = clock
        self._say = say
        self._sinks = sinks
        """names of those whose receivers must have a leaf before it goes"""
        self._one = asyncio.Lock()
        self._moved_ns = 0

    async def watch(self) -> None:
        """Look every hour whether something is older, by a day, than it must be kept."""
        wait = FIRST_LOOK_SECONDS
        while True:
            await asyncio.sleep(wait)
            wait = LOOK_EVERY_SECONDS
            try:
                await self.look()
            except (GatewayError, OSError, ValueError) as error:
                self._say("log.not_pruned", cause=type(error).__name__)

    async def look(self) -> None:
        """Prune what is due, and move what is no longer hot, a day's worth at a time.

        Raises Unavailable, OSError, ValueError.
        """
        now, total = self._clock.now_ns(), self._retention.total.ns
        report = await asyncio.to_thread(
            retention_report, self._data_dir, now_ns=now, hot_ns=self._retention.hot.ns, total_ns=total + DAY_NS
        )
        if any(epoch.older_than_total for epoch in report.epochs):
            before = now - total
            unsent = await asyncio.to_thread(unsent_since, self._data_dir, self._sinks)
            if unsent is not None and unsent < before:  # by itself nothing goes that a sink was not sent
                self._say("log.kept_for_sinks", since=moment(unsent))
                before = unsent
            oldest = min(epoch.oldest_ns for epoch in report.epochs if epoch.oldest_ns is not None)
            await self._prune_some(
                oldest, before, Order(f"older than evidence.retention.total, {total / DAY_NS:g} days")
            )
        if self._retention.archive is not None and now - self._moved_ns >= DAY_NS:
            await self._move(self._retention.archive, now)

    async def _prune_some(self, oldest: int, before: int, order: Order) -> None:
        """What is older than that, of a day at most: a clock that is years ahead must not cost the evidence of years.

        Where a bundle of leaves spans more than a day, as much as makes one of them.
        """
        if self._recorder.clock_off_ns > AHEAD_NS:
            self._say("log.not_pruned", cause="the clock was set ahead since the gateway started")
            return
        step = DAY_NS
        while not await self._prune(min(before, oldest + step), order) and oldest + step < before:
            step *= 4

    async def _move(self, place: Path, now: int) -> None:
        async with self._one:
            moved = await asyncio.to_thread(move_older, self._data_dir, place, now - self._retention.hot.ns)
        self._moved_ns = now
        if moved:
            self._say("log.archived", leaves=moved, place=str(place))

    async def order(self, prune_: Prune, wish: Wish) -> str:
        """What a person orders; inside the time everything is kept only for a legal reason. Raises GatewayError."""
        if not prune_.legal and prune_.before_ns > self._clock.now_ns() - self._retention.total.ns:
            raise Refused("order.invalid", "evidence is kept that long: give a legal reason")
        try:
            done = await self._prune(prune_.before_ns, Order(wish.reason, wish.by, legal=prune_.legal))
        except (OSError, ValueError) as error:
            raise Refused("order.invalid", f"the log cannot be read: {type(error).__name__}") from error
        return in_a_line(done)

    async def _prune(self, before_ns: int, order: Order) -> list[Pruning]:
        async with self._one:
            done = await prune(self._recorder, self._data_dir, lambda: self._plan(before_ns), order)
            for part in done:
                await asyncio.to_thread(remove_older, self._data_dir, part.until_ns)
        for part in done:
            self._say("log.pruned", epoch=part.epoch, leaves=part.size - part.begin, until=moment(part.until_ns))
        return done

    async def _plan(self, before_ns: int) -> Sequence[Pruning]:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return await asyncio.get_running_loop().run_in_executor(pool, plan, self._data_dir, before_ns)


def in_a_line(done: Sequence[Pruning]) -> str:
    """What went, for people."""
    leaves, bodies = sum(part.size - part.begin for part in done), sum(len(part.bodies) for part in done)
    return f"{leaves} leaves and {bodies} documents pruned" if done else "nothing to prune"
