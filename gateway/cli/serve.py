"""`querywarden serve`: run the gateway until it is told to stop."""

import asyncio
import ctypes
import gc
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Annotated, TextIO, cast

import structlog
import uvloop
from cyclopts import Parameter
from cyclopts.validators import Number

from gateway import app
from gateway.cli.clean_stream import clean_stderr
from gateway.config.load import load
from gateway.config.settings import Settings
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError

STOPPED = 0
FILES_WANTED = 65_536
GARBAGE_THRESHOLD = 20_000
"""container objects made, less those gone, before the youngest are looked at (the default is 700)"""
PR_SET_DUMPABLE = 4
"""linux/prctl.h"""
ONE_WORKER = Number(gte=1)


def serve(
    *,
    config: Annotated[Path, Parameter(name=["--config", "-c"])],
    workers: Annotated[int, Parameter(validator=ONE_WORKER)] = 1,
) -> int:
    """Run the gateway. SIGHUP reloads the bundle; SIGTERM lets statements end, then stops.

    Parameters
    ----------
    config
        The configuration file.
    workers
        Processes that share the port. Only 1 in this version.

    """
    if workers != 1:
        raise ConfigError("config.invalid", "--workers: more than one is not available in this version")
    return run(load(config))


def run(settings: Settings, *, accept_demo: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; a second one ends at once."""
    speak()
    harden()
    uvloop.run(_serve(settings, accept_demo=accept_demo))
    return STOPPED


async def _serve(settings: Settings, *, accept_demo: bool) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with app.running(settings, SystemClock(), accept_demo=accept_demo) as gateway:
        reloads: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = loop.create_task(gateway.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        settle()
        app.LOG.info("ready")
        await stop.wait()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        app.LOG.info("stopping")
    app.LOG.info("stopped")


def speak() -> None:
    """One line an event on stderr, for people and for collectors; colours on a terminal only."""
    stream = clean_stderr()
    colours = stream.isatty() and not os.environ.get("NO_COLOR")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=True)
            if colours
            else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", stream)),
        cache_logger_on_first_use=True,
    )


def settle() -> None:
    """What was loaded stays: the collector need not walk it again and again, nor look after every few hundred objects.

    Parsing a long statement makes many short-lived objects; with the usual thresholds half of its time is collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)


def harden() -> None:
    """No core dump can hold a token or a card number; as many descriptors as we may have.

    A limit of 0 is not asked where the kernel hands dumps to a program (core(5)); a process that is not dumpable has
    none there either, and cannot be looked into by others of the same user (PR_SET_DUMPABLE, prctl(2); Linux only).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
        app.LOG.warning("core dumps are possible", why=os.strerror(ctypes.get_errno()))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(FILES_WANTED, hard) if hard != resource.RLIM_INFINITY else FILES_WANTED
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
