"""The steps of a statement's message: the snapshot it stands on, names that must settle, and what cannot be sent."""

import asyncio
from dataclasses import replace

import pytest

from gateway.core.errors import Unavailable
from gateway.core.events import EventType
from gateway.core.site import Posture
from gateway.frontends.postgres.conversation import EndSession
from gateway.frontends.postgres.steps import LONG, find, ground_for, readings
from gateway.session.ground import Ground
from gateway.session.registry import Change, Prepared, Space
from tests.frontends.scripted import ServerModel, make_stage, play
from tests.session import fakes
from tests.support.rawpg import SYNC, TERMINATE, query


async def test_after_a_change_of_schema_the_snapshot_is_read_again_once_it_can_be_seen() -> None:
    stage = make_stage(ServerModel())
    reloaded: list[int] = []

    async def reload() -> None:
        reloaded.append(1)

    stage.keeper.reload = reload  # type: ignore[method-assign]  # counted
    conversation = stage.conversation
    conversation.catalog_void = True
    conversation.status = b"T"
    assert (await ground_for(conversation)).void
    conversation.status = b"I"
    assert not (await ground_for(conversation)).void
    assert reloaded == [1]


async def test_in_open_posture_nothing_is_void() -> None:
    conversation = make_stage(ServerModel(), posture=Posture(guarded=False)).conversation
    conversation.catalog_void = True
    conversation.status = b"T"
    assert not (await ground_for(conversation)).void


async def test_a_database_that_cannot_be_read_ends_the_session() -> None:
    stage = make_stage(ServerModel())

    async def away() -> Ground:
        raise Unavailable("upstream.unreachable")

    stage.keeper.ground = away  # type: ignore[method-assign]  # a database that is away
    with pytest.raises(EndSession):
        await ground_for(stage.conversation)


async def test_a_name_an_earlier_segment_has_given_is_waited_for() -> None:
    conversation = make_stage(ServerModel()).conversation
    change = conversation.registry.note(Change(Space.STATEMENT, "a", Prepared(fakes.ruling())), 0)
    conversation.exchange.segment = 1
    waiting = asyncio.ensure_future(find(conversation, Space.STATEMENT, "a"))
    reading = asyncio.ensure_future(readings(conversation, fakes.GROUND, "EXECUTE a"))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    assert not reading.done()
    conversation.registry.settle(change, done=True)
    conversation.moved()
    assert await waiting is change.value
    (leg,) = await reading
    assert leg.prior is not None


async def test_an_execute_behind_a_change_of_names_in_the_same_message_is_a_hazard() -> None:
    conversation = make_stage(ServerModel()).conversation
    conversation.registry.confirmed[Space.STATEMENT]["a"] = Prepared(fakes.ruling())
    first, last = await readings(conversation, fakes.GROUND, "DEALLOCATE a; EXECUTE a")
    assert not first.understood.statement.hazards
    assert [hazard.code for hazard in last.understood.statement.hazards] == ["prepared.unknown"]
    assert last.prior is None


async def test_while_a_long_text_is_read_other_sessions_go_on() -> None:
    conversation = make_stage(ServerModel()).conversation
    text = "SELECT " + ",".join(f"{number}::text" for number in range(LONG // 4))
    assert len(text) >= LONG
    reading = asyncio.ensure_future(readings(conversation, fakes.GROUND, text))
    turns = 0
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    (leg,) = await reading
    assert leg.exact == text.encode()
    assert turns > 10


def test_a_statement_that_has_nowhere_to_go_has_that_as_its_outcome() -> None:
    async def run() -> tuple[bytes, list[str], object]:
        stage = make_stage(ServerModel())

        async def closed(sid: str, settings: object) -> object:
            del sid, settings
            raise Unavailable("upstream.too_many")

        stage.keeper.open = closed  # type: ignore[method-assign,assignment]  # no place
        shown = await play(stage, [query("SELECT 1") + SYNC + TERMINATE])
        finished = [event.outcome for event in stage.log.of(EventType.STATEMENT_FINISHED)]
        return shown, finished, stage.log.of(EventType.SESSION_CLOSED)[0].data["reason"]

    shown, finished, reason = asyncio.run(run())
    assert b"C53300" in shown
    assert b"SFATAL" in shown
    assert finished == ["lost"]
    assert reason == "upstream.too_many"


def test_void_ground_is_another_ground_of_the_same_content() -> None:
    assert replace(fakes.GROUND, void=True).like(fakes.GROUND)
