"""Statements of a client, each taken through the journey before its message, or another in its place, goes upstream."""

from dataclasses import replace

from gateway.core.errors import Refused
from gateway.core.ids import new_id
from gateway.frontends.postgres import inside, paths
from gateway.frontends.postgres.conversation import Conversation
from gateway.frontends.postgres.mirror import changes
from gateway.frontends.postgres.relay import ensure_upstream
from gateway.frontends.postgres.steps import cursor_of, find, go, ground_for, read_again, read_on, readings, turn_away
from gateway.session.composition import compose
from gateway.session.exchange import Entry, Wait
from gateway.session.ground import Ground
from gateway.session.registry import Change, Portal, Prepared, Space
from gateway.session.ruling import Leg, Ruling
from gateway.session.task import Phase
from gateway.sql import model
from gateway.wire.postgres import client_messages as wire


async def on_query(conversation: Conversation, message: wire.Query) -> None:
    """A simple Query: one or more statements, one decision each; one refusal holds back all."""
    if not await paths.settled(conversation):
        await turn_away(conversation, Wait.QUERY, Refused("setting.path_moves"))
        return
    ground, legs = await read_on(conversation, message.text)
    if not await paths.may_move(conversation, legs):
        await turn_away(conversation, Wait.QUERY, Refused("setting.path_moves"))
        return
    tasks = await go(conversation, Wait.QUERY, ground, legs, Phase.QUERY)
    if tasks is None:
        return
    for task in tasks:
        task.changes = [conversation.note(change) for change in changes(task.ruling)]
    paths.sent(conversation, tasks)
    text, positions = compose(message.text, [task.ruling for task in tasks])
    conversation.send(Entry(Wait.QUERY, tasks, positions=positions), wire.query(text))


async def on_parse(conversation: Conversation, message: wire.Parse) -> None:
    """Parse: decided before the server plans anything, and what it plans is the rewritten text."""
    if not await paths.settled(conversation):
        await turn_away(conversation, Wait.PARSE, Refused("setting.path_moves"))
        return
    ground, legs = await read_on(conversation, message.text, message.types)
    if len(legs) > 1:
        await turn_away(conversation, Wait.PARSE, Refused("statement.multiple"))
        return
    tasks = await go(conversation, Wait.PARSE, ground, legs, Phase.PARSE, message.name)
    if tasks is None:
        if not message.name:
            conversation.registry.forget(Space.STATEMENT, "")
        return
    rulings = [task.ruling for task in tasks]
    text, positions = compose(message.text, rulings)
    prepared = Prepared(rulings[0] if rulings else None, message.text.encode(), message.types, positions=positions)
    change = conversation.note(Change(Space.STATEMENT, message.name, prepared))
    entry = Entry(Wait.PARSE, tasks, change=change, about=prepared)
    conversation.send(entry, wire.parse_message(message.name, text, message.types))


async def on_bind(conversation: Conversation, message: wire.Bind) -> None:
    """Bind: only to a statement we know. Whether it still holds is asked again at each Execute."""
    prepared = await find(conversation, Space.STATEMENT, message.statement)
    if not isinstance(prepared, Prepared):
        await turn_away(conversation, Wait.BIND, Refused("prepared.unknown"))
        return
    if not await paths.settled(conversation) or paths.outdated(conversation, prepared):
        await turn_away(conversation, Wait.BIND, Refused("statement.plan_changed"))
        return
    if conversation.tap is not None:
        conversation.tap.bound(prepared.ruling.understood.statement if prepared.ruling else None, prepared.text)
    await ensure_upstream(conversation)
    portal = Portal(prepared, message.raw, message.result_formats)
    change = conversation.note(Change(Space.PORTAL, message.portal, portal))
    conversation.send(Entry(Wait.BIND, change=change, about=prepared), message.raw)


