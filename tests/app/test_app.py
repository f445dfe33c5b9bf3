"""The whole gateway in one process: it starts with what it has, follows its bundle, and lets go of everything."""

import asyncio

import msgspec
import psycopg
import pytest
import yaml

from gateway import app
from gateway.config.load import load
from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.evidence.verify import verify
from tests.app.place import Place
from tests.support.bundle import Site, everything_but_clear
from tests.support.postgres import Cluster


async def test_a_statement_goes_all_the_way_and_the_log_of_it_verifies(place: Place) -> None:
    async with place.running():
        assert await place.ask("SELECT count(*) FROM customers WHERE id = -1") == [(0,)]
    report = verify(place.folder / "var", SystemClock())
    assert report.ok
    assert report.epochs[0].decisions == 1
    leaves = b"\n".join(place.types())
    for kind in (b"log.opened", b"config.loaded", b"bundle.activated", b"session.opened", b"session.closed"):
        assert b'"type":"' + kind in leaves
    assert b"log.closed" in place.types()[-1]


async def test_without_a_bundle_agents_get_in_and_everything_is_denied(place: Place) -> None:
    (place.folder / "bundle.tar.gz").unlink()
    async with place.running():
        with pytest.raises(psycopg.errors.CannotConnectNow, match="no valid policy bundle"):
            await place.ask("SELECT 1")


@pytest.mark.parametrize("damage", ["flipped", "cut", "unsigned"])
async def test_a_damaged_bundle_denies_everything_and_the_record_says_why(place: Place, damage: str) -> None:
    path = place.folder / "bundle.tar.gz"
    raw = path.read_bytes()
    changed = {"flipped": raw[:2000] + bytes([raw[2000] ^ 1]) + raw[2001:], "cut": raw[:-100], "unsigned": b"no bundle"}
    path.write_bytes(changed[damage])
    async with place.running():
        with pytest.raises(psycopg.errors.CannotConnectNow):
            await place.ask("SELECT 1")
    assert any(b'"type":"bundle.rejected"' in leaf and b'"code":"bundle.' in leaf for leaf in place.types())


async def test_a_new_bundle_governs_the_next_statement_without_a_restart(place: Place) -> None:
    async with place.running() as gateway:
        assert await place.ask("SELECT 1 AS a") == [(1,)]
        place.lay(Site({}, {"grants": []}))
        await gateway.reload()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await place.ask("SELECT 1 AS a")


@pytest.mark.parametrize("parameters", [None, ()], ids=["simple", "extended"])
async def test_a_cursor_opened_under_another_policy_shows_nothing_more(
    place: Place, parameters: tuple[object, ...] | None
) -> None:
    async with place.running() as gateway, await place.connect() as connection:
        declare = b"DECLARE c CURSOR WITH HOLD FOR SELECT pan FROM cards ORDER BY id"
        await connection.execute(declare)
        first = await connection.execute(b"FETCH 1 FROM c", parameters)
        assert await first.fetchall() == [("************1111",)]
        place.lay(everything_but_clear("payments", masks={"pan": "null", "cvv": "null"}))
        await gateway.reload()
        for sql in (b"FETCH 1 FROM c", b"FETCH ALL FROM c", b"MOVE 1 FROM c"):
            with pytest.raises(psycopg.errors.FeatureNotSupported, match="policy moved"):
                await connection.execute(sql, parameters)
        await connection.execute(b"CLOSE c")
        await connection.execute(declare)
        again = await connection.execute(b"FETCH 1 FROM c", parameters)
        assert await again.fetchall() == [(None,)]


