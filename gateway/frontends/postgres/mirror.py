"""What a SQL statement changes in its session: names, what the agent says of itself, the schema."""

from gateway.frontends.postgres.conversation import Conversation
from gateway.frontends.postgres.login import SAID_MAX, cleaned
from gateway.session.registry import Change, Portal, Prepared, Space
from gateway.session.ruling import Ruling
from gateway.session.task import Phase, Task
from gateway.sql import model


def changes(ruling: Ruling) -> list[Change]:
    """The names a statement gives or takes; noted when it is sent, true once it is done."""
    match ruling.understood.effect:
        case model.Prepare(name):
            return [Change(Space.STATEMENT, name, Prepared(ruling))]
        case model.Deallocate(name):
            return [Change(Space.STATEMENT, name, None)]
        case model.Declare(name):
            return [Change(Space.PORTAL, name, Portal(Prepared(ruling), sql_cursor=True))]
        case model.CloseCursor(name):
            return [Change(Space.PORTAL, name, None)]
        case model.Discard():
            return [Change(Space.STATEMENT, None, None), Change(Space.PORTAL, None, None)]
        case _:
            return []


def follow(conversation: Conversation, task: Task, *, done: bool) -> None:
    """Let a finished statement's changes become true, or drop them."""
    for change in task.changes:
        conversation.registry.settle(change, done=done)
    effect = task.ruling.understood.effect
    if done and task.phase is not Phase.PARSE and isinstance(effect, model.Say):
        conversation.traveller.said[effect.name] = cleaned(effect.value, SAID_MAX)
