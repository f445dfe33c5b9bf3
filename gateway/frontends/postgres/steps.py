"""The steps a statement's message takes: stand on a snapshot, read the text, look up names, travel, or be refused."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from gateway.core.errors import GatewayError, Unavailable
from gateway.core.ids import new_id
from gateway.core.statement import Hazard
from gateway.frontends.postgres import inside
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.refusing import refuse
from gateway.frontends.postgres.relay import ensure_upstream
from gateway.frontends.postgres.texts import failure, refusal
from gateway.session import records
from gateway.session.exchange import Wait
from gateway.session.ground import Ground
from gateway.session.journey import travel
from gateway.session.registry import MustWaitError, Portal, Prepared, Space
from gateway.session.ruling import Leg, Ruling
from gateway.session.task import Phase, Settled, Task
from gateway.sql.model import Begin, ChangeSchema, Deallocate, Discard, Execute, Fetch, Prepare, Scope, Understood
from gateway.sql.understand import understand

LONG: Final = 32_768
"""characters; reading a text takes about 20 us for each, and all other sessions would wait meanwhile"""


async def ground_for(conversation: Conversation) -> Ground:
    """The snapshot to judge on; after a change of schema by this session, a new one as soon as it can be seen."""
    while conversation.catalog_void and conversation.exchange.will_be_ready and not conversation.ended.done():
        await conversation.server_moves()
    try:
        if conversation.catalog_void and conversation.at_rest:
            await conversation.renew_catalog()
        ground = await conversation.keeper.ground()
    except Unavailable as error:
        raise EndSession.because(error) from None
    if not ground.posture.guarded:
        conversation.was_open = True
        return ground
    if conversation.was_open:  # what it did to its path and its other settings was not followed
        raise EndSession.because(Unavailable("upstream.unpinned"))
    ground = replace(ground, void=conversation.catalog_void, path=conversation.path)
    return (inside.known(conversation, ground) if ground.void else None) or ground


async def read_on(conversation: Conversation, text: str, types: tuple[int, ...] = ()) -> tuple[Ground, tuple[Leg, ...]]:
    """A text, and the snapshot it is read on: inside a transaction that has changed the schema, that transaction's."""
    ground = await ground_for(conversation)
    legs = await readings(conversation, ground, text, types)
    if inside.is_needed(ground, legs) and (seen := await inside.look_inside(conversation, ground)) is not None:
        return seen, await readings(conversation, seen, text, types)
    return ground, legs


async def readings(
    conversation: Conversation, ground: Ground, text: str, types: tuple[int, ...] = ()
) -> tuple[Leg, ...]:
    """Understand a text. One that may EXECUTE a prepared statement first waits until its name has one meaning."""
    names: dict[str, Prepared] = {}
    if "execute" in text.lower():
        names = await _settled_names(conversation)
    prepared = {name: read_again(conversation, ground, found) for name, found in names.items()}
    known = {name: understood for name, understood in prepared.items() if understood is not None}
    exact = text.encode()
    legs = []
    for understood in await _read(text, ground, _scope(conversation, ground, types, known)):
        name = understood.effect.name if isinstance(understood.effect, Execute) else None
        prior = names[name].ruling if name is not None and name in names else None
        now = known.get(name) if name is not None else None
        cursor = await cursor_of(conversation, understood)
        legs.append(Leg(understood, new_id(conversation.house.clock), exact, prior, now, cursor))
    return tuple(_without_renamed(legs))


async def _read(text: str, ground: Ground, scope: Scope) -> tuple[Understood, ...]:
    """What a text says; a long one is read beside the loop."""
    if len(text) < LONG:
        return understand(text, ground.catalog, scope)
    return await asyncio.to_thread(understand, text, ground.catalog, scope)


def _without_renamed(legs: list[Leg]) -> Iterator[Leg]:
    """An EXECUTE behind a change of names in the same message: nobody knows yet what it will run."""
    renamed = False
    for leg in legs:
        if renamed and isinstance(leg.understood.effect, Execute):
            statement = leg.understood.statement
            hazards = tuple(sorted({*statement.hazards, Hazard(code="prepared.unknown")}))
            unknown = msgspec.structs.replace(statement, hazards=hazards)
            yield replace(leg, understood=msgspec.structs.replace(leg.understood, statement=unknown), prior=None)
        else:
            yield leg
        renamed = renamed or isinstance(leg.understood.effect, Prepare | Deallocate | Discard)


