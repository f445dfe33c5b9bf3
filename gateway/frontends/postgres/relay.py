"""From the server to the client: each message is given its meaning by the exchange, checked, and passed on.

Bytes that need no change are passed on as they came. What is changed: an error that stands for a refusal, texts of the
server that could carry a protected value, and card numbers that the net finds.
"""

import contextlib

from gateway.core.errors import GatewayError, ProtocolError, Unavailable
from gateway.frontends.postgres import naming, paths
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.mirror import follow
from gateway.frontends.postgres.refusing import REJECTED
from gateway.frontends.postgres.results import check_columns, no_columns, take_rows
from gateway.frontends.postgres.server_texts import scrub
from gateway.frontends.postgres.tap import Heard
from gateway.frontends.postgres.texts import failure, masked_notice
from gateway.session.exchange import Entry, Step, Wait
from gateway.session.task import Settled, Task
from gateway.upstream.postgres import Link
from gateway.wire.postgres import client_messages
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import DataRun, Frame, Received, ServerReader

_PASSED_PARAMETERS = frozenset(
    {
        "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby",
        "integer_datetimes", "IntervalStyle", "is_superuser", "scram_iterations", "search_path", "server_encoding",
        "server_version", "session_authorization", "standard_conforming_strings", "TimeZone",
    }
)  # fmt: skip
"""What a server reports by itself (PostgreSQL 18, §54.2.7); anything else was made by somebody."""

PROBE = client_messages.SYNC + client_messages.close(client_messages.STATEMENT, REJECTED) + client_messages.SYNC
_TOLD_MAX = 4096


async def ensure_upstream(conversation: Conversation) -> Link:
    """The connection to the database, opened at the first statement that is forwarded. Raises EndSession."""
    if conversation.link is None:
        try:
            conversation.link = await conversation.keeper.open(conversation.traveller.sid, conversation.startup)
        except Unavailable as error:
            raise EndSession.because(error) from None
        conversation.keeper.told[conversation.link.pid] = conversation.pid
        conversation.relaying = conversation.house.spawn(relay(conversation, conversation.link))
        conversation.relaying.add_done_callback(conversation.failed)
    return conversation.link


async def relay(conversation: Conversation, link: Link) -> None:
    """Pass on what the server says until it or the session ends. Never raises."""
    reader = ServerReader(conversation.keeper.message_max)
    try:
        while not conversation.ended.done():
            data = await link.stream.read()
            if not data:
                raise Unavailable("upstream.lost")
            await _pass(conversation, reader, data)
    except GatewayError as error:
        conversation.leave(EndSession.because(error))
    except ConnectionError:
        conversation.leave(EndSession("client.gone"))
    except EndSession as ending:
        conversation.leave(ending)


async def _pass(conversation: Conversation, reader: ServerReader, data: bytes) -> None:
    """Handle one chunk: everything it completes goes out in one write, then its statements are closed in the log."""
    out: list[bytes] = []
    heard: list[Heard] = []
    tap = conversation.tap
    finished: list[tuple[Task, Settled]] = []
    ready = False
    try:
        for item in reader.receive_data(data):
            if conversation.asking is not None and not conversation.asking.complete:
                conversation.asking.take(item)
                continue
            step = conversation.exchange.receive(item.kind)
            finished.extend(step.finished)
            ready = ready or step.ready
            shown = _translate(conversation, item, step)
            out.append(shown)
            if tap is not None and shown:
                heard.append(tap.piece(item, step, shown, guarded=conversation.guarded))
            _settle(conversation, step)
            paths.heard(conversation, item.kind, step.finished)
            naming.heard(conversation, item.kind, step.finished)
    finally:
        await _show(conversation, b"".join(out), heard, finished, ready=ready)
    conversation.moved()
    await conversation.client.drain()
    if tap is not None:
        await tap.recording.room()


async def _show(
    conversation: Conversation, shown: bytes, heard: list[Heard], finished: list[tuple[Task, Settled]], *, ready: bool
) -> None:
    """Write to the client, then record; recorded is also what a session's end keeps from being shown."""
    try:
        if ready:
            await _before_ready(conversation)
        if shown and not conversation.ended.done():
            if conversation.tap is not None:
                conversation.tap.expect(heard)
            conversation.client.write(shown)
            conversation.client.flush()  # the client need not wait for our records
    finally:
        for task, how in finished:
            await conversation.finish(task, how)


