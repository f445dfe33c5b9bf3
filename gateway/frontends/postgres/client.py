"""From the client: messages in order, each given to what handles it; COPY data passed on; broken ones refused.

A message whose frame is whole but whose content cannot be read is an error like any other, as it is for the server. A
frame that lies about itself ends the session: nobody knows where the next one begins.
"""

import asyncio
import contextlib
from typing import Final

from gateway.core.errors import ProtocolError
from gateway.frontends.postgres import statements
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.relay import ensure_upstream
from gateway.frontends.postgres.steps import turn_away
from gateway.session.exchange import Entry, Wait
from gateway.wire.postgres import client_messages as wire
from gateway.wire.postgres.frames import ClientReader, DataRun, Frame
from gateway.wire.postgres.server_messages import ready_for_query

TURN: Final = 64
"""messages of one client that are handled before others have their turn"""
_HEEDED: Final = frozenset({b"S", b"X"})
"""what is not ignored after an error in the extended protocol: Sync and Terminate (§54.2.3)"""
_WAITS: Final = {
    b"Q": Wait.QUERY,
    b"F": Wait.QUERY,
    b"P": Wait.PARSE,
    b"B": Wait.BIND,
    b"D": Wait.DESCRIBE,
    b"E": Wait.EXECUTE,
    b"C": Wait.CLOSE,
}


async def listen(conversation: Conversation, reader: ClientReader) -> None:
    """Handle what the client says until it leaves. Raises EndSession, ProtocolError, ConnectionError."""
    data = b""
    while not conversation.ended.done():
        for number, item in enumerate(reader.receive_data(data), 1):
            if number % TURN == 0:
                await _flush(conversation)
                await asyncio.sleep(0)
            while conversation.exchange.held and not conversation.ended.done():
                await conversation.server_moves()
            if isinstance(item, DataRun):
                await _copy_data(conversation, item)
            else:
                await _heed(conversation, item)
            if conversation.ended.done():
                return
        await _flush(conversation)
        data = await conversation.client.read()
        if not data:
            raise EndSession("client.gone")
        conversation.moved()


async def _flush(conversation: Conversation) -> None:
    """Wait while either side is slow to take what was written."""
    await conversation.settle_skipped()
    if conversation.link is not None and not conversation.link.stream.closed:
        await conversation.link.drain()
    await conversation.client.drain()
    if conversation.tap is not None:
        await conversation.tap.recording.room()


async def _heed(conversation: Conversation, frame: Frame) -> None:
    """One frame, recorded if the session is."""
    if conversation.tap is None:
        await _take(conversation, frame)
        return
    conversation.tap.arrived(frame)
    await _take(conversation, frame)
    conversation.tap.settled()


async def _take(conversation: Conversation, frame: Frame) -> None:
    """One frame, unless it is to be ignored."""
    if (conversation.skipping or conversation.exchange.skipping) and frame.kind not in _HEEDED:
        return
    try:
        message = wire.parse(frame)
    except ProtocolError as error:
        wait = _WAITS.get(frame.kind)
        if wait is None or conversation.exchange.copying_in:
            raise
        await turn_away(conversation, wait, error)
    else:
        await _handle(conversation, message)


async def _handle(conversation: Conversation, message: wire.Message) -> None:
    match message:
        case wire.Terminate():
            await _answered(conversation)
            raise EndSession("client.terminated")
        case wire.Sync():
            await _sync(conversation, message)
        case wire.Flush():
            if conversation.link is not None and not conversation.exchange.copying_in:
                conversation.link.write(message.raw)
        case wire.CopyDone() | wire.CopyFail():
            await _copy_end(conversation, message)
        case wire.Credentials():
            raise ProtocolError("wire.unexpected_message", "password after login")
        case _:
            await _statement(conversation, message)


async def _answered(conversation: Conversation) -> None:
    """Wait for what was sent before a good-bye: the server would carry it out, too. Not for ever: nobody listens."""
    exchange = conversation.exchange
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(conversation.keeper.gone_seconds):
            while exchange.will_be_ready and not exchange.copying_in and not conversation.ended.done():
                await conversation.server_moves()


async def _statement(
    conversation: Conversation,
    message: wire.Query | wire.Parse | wire.Bind | wire.Describe | wire.Execute | wire.Close | wire.FunctionCall,
) -> None:
    if conversation.exchange.copying_in:
        raise ProtocolError("wire.unexpected_message", "a statement during COPY from the client")
    match message:
        case wire.Query():
            await statements.on_query(conversation, message)
        case wire.Parse():
            await statements.on_parse(conversation, message)
        case wire.Bind():
            await statements.on_bind(conversation, message)
        case wire.Execute():
            await statements.on_execute(conversation, message)
        case wire.Describe():
            await statements.on_describe(conversation, message)
        case wire.Close():
            await statements.on_close(conversation, message)
        case wire.FunctionCall():
            await statements.on_function_call(conversation, message)


async def _sync(conversation: Conversation, message: wire.Sync) -> None:
    """Sync ends skipping. During COPY from the client the server ignores it, unless COPY has failed (§54.2.7)."""
    if conversation.exchange.copying_in and conversation.link is not None:
        conversation.exchange.sync_in_copy()
        conversation.link.write(message.raw)
        return
    conversation.skipping = False
    if conversation.link is None or conversation.at_rest:
        conversation.client.write(ready_for_query(b"I"))
        return
    await ensure_upstream(conversation)
    conversation.send(Entry(Wait.SYNC), message.raw)


async def _copying(conversation: Conversation) -> bool:
    """Whether the server takes COPY data. A client that sends it before the server asked is made to wait for that.

    The server keeps answers of the extended protocol to itself until it is told to flush (§54.2.3): nobody else would
    tell it, because the client is not listened to meanwhile.
    """
    exchange = conversation.exchange
    flushed = exchange.will_be_ready
    while not exchange.copying_in and not conversation.ended.done():
        if exchange.head is None or exchange.skipping:
            break
        if not flushed and conversation.link is not None:
            conversation.link.write(wire.FLUSH)
            flushed = True
        await conversation.server_moves()
    return exchange.copying_in


async def _copy_data(conversation: Conversation, run: DataRun) -> None:
    """COPY data outside COPY is ignored, as the server does."""
    taken = not conversation.skipping and await _copying(conversation)
    if conversation.tap is not None:
        conversation.tap.arrived(run)
    if not taken or conversation.link is None:
        return
    conversation.link.write(run.raw)
    await conversation.link.drain()


async def _copy_end(conversation: Conversation, message: wire.CopyDone | wire.CopyFail) -> None:
    if await _copying(conversation) and conversation.link is not None:
        conversation.exchange.end_copy()
        conversation.link.write(message.raw)
        if conversation.exchange.held:
            conversation.link.write(wire.FLUSH)  # else an Execute's outcome would wait for a Sync