async def test_sessions_with_open_work_live_through_ten_bundles_and_each_decision_names_its_own(place: Place) -> None:
    read, other = b"SELECT id FROM customers WHERE id = %s", b"SELECT amount_cents FROM orders WHERE id = %s"
    async with place.running() as gateway, await place.connect() as busy, await place.connect() as free:
        await busy.execute(b"BEGIN")
        begun = await (await busy.execute(b"SELECT now() AS t")).fetchall()
        for connection in (busy, free):
            await connection.execute(read, (1,), prepare=True)
        active = []
        for number in range(10):
            blocked = [{"pattern": "(?i)from customers", "connections": ["payments"]}] if number % 2 else []
            place.lay(everything_but_clear("payments", deny=blocked, masks={"pan": "last4", "cvv": "null"}, limits=[
                {"groups": ["agents"], "rows": 1000 + number},
            ]))  # fmt: skip
            await gateway.reload()
            active.append(f"sha256:{gateway.activator.active_sha256}")
            if blocked:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await free.execute(read, (1,), prepare=True)
            else:
                assert await (await free.execute(read, (1,), prepare=True)).fetchall() == [(1,)]
                assert await (await busy.execute(read, (1,), prepare=True)).fetchall() == [(1,)]
            assert await (await busy.execute(other, (-1,), prepare=True)).fetchall() == []
            assert await (await busy.execute(b"SELECT now() AS t")).fetchall() == begun
        await busy.execute(b"COMMIT")
    assert len(set(active)) == 10
    leaves = [msgspec.json.decode(leaf) for leaf in place.types()]
    seen: dict[str, set[str]] = {}
    now = ""
    for leaf in leaves:
        if leaf["type"] == "bundle.activated":
            now = leaf["bundle"]
        elif leaf["type"] == "statement.decided":
            assert leaf["bundle"] == now
            seen.setdefault(now, set()).add(leaf["sid"])
    assert all(len(seen[bundle]) == 2 for bundle in active)


async def test_a_changed_bundle_file_is_noticed_by_itself(place: Place) -> None:
    async with place.running() as gateway:
        first = gateway.activator.active_sha256
        place.lay(everything_but_clear("payments", deny=[{"actions": ["drop"], "connections": ["*"]}]))
        for _ in range(200):
            if gateway.activator.active_sha256 != first:
                break
            await asyncio.sleep(0.1)
        assert gateway.activator.active_sha256 != first


async def test_a_bad_new_bundle_leaves_the_old_one_in_force(place: Place) -> None:
    async with place.running() as gateway:
        (place.folder / "bundle.tar.gz").write_bytes(b"nothing")
        await gateway.reload()
        assert await place.ask("SELECT 1") == [(1,)]


async def test_a_port_that_is_taken_is_said_and_nothing_is_left_open(place: Place) -> None:
    async with place.running():
        with pytest.raises(Unavailable):
            async with place.running():
                pass
    async with place.running():
        assert await place.ask("SELECT 1") == [(1,)]


async def test_at_the_end_open_sessions_are_told_and_recorded(place: Place) -> None:
    async with place.running():
        connection = await place.connect()
    with pytest.raises(psycopg.errors.AdminShutdown):
        await connection.execute("SELECT 1")
    await connection.close()
    closed = [leaf for leaf in place.types() if b'"type":"session.closed"' in leaf]
    assert len(closed) == 1
    assert b"session.stopping" in closed[0]


async def test_a_database_that_is_down_is_a_clear_error_and_the_gateway_lives(place: Place, cluster: Cluster) -> None:
    async with place.running():
        cluster.stop()
        try:
            with pytest.raises(psycopg.OperationalError) as caught:
                await place.ask("SELECT 1")
        finally:
            cluster.start()
        assert "database" in str(caught.value)
        assert await place.ask("SELECT 1") == [(1,)]


async def test_what_is_said_of_a_connection_reaches_those_who_serve_it(place: Place) -> None:
    document = yaml.safe_load(place.config.read_text(encoding="utf-8"))
    document["connections"]["payments"] |= {"notices": "off", "protocol": "3.2", "limits": {"pool_max": 7}}
    place.config.write_text(yaml.safe_dump(document), encoding="utf-8")
    place.lay(everything_but_clear("payments"))
    async with place.running(), await place.connect() as connection:
        notices: list[psycopg.errors.Diagnostic] = []
        connection.add_notice_handler(notices.append)
        found = await (await connection.execute("SELECT pan FROM cards WHERE id = 1")).fetchall()
        assert found == [("************1111",)]
        assert not notices
    assert app.target_of("payments", load(place.config).connections["payments"]).minor == 2
