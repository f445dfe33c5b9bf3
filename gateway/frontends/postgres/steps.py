"""The steps every message of a statement takes: stand on a snapshot, read the text, look up names, travel, be refused."""

from gateway.core.errors import Refused, Unavailable
from gateway.core.ids import new_id
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.refusing import refuse
from gateway.frontends.postgres.texts import failure, refusal
from gateway.session import records
from gateway.session.exchange import Wait
from gateway.session.journey import Leg, travel
from gateway.session.registry import MustWaitError, Portal, Prepared, Space
from gateway.session.ruling import Ground, Ruling
from gateway.session.task import Phase
from gateway.sql.model import Execute, Scope
from gateway.sql.understand import understand


async def ground_for(conversation: Conversation) -> Ground:
    """The snapshot to judge on; after a change of schema by this session, a new one as soon as it can be seen."""
    try:
        if conversation.catalog_void and conversation.status == b"I":
            await conversation.keeper.reload()
            conversation.catalog_void = False
        ground = await conversation.keeper.ground()
    except Unavailable as error:
        raise EndSession.because(error) from None
    if conversation.catalog_void and ground.posture.guarded:
        return Ground(ground.catalog, ground.posture, void=True)
    return ground


async def readings(
    conversation: Conversation, ground: Ground, text: str, types: tuple[int, ...] = ()
) -> tuple[Leg, ...]:
    """Understand a text. One that may EXECUTE a prepared statement first waits until its name has one meaning."""
    names: dict[str, Prepared | Portal] = {}
    if "execute" in text.lower():
        names = await _settled_names(conversation)
    prepared = {name: p.ruling.understood for name, p in names.items() if isinstance(p, Prepared) and p.ruling}
    scope = Scope(
        search_path=conversation.keeper.target.search_path,
        posture=ground.posture,
        prepared=prepared,
        parameter_types=types,
    )
    exact = text.encode()
    legs = []
    for understood in understand(text, ground.catalog, scope):
        prior = names.get(understood.effect.name) if isinstance(understood.effect, Execute) else None
        ruling = prior.ruling if isinstance(prior, Prepared) else None
        legs.append(Leg(understood, new_id(conversation.house.clock), exact, ruling))
    return tuple(legs)


async def _settled_names(conversation: Conversation) -> dict[str, Prepared | Portal]:
    while not conversation.ended.done():
        try:
            return conversation.registry.visible(Space.STATEMENT, conversation.exchange.segment)
        except MustWaitError:
            await conversation.server_moves()
    return {}


async def find(conversation: Conversation, space: Space, name: str) -> Prepared | Portal | None:
    """What a name means; waits when an answer of an earlier segment decides it."""
    while not conversation.ended.done():
        try:
            return conversation.registry.find(space, name, conversation.exchange.segment)
        except MustWaitError:
            await conversation.server_moves()
    return None


async def go(
    conversation: Conversation, wait: Wait, ground: Ground, legs: tuple[Leg, ...], phase: Phase
) -> tuple[Ruling, ...] | None:
    """Judge and record. None when it ended in a refusal, which has then been answered."""
    journey = travel(legs, phase, conversation.traveller, ground)
    conversation.statements += len(legs)
    try:
        rulings = await conversation.house.driver.perform(journey, conversation.traveller)
    except Unavailable as error:
        refuse(conversation, wait, failure(error))
        return None
    refused = next((r for r in rulings if r.refusal and r.refusal.code != "statement.withheld"), None)
    if refused is not None:
        refuse(conversation, wait, refusal(refused))
        return None
    return rulings


async def turn_away(conversation: Conversation, wait: Wait, error: Refused | Unavailable) -> None:
    """Refuse a message that is no statement to judge, and record that."""
    event = records.message_refused(conversation.traveller, error.code, error.detail)
    await conversation.house.note(event)
    refuse(conversation, wait, failure(error))
