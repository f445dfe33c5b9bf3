"""The session's search path, followed: a change goes out alone and outside a transaction, and is true once it is over.

So no rollback can take it back unseen, and no statement is judged while two paths are possible (PostgreSQL 18, §20.1.3:
a SET is undone when its transaction is).
"""

from gateway.core.errors import Unavailable
from gateway.frontends.postgres.conversation import Conversation, EndSession, PathMove
from gateway.session.registry import Prepared
from gateway.session.ruling import Leg
from gateway.session.task import Phase, Settled, Task
from gateway.sql import model


def _target(conversation: Conversation, effect: model.Effect) -> tuple[str, ...] | None:
    """The path after a statement; the pinned one has one name only."""
    path = effect.path if isinstance(effect, model.SetPath) else None
    return None if path == conversation.keeper.target.search_path else path


def _moves(conversation: Conversation, effect: model.Effect) -> bool:
    changes = isinstance(effect, model.SetPath | model.Discard)
    return changes and _target(conversation, effect) != conversation.path


async def settled(conversation: Conversation) -> bool:
    """Whether the path is known now; waits for a change whose end is on its way."""
    while conversation.path_move and conversation.exchange.will_be_ready and not conversation.ended.done():
        await conversation.server_moves()
    return conversation.path_move is None


async def may_move(conversation: Conversation, legs: tuple[Leg, ...]) -> bool:
    """Whether a message may go on: it changes no path, or it does that alone and outside a transaction."""
    if not conversation.guarded or not any(_moves(conversation, leg.understood.effect) for leg in legs):
        return True
    exchange = conversation.exchange
    while exchange.owes_earlier and not conversation.ended.done():
        await conversation.server_moves()
    return len(legs) == 1 and conversation.status == b"I" and exchange.ran != exchange.segment


def sent(conversation: Conversation, tasks: tuple[Task, ...]) -> None:
    """Note a change that is about to be sent."""
    for task in tasks:
        effect = task.ruling.understood.effect
        if conversation.guarded and not conversation.exchange.skipping and _moves(conversation, effect):
            conversation.path_move = PathMove(_target(conversation, effect))


def heard(conversation: Conversation, kind: bytes, finished: list[tuple[Task, Settled]]) -> None:
    """Follow what the server says. Raises EndSession where the change would not be for good."""
    move = conversation.path_move
    if move is None:
        return
    for task, how in finished:
        if task.phase is not Phase.PARSE and isinstance(task.ruling.understood.effect, model.SetPath | model.Discard):
            move.done = how in {Settled.DONE, Settled.SUSPENDED}
            if not move.done:
                conversation.path_move = None
    if kind == b"E":
        conversation.path_move = None
    if kind == b"Z" and conversation.path_move is not None:
        if not move.done or conversation.status != b"I":
            raise EndSession.because(Unavailable("upstream.unpinned", "search_path"))
        conversation.path, conversation.path_move = move.path, None
        conversation.registry.forget_shapes()


def outdated(conversation: Conversation, prepared: Prepared) -> bool:
    """The server would read its text again under another path than it was judged under."""
    return prepared.ruling is not None and prepared.ruling.ground.path != conversation.path
