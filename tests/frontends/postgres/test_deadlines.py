"""When a session has to end: by its token, by its age, by its silence; whichever comes first."""

import asyncio

import pytest

from gateway.core.clock import SystemClock
from gateway.core.principal import Principal
from gateway.frontends.postgres.conversation import EndSession
from gateway.frontends.postgres.deadlines import Deadlines
from gateway.session.exchange import Entry, Wait
from gateway.session.task import Phase, Task
from tests.frontends.scripted import ServerModel, Stage, make_stage
from tests.session import fakes

FAR = 4_000_000_000


def stage(*, expires_in: float = 1e6, lasts: float = 1e6, idle: float = 1e6) -> Stage:
    found = make_stage(ServerModel())
    now = SystemClock().now_ns() / 1e9
    principal = Principal(subject="a", issuer="i", expires_at=min(FAR, int(now + expires_in)))
    found.conversation.traveller.principal = principal
    found.keeper.session_seconds, found.keeper.idle_seconds = lasts, idle
    return found


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"expires_in": -5.0}, "session.token_expired"),
        ({"lasts": 0.02}, "session.too_old"),
        ({"idle": 0.02}, "session.idle"),
    ],
)
async def test_each_deadline_ends_the_session_with_its_own_reason(limits: dict[str, float], code: str) -> None:
    conversation = stage(**limits).conversation
    deadlines = Deadlines(conversation)
    deadlines.start()
    async with asyncio.timeout(10):
        ending = await conversation.ended
    deadlines.stop()
    assert ending.reason == code
    assert b"FATAL" in ending.farewell


async def test_a_session_that_works_is_not_silent() -> None:
    conversation = stage(idle=0.03).conversation
    conversation.deciding = True
    deadlines = Deadlines(conversation)
    deadlines.start()
    await asyncio.sleep(0.1)
    assert not conversation.ended.done()
    conversation.deciding = False
    conversation.moved()
    async with asyncio.timeout(10):
        assert (await conversation.ended).reason == "session.idle"


@pytest.mark.parametrize("answers", [[(Wait.PARSE, b"1")], [(Wait.QUERY, b"G")]])
async def test_a_client_that_leaves_a_segment_or_a_copy_unfinished_is_silent(answers: list[tuple[Wait, bytes]]) -> None:
    conversation = stage(idle=0.05).conversation
    for wait, answer in answers:
        conversation.exchange.sent(Entry(wait, (Task(fakes.ruling(), Phase.QUERY, 0),)))
        conversation.exchange.receive(answer)
    deadlines = Deadlines(conversation)
    deadlines.start()
    async with asyncio.timeout(10):
        assert (await conversation.ended).reason == "session.idle"
    deadlines.stop()


async def test_stopped_deadlines_end_nothing() -> None:
    conversation = stage(idle=0.02, lasts=0.02).conversation
    deadlines = Deadlines(conversation)
    deadlines.start()
    deadlines.stop()
    await asyncio.sleep(0.06)
    assert not conversation.ended.done()


async def test_a_client_that_has_left_is_waited_for_a_while_only() -> None:
    found = stage()
    conversation = found.conversation
    found.keeper.gone_seconds = 0.02
    conversation.deciding = True
    deadlines = Deadlines(conversation)
    deadlines.start()
    await asyncio.sleep(0.05)
    assert not conversation.ended.done()
    assert found.client is not None
    found.client.close()
    async with asyncio.timeout(10):
        assert (await conversation.ended).reason == "client.gone"
    deadlines.stop()


async def test_a_client_that_leaves_after_the_end_starts_no_timer() -> None:
    found = stage()
    found.keeper.gone_seconds = 0.0
    deadlines = Deadlines(found.conversation)
    deadlines.start()
    deadlines.stop()
    assert found.client is not None
    found.client.close()
    await asyncio.sleep(0.02)
    assert not found.conversation.ended.done()


async def test_a_token_expired_by_the_clock_is_found_without_a_timer() -> None:
    stage().conversation.check_token()
    with pytest.raises(EndSession) as ended:
        stage(expires_in=-1.0).conversation.check_token()
    assert ended.value.reason == "session.token_expired"
    assert b"FATAL" in ended.value.farewell
