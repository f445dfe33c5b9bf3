"""A relay that adds TLS for a client built without it: it asks the server for TLS and passes bytes both ways."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.support.postgres import HOST
from tests.support.rawpg import SSL_REQUEST, tls_context

SIZE = 65536
SOURCE = "127.0.0.2"
"""Whence the test server asks for a cleartext password: SCRAM-PLUS is of no use to a client that sees no TLS."""


@contextlib.contextmanager
def relay(port: int, ca: Path) -> Iterator[int]:
    """The port that leads to `port` through TLS. One loop in one thread: two threads may not share a TLS connection."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(lambda r, w: _serve(r, w, port, ca), HOST, 0))
    running = threading.Thread(target=loop.run_forever, daemon=True)
    running.start()
    yield server.sockets[0].getsockname()[1]
    asyncio.run_coroutine_threadsafe(_end(server), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    running.join()
    loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(others, timeout=1) if others else None


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, ca: Path) -> None:
    far_reader, far_writer = await asyncio.open_connection(HOST, port, local_addr=(SOURCE, 0))
    far_writer.write(SSL_REQUEST)
    if await far_reader.readexactly(1) == b"S":
        await far_writer.start_tls(tls_context(ca), server_hostname="localhost")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(SIZE):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()
