"""What the agent is told of its application_name: the server has it under another, of which it reports nothing."""

from gateway.core.errors import Unavailable
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.login import NAME_MAX, cleaned
from gateway.session.exchange import Step
from gateway.session.task import Phase, Settled, Task
from gateway.sql.application import move_of
from gateway.wire.postgres.frames import Frame
from gateway.wire.postgres.server_messages import parameter_status

NAME = "application_name"


def heard(conversation: Conversation, kind: bytes, finished: list[tuple[Task, Settled]]) -> None:
    """Follow what the server says."""
    for task, how in finished:
        if how is Settled.DONE and task.phase is not Phase.PARSE:
            ruling = task.ruling
            move = move_of(ruling.understood.tree, task.tag, ruling.ground.catalog.server_version)
            if move is not None:
                conversation.application.follow(move)
    if kind == b"E":
        conversation.application.fail()


def at_rest(conversation: Conversation) -> bytes:
    """What stands in front of a ReadyForQuery: the name, when it has changed, as the server would report it.

    Without card numbers, as at the start of the session: it is kept, and this message is recorded as it is.
    """
    said = conversation.application.rest(idle=conversation.status == b"I")
    if said is None:
        return b""
    value = cleaned(said, NAME_MAX)
    conversation.traveller.application = value
    return parameter_status(NAME, value)


def of_the_session(conversation: Conversation, value: str) -> bytes:
    """The server reports the session's own name: nothing for the agent, and it must be the one we gave.

    Raises EndSession when code of the database has changed it: its log would no longer name the session.
    """
    if conversation.guarded and value != conversation.keeper.name_of(conversation.traveller.sid):
        raise EndSession.because(Unavailable("upstream.unpinned", NAME))
    return b""


def described(item: Frame, step: Step) -> bytes:
    """A RowDescription, its only column by the name it has for the agent."""
    about = step.entry.about if step.entry else None
    ruling = step.task.ruling if step.task else (about.ruling if about else None)
    if ruling is None or ruling.plan is None or not ruling.plan.column:
        return item.raw
    count, behind = item.raw[5:7], item.raw[item.raw.index(b"\0", 7) :]
    body = count + ruling.plan.column.encode() + behind
    return b"T" + (len(body) + 4).to_bytes(4, "big") + body