async def _before_ready(conversation: Conversation) -> None:
    """What has to be over before a client hears that the server is ready.

    A cancel request of ours; and the reading of a schema it has changed, so that whoever learns of the change from it
    is judged on it.
    """
    await conversation.stopped()
    if conversation.catalog_void and conversation.at_rest:
        with contextlib.suppress(Unavailable):  # the next statement meets it
            await conversation.renew_catalog()


def _settle(conversation: Conversation, step: Step) -> None:
    """Let the names a message gave or took become true, or be forgotten."""
    for entry, how in step.settled:
        if entry.change is not None:
            conversation.registry.settle(entry.change, done=how is Settled.DONE)
    for task, how in step.finished:
        follow(conversation, task, done=how is Settled.DONE)
    if step.probe:
        extended = step.entry is not None and step.entry.wait is Wait.EXECUTE
        conversation.send(Entry(Wait.PROBE, hidden=True, extended=extended), PROBE)


def _translate(conversation: Conversation, item: Received, step: Step) -> bytes:  # noqa: PLR0911 -- a line a message
    """What the client is shown for one message."""
    if isinstance(item, DataRun):
        return take_rows(conversation, item, step)
    match item.kind:
        case b"E":
            conversation.doubt_inside()
            return _error(conversation, item, step)
        case b"N":
            return scrub(conversation, item, step)
        case b"S":
            return _parameter(conversation, item)
        case b"A":
            return b"" if conversation.guarded else _notification(conversation, item)
        case b"T":
            check_columns(conversation, item, step)
            return b"" if step.hidden else naming.described(item, step)
        case b"n":
            no_columns(step)
        case b"Z":
            conversation.ready(server.parse_ready_for_query(item))
            return naming.at_rest(conversation) + (b"" if step.hidden else item.raw)
        case b"C" | b"s":
            return _complete(conversation, item, step)
        case _:
            pass
    return b"" if step.hidden else item.raw


def _error(conversation: Conversation, item: Frame, step: Step) -> bytes:
    """An error of the server, or of ours in its place. A FATAL one ends the session."""
    said = server.parse_diagnostic(item)
    failed = next((task for task, how in step.finished if how is Settled.FAILED), None)
    if failed is not None:
        failed.error = failed.over or said.sqlstate
    if said.severity in {"FATAL", "PANIC"}:
        raise EndSession("upstream.fatal", scrub(conversation, item, step))
    if step.entry is not None and step.entry.refusal:
        return step.entry.refusal
    if failed is not None and failed.over:
        return failure(GatewayError(failed.over), did=failed.ruling.did)
    return scrub(conversation, item, step)


def _notification(conversation: Conversation, item: Frame) -> bytes:
    """Who hears a NOTIFY tells its own from others' by the process id: clients know those they were told at login."""
    told = conversation.keeper.told.get(server.parse_notification(item).pid)
    return item.raw if told is None else item.raw[:5] + told.to_bytes(4, "big") + item.raw[9:]


def _parameter(conversation: Conversation, item: Frame) -> bytes:
    name, value = server.parse_parameter_status(item)
    if name == "client_encoding" and value != "UTF8":
        raise ProtocolError("upstream.unpinned", name)
    if name == "standard_conforming_strings" and value != "on":
        raise ProtocolError("upstream.unpinned", name)
    if name == naming.NAME:
        return naming.of_the_session(conversation, value)
    return item.raw if name in _PASSED_PARAMETERS or not conversation.guarded else b""


def _complete(conversation: Conversation, item: Frame, step: Step) -> bytes:
    """The end of a statement, after what the client has to be told of it."""
    task = step.task
    if task is None:
        return item.raw
    if item.kind == b"C":
        task.tag = server.parse_command_complete(item).tag
    if task.portal is not None:
        task.portal.served += task.rows
    if task.over:
        task.error = task.over
        return failure(GatewayError(task.over), did=task.ruling.did)
    return _notice(conversation, task) + item.raw


def _notice(conversation: Conversation, task: Task) -> bytes:
    """Once for each statement text: which columns were seen through a mask."""
    if not conversation.keeper.notices or task.ruling.plan is None or not task.ruling.plan.masked:
        return b""
    text = task.ruling.understood.statement.sha256
    if text in conversation.told:
        return b""
    if len(conversation.told) >= _TOLD_MAX:
        conversation.told.clear()
    conversation.told.add(text)
    return masked_notice(task.ruling.plan, task.ruling.did)
