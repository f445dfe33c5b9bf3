"""The snapshot stays true: read once, again after changes by anybody; a database that is away is said to be."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.core.site import Posture
from gateway.frontends import keeper as keeping
from gateway.frontends.keeper import Keeper
from gateway.upstream.pool import Pool
from tests.frontends.world import LABELLED, make_target
from tests.support.postgres import Cluster


@pytest.fixture
async def keeper(cluster: Cluster, database: Callable[..., str]) -> AsyncIterator[Keeper]:
    target = make_target(cluster, "payments", database())
    found = Keeper("payments", target, Pool({"payments": 5}), lambda _: LABELLED)
    yield found
    found.close()
    await asyncio.sleep(0.05)


async def test_the_snapshot_is_read_once_for_many_who_ask_at_once(keeper: Keeper) -> None:
    grounds = await asyncio.gather(*(keeper.ground() for _ in range(20)))
    assert all(ground is grounds[0] for ground in grounds)
    assert grounds[0].catalog.resolve(("cards",), ("public",)) is not None
    assert grounds[0].catalog.protected
    assert keeper.parameters["server_version"].startswith("15")
    assert "search_path" not in keeper.parameters


async def test_a_look_reloads_only_after_a_change_made_by_anybody(keeper: Keeper, cluster: Cluster) -> None:
    before = await keeper.ground()
    await keeper.look()
    assert await keeper.ground() is before
    await asyncio.to_thread(cluster.run, "CREATE TABLE fresh(id int)", keeper.target.database)
    await asyncio.gather(*(keeper.look() for _ in range(5)))
    after = await keeper.ground()
    assert after.catalog.resolve(("fresh",), ("public",)) is not None
    assert not after.like(before)


async def test_other_labels_give_another_snapshot_without_reading_again(keeper: Keeper) -> None:
    before = await keeper.ground()
    keeper.posture = lambda _: Posture(labels={"public.customers": {"email": ("pii",)}})
    after = await keeper.ground()
    assert not after.like(before)
    assert set(after.catalog.protected.values()) == {("pii",)}


async def test_a_label_outlives_a_rename_made_elsewhere(keeper: Keeper, cluster: Cluster) -> None:
    await keeper.ground()
    await asyncio.to_thread(cluster.run, "ALTER TABLE cards RENAME TO plain_things", keeper.target.database)
    await keeper.look()
    catalog = (await keeper.ground()).catalog
    found = catalog.resolve(("plain_things",), ("public",))
    assert found is not None
    assert any(oid == found.oid for oid, _ in catalog.protected)


async def test_looking_and_reloading_at_once_do_not_meet_on_one_connection(keeper: Keeper) -> None:
    await keeper.ground()
    await asyncio.gather(*(keeper.look() for _ in range(5)), *(keeper.reload() for _ in range(3)))
    assert (await keeper.ground()).catalog.relations


async def test_a_database_that_is_away_is_said_to_be_and_read_when_it_is_back(keeper: Keeper, cluster: Cluster) -> None:
    away = make_target(cluster, "payments", keeper.target.database, port=1)
    back, keeper.target = keeper.target, away
    with pytest.raises(Unavailable, match=r"upstream\.unreachable"):
        await keeper.ground()
    await keeper.look()
    keeper.target = back
    assert (await keeper.ground()).catalog.relations


async def test_a_lost_catalog_connection_is_replaced(keeper: Keeper, cluster: Cluster) -> None:
    before = await keeper.ground()
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'querywarden/catalog'"
    await asyncio.to_thread(cluster.run, kill)
    await asyncio.sleep(0.2)
    await keeper.look()
    await keeper.reload()
    assert (await keeper.ground()).like(before)


async def test_sessions_above_the_size_of_the_pool_wait_and_are_then_refused(keeper: Keeper) -> None:
    keeper.pool = Pool({"payments": 1}, patience=0.1)
    link = await keeper.open("one", {})
    with pytest.raises(Unavailable, match=r"upstream\.too_many"):
        await keeper.open("two", {})
    link.close()
    await link.stream.wait_closed()
    (await keeper.open("three", {})).close()


async def test_watching_goes_on_until_it_is_cancelled(keeper: Keeper) -> None:
    watching = asyncio.ensure_future(keeper.watch())
    await asyncio.sleep(0)
    assert not watching.done()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert watching.cancelled()


async def test_many_who_ask_for_a_reload_at_once_share_one_that_began_after_they_asked(keeper: Keeper) -> None:
    first = asyncio.ensure_future(keeper.reload())
    await asyncio.sleep(0)
    before = keeper.readings
    await asyncio.gather(first, *(keeper.reload() for _ in range(20)))
    assert keeper.readings - before <= 2


@pytest.mark.parametrize("turns", [1, 2, 4, 8, 16, 32, 64])
async def test_a_session_that_ends_while_it_waits_for_the_catalog_spoils_nothing_for_others(
    keeper: Keeper, cluster: Cluster, turns: int
) -> None:
    await keeper.ground()
    await asyncio.to_thread(cluster.run, "CREATE TABLE fresh(id int)", keeper.target.database)
    asked = asyncio.ensure_future(keeper.reload())
    for _ in range(turns):
        await asyncio.sleep(0.0005)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await keeper.look()
    catalog = (await keeper.ground()).catalog
    assert catalog.resolve(("fresh",), ("public",)) is not None
    assert catalog.protected


async def test_a_database_that_hangs_is_given_up_and_asked_anew(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "READ_SECONDS", 0.3)
    monkeypatch.setattr(keeping, "_FINGERPRINT", "SELECT pg_sleep(60)::text")
    with pytest.raises(Unavailable, match=r"upstream\.timeout"):
        await keeper.ground()
    monkeypatch.undo()
    assert (await keeper.ground()).catalog.relations


async def test_the_database_says_what_time_it_is_also_beside_a_reading_of_the_catalog(keeper: Keeper) -> None:
    times, _ = await asyncio.gather(asyncio.gather(*(keeper.clock_us() for _ in range(5))), keeper.ground())
    assert max(times) - min(times) < 60_000_000
    assert abs(times[0] - SystemClock().now_ns() // 1000) < 60_000_000
