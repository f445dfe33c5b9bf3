"""asyncpg: binary everywhere, type introspection, prepared statements, cursors, COPY of records, LISTEN."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]  # it has none
import pytest

from tests.frontends.world import World


@asynccontextmanager
async def connected(world: World, connection: str = "payments") -> AsyncIterator[asyncpg.Connection]:
    context = ssl.create_default_context(cafile=str(world.tls.ca))
    found = await asyncpg.connect(
        host="127.0.0.1", port=world.port, user="agent", password=world.token(), database=connection, ssl=context
    )
    try:
        yield found
    finally:
        await found.close()


async def test_values_of_many_types_and_masks(world: World) -> None:
    async with connected(world) as connection:
        row = await connection.fetchrow("SELECT id, pan, cvv FROM cards WHERE id = $1", 1)
        assert row is not None
        assert tuple(row) == (1, "************1111", None)
        row = await connection.fetchrow(
            "SELECT $1::int[], $2::jsonb, $3::numeric, $4::timestamptz", [1, 2], '{"a": 1}', 1, None
        )
        assert row is not None
        assert row[0] == [1, 2]


async def test_prepared_statements_cursors_and_transactions(world: World) -> None:
    async with connected(world) as connection:
        prepared = await connection.prepare("SELECT pan FROM cards WHERE id = $1")
        assert [await prepared.fetchval(n) for n in (1, 2)] == ["************1111", "************4444"]
        async with connection.transaction():
            seen = [row[0][-4:] async for row in connection.cursor("SELECT pan FROM cards ORDER BY id", prefetch=2)]
            assert seen == ["1111", "4444", "0005", "1117", "1881"]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute("SELECT pg_read_file('x')")
        assert await connection.fetchval("SELECT 1") == 1


async def test_records_are_copied_in_and_out(world: World) -> None:
    async with connected(world) as connection:
        done = await connection.copy_records_to_table(
            "notes", records=[(f"asyncpg {n}",) for n in range(500)], columns=["body"]
        )
        assert done == "COPY 500"
        parts: list[bytes] = []

        async def take(data: bytes) -> None:
            parts.append(data)

        await connection.copy_from_query("SELECT id, pan FROM cards WHERE id = 1", output=take)
        assert b"".join(parts) == b"1\t************1111\n"


async def test_a_reset_as_pools_do_it_and_a_cancelled_statement(world: World) -> None:
    async with connected(world) as connection:
        await connection.reset()
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await connection.fetch("SELECT count(*) FROM generate_series(1, 2000000000)", timeout=0.5)
        assert await connection.fetchval("SELECT 2") == 2


async def test_notifications_pass_in_open_posture_and_bear_the_process_ids_clients_know(world: World) -> None:
    async with connected(world, "scratch") as connection, connected(world, "scratch") as another:
        heard: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        await connection.add_listener("news", lambda *said: heard.put_nowait((int(str(said[1])), str(said[-1]))))
        await connection.execute("NOTIFY news, 'hello'")
        assert await asyncio.wait_for(heard.get(), 10) == (connection.get_server_pid(), "hello")
        await another.execute("NOTIFY news, 'from elsewhere'")
        assert await asyncio.wait_for(heard.get(), 10) == (another.get_server_pid(), "from elsewhere")
        await connection.remove_listener("news", lambda *_: None)


async def test_a_statement_cancelled_before_the_database_was_reached_is_stopped_there(world: World) -> None:
    async with connected(world) as connection:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await connection.execute("SELECT count(*) FROM generate_series(1, 20000000000)", timeout=0.001)
        assert await asyncio.wait_for(connection.fetchval("SELECT 2"), 20) == 2
