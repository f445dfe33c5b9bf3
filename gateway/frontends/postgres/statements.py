"""Statements of a client, each taken through the journey before its message, or another in its place, goes upstream."""

from gateway.core.errors import Refused
from gateway.core.ids import new_id
from gateway.frontends.postgres.conversation import Conversation
from gateway.frontends.postgres.mirror import changes
from gateway.frontends.postgres.relay import ensure_upstream
from gateway.frontends.postgres.steps import find, go, ground_for, readings, turn_away
from gateway.session.composition import compose
from gateway.session.exchange import Entry, Wait
from gateway.session.journey import Leg
from gateway.session.registry import Change, Portal, Prepared, Space
from gateway.session.task import Phase
from gateway.wire.postgres import client_messages as wire


async def on_query(conversation: Conversation, message: wire.Query) -> None:
    """A simple Query: one or more statements, one decision each; one refusal holds back all."""
    ground = await ground_for(conversation)
    legs = await readings(conversation, ground, message.text)
    rulings = await go(conversation, Wait.QUERY, ground, legs, Phase.QUERY)
    if rulings is None:
        return
    await ensure_upstream(conversation)
    tasks = tuple(conversation.task(ruling, Phase.QUERY) for ruling in rulings)
    for task in tasks:
        task.changes = [conversation.note(change) for change in changes(task.ruling)]
    text, positions = compose(message.text, rulings)
    conversation.send(Entry(Wait.QUERY, tasks, positions=positions), wire.query(text))


async def on_parse(conversation: Conversation, message: wire.Parse) -> None:
    """Parse: decided before the server plans anything, and what it plans is the rewritten text."""
    ground = await ground_for(conversation)
    legs = await readings(conversation, ground, message.text, message.types)
    if len(legs) > 1:
        await turn_away(conversation, Wait.PARSE, Refused("statement.multiple"))
        return
    rulings = await go(conversation, Wait.PARSE, ground, legs, Phase.PARSE)
    if rulings is None:
        if message.name == "":
            conversation.registry.forget(Space.STATEMENT, "")
        return
    await ensure_upstream(conversation)
    prepared = Prepared(rulings[0] if rulings else None, message.text.encode())
    change = conversation.note(Change(Space.STATEMENT, message.name, prepared))
    text, positions = compose(message.text, rulings, comment=False)
    tasks = tuple(conversation.task(ruling, Phase.PARSE) for ruling in rulings)
    entry = Entry(Wait.PARSE, tasks, change=change, about=prepared, positions=positions)
    conversation.send(entry, wire.parse_message(message.name, text, message.types))


async def on_bind(conversation: Conversation, message: wire.Bind) -> None:
    """Bind: only to a statement we know. Whether it still holds is asked again at each Execute."""
    prepared = await find(conversation, Space.STATEMENT, message.statement)
    if not isinstance(prepared, Prepared):
        await turn_away(conversation, Wait.BIND, Refused("prepared.unknown"))
        return
    await ensure_upstream(conversation)
    change = conversation.note(Change(Space.PORTAL, message.portal, Portal(prepared, message.raw)))
    conversation.send(Entry(Wait.BIND, change=change, about=prepared), message.raw)


async def on_execute(conversation: Conversation, message: wire.Execute) -> None:
    """Execute: decided and recorded each time, the exact statement and values bound by the mac."""
    portal = await find(conversation, Space.PORTAL, message.portal)
    if not isinstance(portal, Portal):
        await turn_away(conversation, Wait.EXECUTE, Refused("portal.unknown"))
        return
    prepared = portal.prepared
    await ensure_upstream(conversation)
    if prepared.ruling is None:
        conversation.send(Entry(Wait.EXECUTE), message.raw)
        return
    ground = await ground_for(conversation)
    exact = prepared.text + portal.bind
    leg = Leg(prepared.ruling.understood, new_id(conversation.house.clock), exact, prepared.ruling)
    rulings = await go(conversation, Wait.EXECUTE, ground, (leg,), Phase.EXECUTE)
    if rulings is None:
        return
    if conversation.guarded and not prepared.described:
        _ask_for_columns(conversation, prepared, message.portal)
    task = conversation.task(rulings[0], Phase.EXECUTE)
    task.portal, task.exempt = portal, prepared.exempt
    task.changes = [conversation.note(change) for change in changes(rulings[0])]
    conversation.send(Entry(Wait.EXECUTE, (task,), about=prepared), message.raw)


def _ask_for_columns(conversation: Conversation, prepared: Prepared, portal: str) -> None:
    """Add the Describe the client did not send: no row is shown before its columns were checked against the plan."""
    conversation.send(Entry(Wait.DESCRIBE, hidden=True, about=prepared), wire.describe(b"P", portal))


async def on_describe(conversation: Conversation, message: wire.Describe) -> None:
    """Describe: harmless, and its answer is checked against the plan."""
    space = Space.STATEMENT if message.target == b"S" else Space.PORTAL
    found = await find(conversation, space, message.name)
    await ensure_upstream(conversation)
    about = found.prepared if isinstance(found, Portal) else found
    conversation.send(Entry(Wait.DESCRIBE, about=about), message.raw)


async def on_close(conversation: Conversation, message: wire.Close) -> None:
    """Close: a name is gone once the server says so."""
    space = Space.STATEMENT if message.target == b"S" else Space.PORTAL
    await ensure_upstream(conversation)
    change = conversation.note(Change(space, message.name, None))
    conversation.send(Entry(Wait.CLOSE, change=change), message.raw)


async def on_function_call(conversation: Conversation, message: wire.FunctionCall) -> None:
    """FunctionCall: a call by OID that no parser sees. Never forwarded; answered as a Query is (§54.2.5)."""
    await turn_away(conversation, Wait.QUERY, Refused("wire.function_call", f"function {message.function}"))
