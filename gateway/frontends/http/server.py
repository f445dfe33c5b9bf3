"""Runs the http listener for as long as a block lasts."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

from aiohttp import web

from gateway.frontends.http.routes import Desk, application

SHUTDOWN_SECONDS = 0.5
HEADERS_MAX = 16 << 10


@contextlib.asynccontextmanager
async def serving(listening: socket.socket, desk: Desk, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
    """Answer on a bound socket. Whoever waits for the next bundle is let go at the end."""
    runner = web.AppRunner(
        application(desk),
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,  # who waits for a bundle and leaves, waits no more
        keepalive_timeout=75.0,
        max_field_size=HEADERS_MAX,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening, ssl_context=tls).start()
        yield
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await runner.cleanup()
