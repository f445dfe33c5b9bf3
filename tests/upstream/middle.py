"""Somebody between the gateway and its database, with a certificate of his own, who reads and changes what passes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from gateway.upstream.dial import dial
from gateway.upstream.stream import Stream
from gateway.upstream.target import Target
from tests.support.certificates import ServerTls
from tests.support.rawpg import SSL_REQUEST

Change = Callable[[bytes], bytes]


@dataclass
class Middle:
    """A running one. What passed is kept, as it was sent."""

    port: int = 0
    said: bytearray = field(default_factory=bytearray)
    """by the gateway"""
    heard: bytearray = field(default_factory=bytearray)
    """by the server, before it was changed"""


@asynccontextmanager
async def in_the_middle(real: Target, tls: ServerTls, change: Change = lambda data: data) -> AsyncIterator[Middle]:
    """Terminate TLS with `tls`, encrypt again to `real`; what the server says goes through `change`."""
    middle, tasks, streams = Middle(), set[asyncio.Task[None]](), list[Stream]()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.cert, tls.key)
    context.set_alpn_protocols(["postgresql"])
    loop = asyncio.get_running_loop()

    async def serve(bare: Stream, transport: asyncio.Transport) -> None:
        if await bare.read() != SSL_REQUEST:
            transport.abort()
            return
        client, server = Stream(), await dial(real)
        streams.extend((client, server))
        transport.write(b"S")
        upgraded = await loop.start_tls(transport, client, context, server_side=True)
        assert upgraded is not None
        client.connection_made(upgraded)
        both = [_pump(client, server, middle.said), _pump(server, client, middle.heard, change)]
        await asyncio.gather(*both)

    class Door(Stream):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            tasks.add(loop.create_task(_quietly(serve(self, transport))))  # type: ignore[arg-type]  # a TCP transport

    listening = await loop.create_server(Door, "127.0.0.1", 0)
    middle.port = listening.sockets[0].getsockname()[1]
    try:
        yield middle
    finally:
        listening.close()
        if tasks:
            await asyncio.wait(tasks, timeout=1)  # both ends have left: the rest follows
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in streams:
            stream.abort()
        await asyncio.sleep(0.05)  # transports end in the next turns of the loop


async def _quietly(work: Awaitable[None]) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        await work


async def _pump(source: Stream, sink: Stream, kept: bytearray, change: Change = lambda data: data) -> None:
    try:
        while data := await source.read():
            kept += data
            sink.write(change(data))
            sink.flush()
    finally:
        await sink.close()
