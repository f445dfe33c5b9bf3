"""From the client: messages in order, each given to what handles it; COPY data passed on; errors of the protocol fatal."""

from gateway.core.errors import ProtocolError
from gateway.frontends.postgres import statements
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.relay import ensure_upstream
from gateway.session.exchange import Entry, Wait
from gateway.wire.postgres import client_messages as wire
from gateway.wire.postgres.frames import ClientReader, DataRun
from gateway.wire.postgres.server_messages import ready_for_query


async def listen(conversation: Conversation, reader: ClientReader) -> None:
    """Handle what the client says until it leaves. Raises EndSession and ProtocolError."""
    data = b""
    while not conversation.ended.done():
        for item in reader.receive_data(data):
            if isinstance(item, DataRun):
                await _copy_data(conversation, item)
            else:
                await _handle(conversation, wire.parse(item))
            if conversation.ended.done():
                return
        await _flush(conversation)
        data = await conversation.client.read()
        if not data:
            raise EndSession("client.gone")


async def _flush(conversation: Conversation) -> None:
    """Wait while either side is slow to take what was written."""
    if conversation.link is not None:
        await conversation.link.stream.drain()
    await conversation.client.drain()


async def _handle(conversation: Conversation, message: wire.Message) -> None:
    """One message. After an error in the extended protocol everything but Sync and Terminate is ignored (§54.2.3)."""
    match message:
        case wire.Terminate():
            raise EndSession("client.terminated")
        case wire.Sync():
            await _sync(conversation, message)
        case _ if conversation.skipping:
            return
        case wire.Flush():
            if conversation.link is not None and not conversation.exchange.copying_in:
                conversation.link.stream.write(message.raw)
        case wire.CopyDone() | wire.CopyFail():
            await _copy_end(conversation, message)
        case wire.Credentials():
            raise ProtocolError("wire.unexpected_message", "password after login")
        case _:
            await _statement(conversation, message)


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
    """Sync ends skipping. During COPY from the client the server ignores it, so it is not sent (§54.2.7)."""
    if conversation.exchange.copying_in:
        return
    conversation.skipping = False
    if conversation.link is None or conversation.at_rest:
        conversation.client.write(ready_for_query(b"I"))
        return
    link = await ensure_upstream(conversation)
    if not link.stream.closed:
        conversation.send(Entry(Wait.SYNC), message.raw)


async def _copying(conversation: Conversation) -> bool:
    """Whether the server takes COPY data. A client that sends it before the server asked is made to wait for that."""
    exchange = conversation.exchange
    while not exchange.copying_in and not exchange.idle and not conversation.ended.done():
        tail = exchange.head
        if tail is None or tail.wait not in {Wait.QUERY, Wait.EXECUTE}:
            break
        await conversation.server_moves()
    return exchange.copying_in


async def _copy_data(conversation: Conversation, run: DataRun) -> None:
    """COPY data outside COPY is ignored, as the server does."""
    if conversation.skipping or not await _copying(conversation) or conversation.link is None:
        return
    conversation.link.stream.write(run.raw)
    await conversation.link.stream.drain()


async def _copy_end(conversation: Conversation, message: wire.CopyDone | wire.CopyFail) -> None:
    if await _copying(conversation) and conversation.link is not None:
        conversation.exchange.copying_in = False
        conversation.link.stream.write(message.raw)
