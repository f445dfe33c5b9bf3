"""Runs what blocks in a thread of its own, which nobody waits for at the end: a hung disk keeps no gateway up."""

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


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

    threading.Thread(target=run, name="sinks-aside", daemon=True).start()
    return await done