async def on_execute(conversation: Conversation, message: wire.Execute) -> None:
    """Execute: decided and recorded each time, the exact statement and values bound by the mac."""
    portal = await find(conversation, Space.PORTAL, message.portal)
    if not isinstance(portal, Portal):
        await turn_away(conversation, Wait.EXECUTE, Refused("portal.unknown"))
        return
    prepared = portal.prepared
    if not await paths.settled(conversation):
        await turn_away(conversation, Wait.EXECUTE, Refused("setting.path_moves"))
        return
    if prepared.ruling is None:
        await ensure_upstream(conversation)
        conversation.send(Entry(Wait.EXECUTE), message.raw)
        return
    ground = await ground_for(conversation)
    leg = await _leg(conversation, ground, portal, prepared.ruling)
    if inside.is_needed(ground, (leg,)) and (seen := await inside.look_inside(conversation, ground)) is not None:
        ground = seen
        leg = await _leg(conversation, ground, portal, prepared.ruling)
    if not await paths.may_move(conversation, (leg,)):
        await turn_away(conversation, Wait.EXECUTE, Refused("setting.path_moves"))
        return
    tasks = await go(conversation, Wait.EXECUTE, ground, (leg,), Phase.EXECUTE)
    if tasks is None:
        return
    (task,) = tasks
    if conversation.guarded and _columns_unknown(conversation, prepared):
        _ask_for_columns(conversation, prepared, message.portal)
    task.portal = portal
    task.changes = [conversation.note(change) for change in changes(task.ruling)]
    paths.sent(conversation, tasks)
    conversation.send(Entry(Wait.EXECUTE, tasks, about=prepared), message.raw)


async def _leg(conversation: Conversation, ground: Ground, portal: Portal, prior: Ruling) -> Leg:
    """The statement of a portal as it reads now. A name it EXECUTEs may mean another statement than at Parse."""
    prepared = portal.prepared
    exact = prepared.text + portal.bind
    if isinstance(prior.understood.effect, model.Execute):
        (leg,) = await readings(conversation, ground, prior.understood.text, prepared.types)
        return replace(leg, exact=exact, mark=prior.did)
    understood = read_again(conversation, ground, prepared) or prior.understood
    cursor = await cursor_of(conversation, understood)
    return Leg(understood, new_id(conversation.house.clock), exact, prior, understood, cursor, prior.did)


def _columns_unknown(conversation: Conversation, prepared: Prepared) -> bool:
    """Whether what an Execute gives has yet to be described. A FETCH may meet another cursor of its name each time."""
    if prepared.ruling is not None and isinstance(prepared.ruling.understood.effect, model.Fetch):
        return True
    return prepared.shape is None and prepared.asked != conversation.exchange.segment


def _ask_for_columns(conversation: Conversation, prepared: Prepared, portal: str) -> None:
    """Add the Describe the client did not send: no row is shown before its columns were checked against the plan."""
    prepared.asked = conversation.exchange.segment
    conversation.send(Entry(Wait.DESCRIBE, hidden=True, about=prepared), wire.describe(wire.PORTAL, portal))


async def on_describe(conversation: Conversation, message: wire.Describe) -> None:
    """Describe: harmless, and its answer is checked against the plan."""
    space = Space.STATEMENT if message.target == wire.STATEMENT else Space.PORTAL
    found = await find(conversation, space, message.name)
    if found is None:
        code = "prepared.unknown" if space is Space.STATEMENT else "portal.unknown"
        await turn_away(conversation, Wait.DESCRIBE, Refused(code))
        return
    await ensure_upstream(conversation)
    about = found.prepared if isinstance(found, Portal) else found
    if isinstance(found, Prepared) and (not await paths.settled(conversation) or paths.outdated(conversation, about)):
        await turn_away(conversation, Wait.DESCRIBE, Refused("statement.plan_changed"))
        return
    about.asked = conversation.exchange.segment
    conversation.send(Entry(Wait.DESCRIBE, about=about), message.raw)


async def on_close(conversation: Conversation, message: wire.Close) -> None:
    """Close: a name is gone once the server says so."""
    space = Space.STATEMENT if message.target == wire.STATEMENT else Space.PORTAL
    await ensure_upstream(conversation)
    change = conversation.note(Change(space, message.name, None))
    conversation.send(Entry(Wait.CLOSE, change=change), message.raw)


async def on_function_call(conversation: Conversation, message: wire.FunctionCall) -> None:
    """FunctionCall: a call by OID that no parser sees. Never forwarded; answered as a Query is (§54.2.5)."""
    await turn_away(conversation, Wait.QUERY, Refused("wire.function_call", f"function {message.function}"))
