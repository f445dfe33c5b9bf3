"""Places: never more than allowed, never lost, and a clear answer when there is none in time."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.core.errors import Unavailable
from gateway.upstream.pool import Pool
from gateway.upstream.target import Target

MakeTarget = Callable[..., Target]


async def test_a_place_is_waited_for_and_then_refused_with_53300() -> None:
    pool = Pool({"payments": 1}, patience=0.02)
    place = await pool.acquire("payments")
    with pytest.raises(Unavailable) as refused:
        await pool.acquire("payments")
    assert (refused.value.code, refused.value.entry.sqlstate) == ("upstream.too_many", "53300")
    place.release()
    (await pool.acquire("payments")).release()


async def test_a_place_given_back_twice_is_one_place() -> None:
    pool = Pool({"payments": 1}, patience=0.02)
    place = await pool.acquire("payments")
    place.release()
    place.release()
    await pool.acquire("payments")
    with pytest.raises(Unavailable):
        await pool.acquire("payments")


async def test_connections_do_not_take_places_from_each_other() -> None:
    pool = Pool({"payments": 1, "ledger": 1}, patience=0.02)
    await pool.acquire("payments")
    await pool.acquire("ledger")


async def test_a_name_without_size_has_no_place() -> None:
    with pytest.raises(Unavailable, match=r"upstream\.too_many"):
        await Pool({}).acquire("payments")


async def test_one_who_stops_waiting_takes_no_place() -> None:
    pool = Pool({"payments": 1})
    place = await pool.acquire("payments")
    waiting = asyncio.ensure_future(pool.acquire("payments"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    place.release()
    async with asyncio.timeout(1):
        await pool.acquire("payments")


async def test_a_session_holds_its_place_until_its_connection_is_gone(target: MakeTarget) -> None:
    pool = Pool({"payments": 1}, patience=0.05)
    link = await pool.open(target(), application_name="a", settings={})
    with pytest.raises(Unavailable, match=r"upstream\.too_many"):
        await pool.open(target(), application_name="b", settings={})
    link.close()
    await link.stream.wait_closed()
    await (await pool.open(target(), application_name="b", settings={})).stream.close()


async def test_a_failed_connection_gives_its_place_back(target: MakeTarget) -> None:
    pool = Pool({"payments": 1}, patience=0.05)
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"upstream\.refused"):
            await pool.open(target(secret="wrong"), application_name="a", settings={})
