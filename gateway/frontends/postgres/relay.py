"""From the server to the client: each message is given its meaning by the exchange, checked, and passed on.

Bytes that need no change are passed on as they came. What is changed: an error that stands for a refusal, texts of the
server that could carry a protected value, and card numbers that the net finds.
"""

from gateway.core.errors import GatewayError, ProtocolError, Unavailable
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.mirror import follow
from gateway.frontends.postgres.results import check_columns, take_rows
from gateway.frontends.postgres.server_texts import scrub
from gateway.frontends.postgres.texts import failure
from gateway.session.exchange import Step
from gateway.session.task import Settled, Task
from gateway.upstream.postgres import Link
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import DataRun, Frame, Received, ServerReader

_PASSED_PARAMETERS = frozenset(
    {
        "application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby",
        "integer_datetimes", "IntervalStyle", "is_superuser", "scram_iterations", "search_path", "server_encoding",
        "server_version", "session_authorization", "standard_conforming_strings", "TimeZone",
    }
)  # fmt: skip
"""What a server reports by itself (PostgreSQL 18, §54.2.7); anything else was made by somebody."""


async def ensure_upstream(conversation: Conversation) -> Link:
    """The connection to the database, opened at the first statement that is forwarded."""
    if conversation.link is None:
        try:
            conversation.link = await conversation.keeper.open(conversation.traveller.sid, conversation.startup)
        except Unavailable as error:
            raise EndSession.because(error) from None
        conversation.house.spawn(relay(conversation, conversation.link))
    return conversation.link


async def relay(conversation: Conversation, link: Link) -> None:
    """Pass on what the server says until it or the session ends."""
    reader = ServerReader(conversation.house.message_max)
    try:
        while not conversation.ended.done():
            data = await link.stream.read()
            if not data:
                raise Unavailable("upstream.lost")
            await _pass(conversation, reader, data)
    except GatewayError as error:
        conversation.leave(EndSession.because(error))
    except EndSession as ending:
        conversation.leave(ending)


async def _pass(conversation: Conversation, reader: ServerReader, data: bytes) -> None:
    """Handle one chunk: everything it completes goes out in one write, then its statements are closed in the log."""
    out: list[bytes] = []
    finished: list[tuple[Task, Settled]] = []
    try:
        for item in reader.receive_data(data):
            step = conversation.exchange.receive(item.kind)
            out.append(_translate(conversation, item, step))
            _settle(conversation, step)
            finished.extend(step.finished)
    finally:
        shown = b"".join(out)
        if shown:
            conversation.client.write(shown)
        for task, how in finished:
            await conversation.finish(task, how)
    conversation.moved()
    await conversation.client.drain()


def _settle(conversation: Conversation, step: Step) -> None:
    """Let the names a message gave or took become true, or be forgotten."""
    for entry, how in step.settled:
        if entry.change is not None:
            conversation.registry.settle(entry.change, done=how is Settled.DONE)
    for task, how in step.finished:
        follow(conversation, task, done=how is Settled.DONE)


def _translate(conversation: Conversation, item: Received, step: Step) -> bytes:
    """What the client is shown for one message."""
    if isinstance(item, DataRun):
        return take_rows(conversation, item, step)
    hidden = step.entry is not None and step.entry.hidden
    match item.kind:
        case b"E":
            return _error(conversation, item, step)
        case b"N":
            return scrub(conversation, item, step)
        case b"S":
            return _parameter(conversation, item)
        case b"A":
            return b"" if conversation.guarded else item.raw
        case b"T":
            check_columns(conversation, item, step)
        case b"Z":
            conversation.ready(server.parse_ready_for_query(item))
        case b"C":
            _complete(item, step)
        case b"W":
            raise ProtocolError("upstream.unexpected_message", "CopyBothResponse")
        case _:
            pass
    return b"" if hidden else item.raw


def _error(conversation: Conversation, item: Frame, step: Step) -> bytes:
    """An error of the server, or of ours in its place. A FATAL one ends the session."""
    said = server.parse_diagnostic(item)
    if said.severity in {"FATAL", "PANIC"}:
        raise EndSession("upstream.fatal", scrub(conversation, item, step))
    if step.entry is not None and step.entry.refusal:
        return step.entry.refusal
    for task, how in step.finished:
        if how is Settled.FAILED:
            if task.over:
                return failure(GatewayError(task.over), did=task.ruling.did)
            task.error = said.sqlstate
    return scrub(conversation, item, step)


def _parameter(conversation: Conversation, item: Frame) -> bytes:
    name, value = server.parse_parameter_status(item)
    if name == "client_encoding" and value != "UTF8":
        raise ProtocolError("upstream.unpinned", name)
    if name == "standard_conforming_strings" and value != "on":
        raise ProtocolError("upstream.unpinned", name)
    return item.raw if name in _PASSED_PARAMETERS or not conversation.guarded else b""


def _complete(item: Frame, step: Step) -> None:
    tag = server.parse_command_complete(item).tag
    for task, _ in step.finished:
        task.tag = tag
