"""Runs what blocks in a thread of its own, which is not waited for without end: a hung disk keeps no gateway up."""

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_AT_WORK: set[threading.Thread] = set()
_LOOK_SECONDS = 0.01


async def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, or what it raised. Cancelled, it goes on unheard."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(outcome: Callable[[], None]) -> None:
        def unless_gone() -> None:
            if not done.done():
                outcome()

        try:
            loop.call_soon_threadsafe(unless_gone)
        except RuntimeError:  # the loop is closed: there is nobody to tell
            return

    def run() -> None:
        try:
            result = work(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 -- handed on to who waits, whatever it is
            failure = error
            tell(lambda: done.set_exception(failure))
        else:
            tell(lambda: done.set_result(result))
        finally:
            _AT_WORK.discard(threading.current_thread())

    thread = threading.Thread(target=run, name="sinks-aside", daemon=True)
    _AT_WORK.add(thread)
    thread.start()
    return await done


async def settled(seconds: float) -> None:
    """Wait so long for what is still at work: a thread in a C++ library must not be there when the process ends."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while _AT_WORK and loop.time() < until:  # noqa: ASYNC110 -- threads are waited for, not a task
        await asyncio.sleep(_LOOK_SECONDS)