def read_again(conversation: Conversation, ground: Ground, prepared: Prepared) -> Understood | None:
    """What the text of a prepared statement means on the snapshot that holds now; None for one without any SQL.

    The server reads its text again when a relation moved, so it may mean something else than it did.
    """
    ruling = prepared.ruling
    if ruling is None or ruling.ground.like(ground):
        return None if ruling is None else ruling.understood
    scope = _scope(conversation, ground, prepared.types)
    text = prepared.text.decode() if prepared.text else ruling.understood.text
    again = understand(text, ground.catalog, scope)
    return again[0] if len(again) == 1 else ruling.understood


def _scope(
    conversation: Conversation, ground: Ground, types: tuple[int, ...], prepared: dict[str, Understood] | None = None
) -> Scope:
    path = conversation.keeper.target.search_path if ground.path is None else ground.path
    return Scope(search_path=path, posture=ground.posture, prepared=prepared or {}, parameter_types=types)


async def cursor_of(conversation: Conversation, understood: Understood) -> Ruling | None:
    """The ruling under which the cursor of a FETCH was opened; None for other statements and unknown cursors."""
    if not isinstance(understood.effect, Fetch):
        return None
    found = await find(conversation, Space.PORTAL, understood.effect.name)
    return found.prepared.ruling if isinstance(found, Portal) else None


async def _settled_names(conversation: Conversation) -> dict[str, Prepared]:
    while not conversation.ended.done():
        try:
            names = conversation.registry.visible(Space.STATEMENT, conversation.exchange.segment)
        except MustWaitError:
            await conversation.server_moves()
        else:
            return {name: found for name, found in names.items() if isinstance(found, Prepared)}
    return {}


async def find(conversation: Conversation, space: Space, name: str) -> Prepared | Portal | None:
    """What a name means; waits when an answer of an earlier segment decides it."""
    while not conversation.ended.done():
        try:
            return conversation.registry.find(space, name, conversation.exchange.segment)
        except MustWaitError:
            await conversation.server_moves()
    return None


async def go(  # noqa: PLR0913, PLR0917 -- what a journey needs
    conversation: Conversation, wait: Wait, ground: Ground, legs: tuple[Leg, ...], phase: Phase, name: str = ""
) -> tuple[Task, ...] | None:
    """Judge, record, and have a connection to send on. None when it ended in a refusal, which has been answered.

    Raises EndSession.
    """
    conversation.check_token()
    journey = travel(legs, phase, conversation.traveller, ground)
    conversation.statements += len(legs)
    conversation.deciding, conversation.stop_when_sent = True, False
    tap = conversation.tap
    if tap is not None:
        tap.judged(legs, phase)
    try:
        rulings = await conversation.house.driver.perform(journey, conversation.traveller)
        refused = next((r for r in rulings if r.refusal and r.refusal.code != "statement.withheld"), None)
        if refused is not None:
            refuse(conversation, wait, refusal(refused), name)
            if tap is not None:
                tap.refused(rulings)
            return None
        return await _sendable(conversation, rulings, phase)
    except Unavailable as error:
        refuse(conversation, wait, failure(error, did=legs[0].did if legs else ""), name)
        if tap is not None:
            tap.failed(legs, error.code)
        return None
    finally:
        conversation.deciding = False
        conversation.moved()


async def _sendable(conversation: Conversation, rulings: tuple[Ruling, ...], phase: Phase) -> tuple[Task, ...]:
    """Decided statements, and somewhere to send them. When there is nowhere any more, that is their outcome."""
    tasks = tuple(conversation.task(ruling, phase) for ruling in rulings)
    try:
        if conversation.ended.done():
            raise conversation.ended.result()
        await ensure_upstream(conversation)
    except EndSession:
        for task in tasks:
            await conversation.finish(task, Settled.LOST)
        raise
    if any(isinstance(ruling.understood.effect, Begin) for ruling in rulings):
        conversation.doubt_inside()  # a savepoint may bring another schema back
    if phase is not Phase.PARSE and any(isinstance(r.understood.effect, ChangeSchema) for r in rulings):
        conversation.void_catalog()
    return tasks


async def turn_away(conversation: Conversation, wait: Wait, error: GatewayError) -> None:
    """Refuse a message that is no statement to judge, and record that."""
    event = records.message_refused(conversation.traveller, error.code, error.detail)
    await conversation.house.note(event)
    refuse(conversation, wait, failure(error))
