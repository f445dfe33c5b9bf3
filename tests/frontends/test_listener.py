"""A port: bound or refused with a reason; accepting goes on whatever single clients do."""

import asyncio
import socket

import pytest

from gateway.core.errors import Unavailable
from gateway.frontends.listener import bind, serve


def test_a_port_that_is_taken_is_said_to_be_so() -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(Unavailable, match=r"listener\.address.*in use"):
        bind("127.0.0.1", taken.getsockname()[1])


def test_workers_may_share_a_port() -> None:
    with bind("127.0.0.1", 0, shared=True) as one, bind("127.0.0.1", one.getsockname()[1], shared=True) as two:
        assert one.getsockname() == two.getsockname()


def test_a_host_that_has_no_address_is_said_to_be_so() -> None:
    with pytest.raises(Unavailable, match=r"listener\.address"):
        bind("nowhere.invalid", 0)


async def test_each_client_is_served_at_the_same_time_and_outlives_the_listener() -> None:
    meeting = asyncio.Barrier(2)

    async def meet(sock: socket.socket) -> None:
        with sock:
            await meeting.wait()

    running: set[asyncio.Task[None]] = set()
    with bind("127.0.0.1", 0) as listening:
        accepting = asyncio.ensure_future(serve(listening, meet, running))
        clients = [await asyncio.open_connection(*listening.getsockname()) for _ in range(2)]
        assert [await reader.read() for reader, _ in clients] == [b"", b""]
        accepting.cancel()
        await asyncio.gather(accepting, *running, return_exceptions=True)
        for _, writer in clients:
            writer.close()
            await writer.wait_closed()
    assert not running
