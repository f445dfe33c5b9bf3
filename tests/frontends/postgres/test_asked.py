"""What answers the gateway's own question is taken in order; anything else ends the session."""

import asyncio

import pytest

from gateway.core.errors import ProtocolError
from gateway.frontends.postgres.asked import Asked
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.fields import message
from gateway.wire.postgres.frames import ServerReader

ROW = message(b"D", (1).to_bytes(2, "big"), (1).to_bytes(4, "big"), b"x")
READY = server.ready_for_query(b"T")


async def take(*data: bytes) -> Asked:
    asked = Asked()
    for item in ServerReader(1 << 20).receive_data(b"".join(data)):
        asked.take(item)
    return asked


async def test_each_result_is_by_itself_and_two_ready_for_query_end_it() -> None:
    done = server.command_complete("SELECT 1")
    asked = await take(ROW, ROW, done, done, READY)
    assert (asked.results, asked.complete, asked.done.done()) == ([[("x",), ("x",)], []], False, False)
    asked = await take(ROW, done, READY, done, READY)
    assert (asked.results, asked.status, asked.complete, asked.refused) == ([[("x",)], []], b"T", True, "")
    await asyncio.wait_for(asked.done, 1)


async def test_an_error_is_kept_and_a_fatal_one_ends_the_session() -> None:
    assert (await take(server.error_response(sqlstate="57014", message="m"), READY)).refused == "57014"
    with pytest.raises(ProtocolError):
        await take(server.error_response(severity="FATAL", sqlstate="57P01", message="m"))


@pytest.mark.parametrize("kind", [b"1", b"G", b"R", b"d"])
async def test_what_answers_no_question_ends_the_session(kind: bytes) -> None:
    with pytest.raises(ProtocolError):
        await take(message(kind, bytes(5)))


async def test_notices_and_settings_are_passed_over() -> None:
    asked = await take(server.parameter_status("search_path", "x"), server.notice_response(message="n"), READY, READY)
    assert asked.complete


async def test_the_end_of_the_session_ends_the_wait() -> None:
    asked = Asked()
    asked.give_up(None)
    asked.give_up(None)
    await asyncio.wait_for(asked.done, 1)
    assert not asked.complete
