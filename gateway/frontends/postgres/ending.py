"""A session from its first statement to its end, whoever brings that about; then everything is closed and recorded."""

import asyncio

from gateway.core.errors import GatewayError
from gateway.core.principal import Json
from gateway.frontends.postgres.client import listen
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.deadlines import Deadlines
from gateway.frontends.postgres.texts import failure
from gateway.session import records
from gateway.session.task import Settled
from gateway.wire.postgres.frames import ClientReader

RECORD_SECONDS = 10.0
"""how long a session's end waits for a decision that is being recorded"""
RELAY_SECONDS = 1.0


async def converse(conversation: Conversation, reader: ClientReader) -> None:
    """Run a session until the client, the server, the token or an error ends it; then close and record everything."""
    deadlines = Deadlines(conversation)
    deadlines.start()
    listening = asyncio.ensure_future(_listen(conversation, reader))
    listening.add_done_callback(conversation.failed)
    try:
        await asyncio.wait({conversation.ended})
    finally:
        conversation.leave(EndSession("gateway.stopped"))
        deadlines.stop()
        await _close(conversation, listening)


async def _listen(conversation: Conversation, reader: ClientReader) -> None:
    """Never raises: what ends the session is in `conversation.ended`."""
    try:
        await listen(conversation, reader)
    except EndSession as ending:
        conversation.leave(ending)
    except GatewayError as error:
        await conversation.house.note(records.message_refused(conversation.traveller, error.code, error.detail))
        conversation.leave(EndSession(error.code, failure(error, fatal=True)))
    except ConnectionError:
        conversation.leave(EndSession("client.gone"))


async def _close(conversation: Conversation, listening: "asyncio.Task[None]") -> None:
    """Say good-bye to both sides; what the server still owed is recorded as lost."""
    ending = conversation.ended.result()
    if ending.farewell:
        conversation.client.write(ending.farewell)
    conversation.client.end()
    await _stop_listening(conversation, listening)
    await _part(conversation)
    await conversation.settle_skipped()
    for entry in conversation.exchange.abandon():
        for task in entry.tasks[entry.at :]:
            await conversation.finish(task, Settled.LOST)
    counts: dict[str, Json] = {"statements": conversation.statements, "denied": conversation.denied}
    if conversation.tap is not None:
        counts["recording"] = await conversation.tap.close()
    await conversation.house.note(records.closed(conversation.traveller, ending.reason, counts))
    await conversation.client.wait_closed()


async def _stop_listening(conversation: Conversation, listening: "asyncio.Task[None]") -> None:
    """A decision that is being recorded is let come to its end, so that its outcome can be recorded too."""
    if conversation.deciding:
        await asyncio.wait({listening}, timeout=RECORD_SECONDS)
    listening.cancel()
    await asyncio.wait({listening})


async def _part(conversation: Conversation) -> None:
    """Leave the server: stop what it still does for us, and let the relay finish its last chunk."""
    if conversation.link is None or conversation.relaying is None:
        return
    if not conversation.exchange.idle and not conversation.link.at_eof:
        conversation.stop_upstream()
    conversation.keeper.told.pop(conversation.link.pid, None)
    conversation.link.close()
    await asyncio.wait({conversation.relaying}, timeout=RELAY_SECONDS)
    if not conversation.relaying.done():
        conversation.link.abort()
        conversation.relaying.cancel()
        await asyncio.wait({conversation.relaying})
