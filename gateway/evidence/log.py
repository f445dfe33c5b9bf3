"""The log's writer: write-ahead log, then durable, then tiles and a signed checkpoint, in that order.

Everything here runs on one event loop. A leaf is written at once, in the loop, with one system call. One flusher syncs
in a thread; whoever wrote before a sync began is released when it ends, so the running sync is the window in which
others gather (group commit). When the disk fails or does not answer in time, the log is degraded: it takes nothing
more, tries every half second to write what was not synced again, and says when it is well.
"""

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.evidence.frames import Kind
from gateway.evidence.head import HeadError
from gateway.evidence.ledger import Ledger, mark_of
from gateway.evidence.publisher import Publisher
from gateway.evidence.tree import Publication, Tree
from gateway.evidence.wal import SyncJob, Wal

SYNC_WITHIN: Final = 0.03
"""seconds after which a write that nobody waits for is synced, so that it is durable within 50 ms"""
DEADLINE: Final = 5.0
"""seconds a sync may take before the log counts as degraded"""
PUBLISH_DEADLINE: Final = 30.0
"""seconds laying out the files may take"""
RETRY_EVERY: Final = 0.5


class Degraded(NamedTuple):
    """Why and since when the log takes nothing."""

    cause: str
    """name of the system's error, or `timeout`"""
    since_ns: int


