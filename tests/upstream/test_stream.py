"""A stream: bytes in order, back-pressure both ways, and an end that everyone notices."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.upstream import stream as streams
from gateway.upstream.stream import FLUSH_AT, READ_HIGH, WRITE_HIGH, Stream, tune


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Stream, socket.socket]]:
    """A stream and the bare socket at its other end."""
    ours, theirs = socket.socketpair()
    tune(ours)
    tune(theirs)
    _, stream = await asyncio.get_running_loop().create_connection(Stream, sock=ours)
    try:
        yield stream, theirs
    finally:
        theirs.close()
        stream.abort()
        await stream.wait_closed()


async def test_what_was_sent_is_read_in_order_and_then_the_end() -> None:
    async with pair() as (stream, other):
        other.send(b"one")
        assert await stream.read() == b"one"
        other.send(b"two")
        other.close()
        assert await stream.read() == b"two"
        assert await stream.read() == b""
        assert stream.at_eof


async def test_reading_waits_for_bytes() -> None:
    async with pair() as (stream, other):
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        assert not reading.done()
        other.send(b"x")
        assert await reading == b"x"


async def test_bytes_put_back_come_first() -> None:
    async with pair() as (stream, other):
        other.send(b"second")
        await asyncio.sleep(0.01)
        stream.unread(b"first ")
        stream.unread(b"")
        assert await stream.read() == b"first second"


async def test_unread_bytes_stop_the_transport_until_they_are_read() -> None:
    async with pair() as (stream, other):
        sent = 0
        for _ in range(100):
            try:
                sent += other.send(bytes(1 << 20))
            except BlockingIOError:
                await asyncio.sleep(0.002)
        assert sent < 8 * READ_HIGH
        received = 0
        while received < sent:
            received += len(await stream.read())
        assert received == sent


async def test_drain_waits_until_the_other_side_has_read() -> None:
    async with pair() as (stream, other):
        stream.write(bytes(8 * WRITE_HIGH))
        draining = asyncio.ensure_future(stream.drain())
        await asyncio.sleep(0.01)
        assert not draining.done()
        received = 0
        while received < 8 * WRITE_HIGH:
            received += len(await asyncio.get_running_loop().sock_recv(other, 1 << 20))
        await draining


async def test_drain_says_that_the_connection_is_gone_also_to_those_who_wait() -> None:
    async with pair() as (stream, other):
        stream.write(bytes(8 * WRITE_HIGH))
        draining = asyncio.ensure_future(stream.drain())
        await asyncio.sleep(0.01)
        other.close()
        with pytest.raises(ConnectionResetError):
            await draining
        stream.write(b"into the void")
        with pytest.raises(ConnectionResetError):
            await stream.drain()
        assert stream.closed
        assert await stream.read() == b""


async def test_close_sends_what_is_left() -> None:
    async with pair() as (stream, other):
        stream.write(b"good-bye")
        await stream.close()
        assert other.recv(100) == b"good-bye"
        assert other.recv(100) == b""


async def test_close_does_not_wait_for_ever_for_a_peer_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CLOSE_SECONDS", 0.02)
    async with pair() as (stream, _):
        stream.write(bytes(8 * WRITE_HIGH))
        async with asyncio.timeout(5):
            await stream.close()


async def test_the_end_is_told_once_to_each_who_asked_before_or_after() -> None:
    told: list[str] = []
    async with pair() as (stream, _):
        stream.when_closed(lambda: told.append("before"))
    await asyncio.sleep(0)
    stream.when_closed(lambda: told.append("after"))
    assert told == ["before", "after"]


async def test_a_peer_that_only_stopped_sending_can_still_be_answered() -> None:
    async with pair() as (stream, other):
        other.shutdown(socket.SHUT_WR)
        assert await stream.read() == b""
        stream.write(b"late answer")
        await stream.drain()
        assert await asyncio.get_running_loop().sock_recv(other, 100) == b"late answer"


async def test_sockets_are_tuned_for_small_messages_and_dead_peers() -> None:
    with socket.socket() as sock:
        tune(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_what_is_written_in_one_turn_of_the_loop_goes_out_as_one_piece() -> None:
    async with pair() as (stream, other):
        for part in (b"bind ", b"describe ", b"execute ", b"sync"):
            stream.write(part)
        with pytest.raises(BlockingIOError):
            other.recv(100)
        await asyncio.sleep(0)
        assert other.recv(100) == b"bind describe execute sync"


async def test_what_is_flushed_goes_out_at_once_and_only_once() -> None:
    async with pair() as (stream, other):
        stream.write(b"rows")
        stream.flush()
        assert other.recv(100) == b"rows"
        await asyncio.sleep(0)
        with pytest.raises(BlockingIOError):
            other.recv(100)


async def test_much_does_not_wait_for_the_turn_of_the_loop() -> None:
    async with pair() as (stream, other):
        stream.write(bytes(FLUSH_AT + 1))
        assert other.recv(100) == bytes(100)


async def test_drain_sends_what_was_written_before_it_waits() -> None:
    async with pair() as (stream, other):
        stream.write(b"sync")
        await stream.drain()
        assert other.recv(100) == b"sync"


async def test_what_was_written_is_lost_when_the_stream_is_aborted() -> None:
    async with pair() as (stream, other):
        stream.write(b"half a message")
        stream.abort()
        await stream.wait_closed()
        assert other.recv(100) == b""
