"""Dialling: a stream or a reason, and no socket left behind."""

import asyncio
import gc
from collections.abc import Callable

import pytest

from gateway.core.errors import Unavailable
from gateway.upstream.dial import dial
from gateway.upstream.target import Target
from tests.upstream.fake_server import first_packet, server

MakeTarget = Callable[..., Target]


async def test_the_other_addresses_of_a_host_are_tried(target: MakeTarget) -> None:
    stream = await dial(target(host="localhost"))
    assert stream.tls is not None
    await stream.close()


async def test_a_handshake_that_breaks_off_is_a_tls_failure_and_closes_the_socket(target: MakeTarget) -> None:
    async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await first_packet(reader)
        writer.write(b"S")
        await reader.read(1)
        writer.write(b"this is no ServerHello")
        await writer.drain()

    async with server(breaks_off) as port:
        with pytest.raises(Unavailable, match=r"upstream\.tls"):
            await dial(target(port=port))
    gc.collect()  # an unclosed socket would be a ResourceWarning, and so an error


async def test_a_server_that_is_not_there_is_unreachable(target: MakeTarget) -> None:
    with pytest.raises(Unavailable, match="refused"):
        await dial(target(port=1, tls="disable"))
    with pytest.raises(Unavailable, match=r"upstream\.unreachable"):
        await dial(target(host="/nowhere"))


async def test_a_server_that_hangs_up_on_the_question_for_tls_is_refused(target: MakeTarget) -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await first_packet(reader)
        writer.close()

    async with server(hangs_up) as port:
        with pytest.raises(Unavailable, match=r"upstream\.tls"):
            await dial(target(port=port))