class Log:
    """One epoch's log, open for writing. Made by `gateway.evidence.opening`."""

    def __init__(self, folder: Path, tree: Tree, ledger: Ledger, publisher: Publisher, clock: Clock) -> None:
        self.ledger = ledger
        self.degraded: Degraded | None = None
        self.on_repaired: Callable[[Degraded], None] = lambda _: None
        self.wal = Wal(folder, lambda: tree.start(ledger.state()))
        self._tree = tree
        self._publisher = publisher
        self._clock = clock
        self._synced = self._published = tree.size
        self._waiters: dict[asyncio.Future[None], int] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._again = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._publishing = asyncio.Lock()
        self._sync_thread = ThreadPoolExecutor(1, "evidence-sync")
        self._tile_thread = ThreadPoolExecutor(1, "evidence-tiles")
        self._publisher_task: asyncio.Task[None] | None = None
        self._repair_task: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        """Leaves written, synced or not."""
        return self._tree.size

    @property
    def published(self) -> int:
        """Leaves under the last signed checkpoint of this run."""
        return self._published

    def start(self, checkpoint_interval: float) -> None:
        """Begin to sync and to publish."""
        self._publisher_task = asyncio.get_running_loop().create_task(self._publish_always(checkpoint_interval))

    def write(self, leaf: bytes, bodies: list[bytes]) -> bytes:
        """Write a leaf and the bodies that belong to it; the leaf's hash. On Unavailable nothing was written."""
        if self.degraded is not None or self._closed:
            raise Unavailable("evidence.unavailable")
        number = self._tree.size
        try:
            self.wal.write(number, [*((Kind.BODY, body) for body in bodies), (Kind.LEAF, leaf)])
        except OSError as error:
            raise self._degrade(_cause(error)) from error
        hashed = self._tree.add(leaf, bodies)
        self.ledger.follow(mark_of(leaf))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_WITHIN, self._want)
        return hashed

    async def durable(self, size: int) -> None:
        """Return once the first `size` leaves are on the disk. Raises Unavailable, at the latest after `DEADLINE`."""
        if self._synced >= size:
            return
        if self.degraded is not None:
            raise Unavailable("evidence.unavailable")
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = size
        self._want()
        try:
            async with asyncio.timeout(DEADLINE):
                await waiter
        except TimeoutError as error:
            raise self._degrade("timeout") from error
        finally:
            self._waiters.pop(waiter, None)

    async def publish(self) -> None:
        """Lay out and sign everything written until now. Raises Unavailable."""
        async with self._publishing:
            publication = self._tree.publication()
            size = publication.head.size
            await self.durable(size)
            droppable = self.wal.drop_before(size)
            try:
                await self._lay_out(publication, droppable)
            except (OSError, HeadError) as error:  # TimeoutError is an OSError
                raise self._degrade(_cause(error)) from error

    async def endorse(self, text: str, lines: list[str]) -> bool:
        """Add cosignatures to the checkpoint of that text; False when it is not the latest any more. Raises OSError.

        In the thread that writes checkpoints, so that an older one can never take the place of a newer one.
        """
        return await asyncio.get_running_loop().run_in_executor(self._tile_thread, self._publisher.endorse, text, lines)

    async def _lay_out(self, publication: Publication, droppable: list[Path]) -> None:
        """Raises OSError and HeadError."""
        work = asyncio.get_running_loop().run_in_executor(
            self._tile_thread, self._publisher.publish, publication, droppable
        )
        async with asyncio.timeout(PUBLISH_DEADLINE):
            await work
        self._tree.published(publication)
        self._published = publication.head.size

    async def undisturbed(self, work: Callable[[], None]) -> None:
        """Do something in the thread that lays out, while it does not. Raises what it raises."""
        async with self._publishing:
            await asyncio.get_running_loop().run_in_executor(self._tile_thread, work)

    async def close(self) -> None:
        """Sign what was written and let go of the files. What cannot be signed now is signed at the next start."""
        self._closed = True
        with suppress(Unavailable):
            await self.publish()
        if self._timer is not None:
            self._timer.cancel()
        tasks = [task for task in (self._publisher_task, self._repair_task) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        well = await self._quiet() and self.degraded is None
        for thread in (self._sync_thread, self._tile_thread):
            thread.shutdown(wait=well)
        if well:  # else a thread may still hold the files
            self.wal.close()

    async def _quiet(self) -> bool:
        """Wait for the running sync to end; False when it hangs."""
        try:
            async with asyncio.timeout(DEADLINE):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def _want(self) -> None:
        """Begin a sync, or have one begin as soon as the running one ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._again = not self._idle.is_set()
        if self._idle.is_set() and self.degraded is None:
            self._begin_sync_soon()

    def _begin_sync_soon(self) -> None:
        """Behind everyone who is about to write in this turn of the loop: they share the sync."""
        self._idle.clear()
        asyncio.get_running_loop().call_soon(self._begin_sync)

    def _begin_sync(self) -> None:
        job, size, loop = self.wal.begin_sync(), self._tree.size, asyncio.get_running_loop()

        def ended(running: Future[None]) -> None:
            loop.call_soon_threadsafe(self._sync_ended, job, size, running.exception())

        self._again = False
        self._sync_thread.submit(job.run).add_done_callback(ended)

    def _sync_ended(self, job: SyncJob, size: int, error: BaseException | None) -> None:
        """Who is released is decided when the sync has ended: nobody who came before it began can be forgotten."""
        self._idle.set()
        if error is not None:
            self._degrade(_cause(error))
            return
        self.wal.end_sync(job)
        self._synced = size
        for waiter, wanted in self._waiters.items():
            if wanted > size:
                self._again = True
            elif not waiter.done():
                waiter.set_result(None)
        if self._again and self.degraded is None:
            self._begin_sync_soon()

    async def _publish_always(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            if self.degraded is None and self._tree.size > self._published:
                with suppress(Unavailable):
                    await self.publish()

    def _degrade(self, cause: str) -> Unavailable:
        """Stop taking anything, let everyone who waits know, and begin to repair."""
        if self.degraded is None:
            self.degraded = Degraded(cause, self._clock.now_ns())
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_exception(Unavailable("evidence.unavailable"))
            self._repair_task = asyncio.get_running_loop().create_task(self._repair(self.degraded))
        return Unavailable("evidence.unavailable")

    async def _repair(self, degraded: Degraded) -> None:
        """Until it works: write what was not synced again, sync, publish."""
        loop = asyncio.get_running_loop()
        while self.degraded is not None:
            await asyncio.sleep(RETRY_EVERY)
            if not self._idle.is_set():  # a sync hangs; what it holds may not be touched
                continue
            try:
                await loop.run_in_executor(self._sync_thread, self.wal.rewrite)
                job = self.wal.begin_sync()
                await loop.run_in_executor(self._sync_thread, job.run)
                self.wal.end_sync(job)
                self._synced = self._tree.size
                await self._lay_out(self._tree.publication(), [])
            except (OSError, HeadError):
                continue
            self.degraded = None
        self.on_repaired(degraded)


def _cause(error: BaseException) -> str:
    """What may be shown of an error: never a path, never content."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno, "EIO")
    return type(error).__name__
