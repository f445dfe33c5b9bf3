"""A byte stream over one connection, for both sides: what came is read as it came, what is written is coalesced.

The transport's chunks are handed on as the objects they are, without a copy. What is written goes out at the latest
when the loop turns, so the messages of a pipeline cost one system call, which is most of what a small message costs.
Back-pressure both ways: unread bytes above `READ_HIGH` stop the transport from reading, unsent ones above `WRITE_HIGH`
make `drain` wait. One task reads, one writes.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final, cast

READ_HIGH: Final = 512 * 1024
WRITE_HIGH: Final = 512 * 1024
FLUSH_AT: Final = 64 * 1024
"""bytes written in one turn of the loop that do not wait for its end"""
CLOSE_SECONDS: Final = 5.0
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


class Stream(asyncio.Protocol):
    """Bytes in, bytes out. `read` gives b"" at the end, however it came; `drain` raises ConnectionResetError then."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._chunks: list[bytes] = []
        self._held = 0
        self._unsent: list[bytes] = []
        self._unsent_size = 0
        self._flushing: asyncio.Handle | None = None
        self._ended = False
        self._lost = False
        self._choked = False
        self._paused = False
        self._readable: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self.copy_to: Callable[[bytes], None] | None = None
        """is given everything that is written, in order"""

    @property
    def at_eof(self) -> bool:
        """Nothing more will come, and all that came was read."""
        return self._ended and not self._chunks

    @property
    def closed(self) -> bool:
        """The connection is gone."""
        return self._lost

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS state; None in plaintext."""
        found: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object") if self._transport else None
        return found

    async def read(self) -> bytes:
        """Whatever has come, at least one byte; b"" at the end of the stream."""
        while not self._chunks:
            if self._ended:
                return b""
            self._readable = self._loop.create_future()
            try:
                await self._readable
            finally:
                self._readable = None
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._held = 0
        self._let_read()
        return data

    def _let_read(self) -> None:
        if self._choked and self._transport is not None and not self._transport.is_closing():
            self._choked = False
            self._transport.resume_reading()

    def unread(self, data: bytes) -> None:
        """Put bytes back: the next `read` gives them first."""
        if data:
            self._chunks.insert(0, data)
            self._held += len(data)
            _wake(self._readable)

    def write(self, data: bytes) -> None:
        """Send, at the latest when the loop turns. Without effect once the connection is gone."""
        if self._lost:
            return
        if self.copy_to is not None:
            self.copy_to(data)
        self._unsent.append(data)
        self._unsent_size += len(data)
        if self._unsent_size > FLUSH_AT:
            self.flush()
        elif self._flushing is None:
            self._flushing = self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what was written now, in one piece."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if self._unsent and self._transport is not None and not self._lost:
            self._transport.write(self._unsent[0] if len(self._unsent) == 1 else b"".join(self._unsent))
        self._unsent.clear()
        self._unsent_size = 0

    async def drain(self) -> None:
        """Wait until little enough is unsent. Raises ConnectionResetError when the connection is gone."""
        self.flush()
        while self._paused and not self._lost:
            self._writable = self._writable or self._loop.create_future()
            await asyncio.shield(self._writable)
        if self._lost:
            raise ConnectionResetError("the connection is gone")

    def end(self) -> None:
        """Send what is left, then end; a peer that does not take it within `CLOSE_SECONDS` is dropped."""
        if self._transport is not None and not self._lost:
            self.flush()
            self._transport.close()
            self._loop.call_later(CLOSE_SECONDS, self.abort)

    async def close(self) -> None:
        """`end`, and wait for it."""
        self.end()
        await self.wait_closed()

    def abort(self) -> None:
        """End now; what is unsent is lost."""
        if self._transport is not None and not self._lost:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Return when the connection is gone."""
        if not self._lost:
            await asyncio.shield(self._closed)

    def when_closed(self, tell: Callable[[], None]) -> None:
        """Call `tell` once, when the connection is gone."""
        if self._lost:
            tell()
        else:
            self._closed.add_done_callback(lambda _: tell())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Transport is ready."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by class, only by what they do
        self._transport.set_write_buffer_limits(high=WRITE_HIGH)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._chunks.append(data)
        self._held += len(data)
        _wake(self._readable)
        if self._held > READ_HIGH and not self._choked and self._transport is not None:
            self._choked = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Report that the peer will send no more; it may still read. TLS cannot be half closed."""
        self._ended = True
        _wake(self._readable)
        return self.tls is None

    def pause_writing(self) -> None:
        """Too much is unsent."""
        self._paused = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._paused = False
        _wake(self._writable)
        self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        """End in order, or by an error: for those who read and write it is the same."""
        del exc
        self._ended = self._lost = True
        for waiter in (self._readable, self._writable, self._closed):
            _wake(waiter)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def tune(sock: socket.socket) -> None:
    """No delay for small messages; notice within two minutes that a peer is gone."""
    sock.setblocking(False)  # noqa: FBT003 -- the standard library takes it so
    if sock.family in {socket.AF_INET, socket.AF_INET6}:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):  # not on every system
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
