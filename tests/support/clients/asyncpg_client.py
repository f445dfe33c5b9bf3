"""asyncpg: statements prepared with binary results, and cursors, which are portals read two rows at a time."""

import asyncio
import io
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it has none
from psycopg.conninfo import conninfo_to_dict

from tests.support.clients.client import Client, is_copy_in, is_copy_out, is_query
from tests.support.recover import Transcript
from tests.support.transcripts import COPY_IN_ROW

SECONDS = 20
FETCHED_AT_ONCE = 2
_QUERY_OUT = re.compile(r"^\s*copy\s*\((.*)\)\s*to\s+stdout", re.IGNORECASE | re.DOTALL)
_TABLE = re.compile(
    r"^\s*copy\s+(?:only\s+)?(?:(\w+)\s*\.\s*)?(\w+)\s*(?:\(([^)]*)\))?\s*(?:to\s+stdout|from\s+stdin)", re.IGNORECASE
)

Run = Callable[[asyncpg.Connection, str, Transcript], Awaitable[None]]


def fetch() -> Client:
    """Parse, Describe, Bind and Execute; what cannot be prepared goes by the simple protocol."""
    return Client("asyncpg, fetch", lambda conninfo, statements: asyncio.run(_session(conninfo, statements, _fetch)))


def cursor() -> Client:
    """Queries by a portal in a transaction."""
    return Client("asyncpg, cursor", lambda conninfo, statements: asyncio.run(_session(conninfo, statements, _cursor)))


async def _connected(conninfo: str) -> asyncpg.Connection:
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    context = ssl.create_default_context(cafile=parts["sslrootcert"])
    return await asyncpg.connect(
        host=parts["host"],
        port=int(parts["port"]),
        database=parts["dbname"],
        user=parts["user"],
        password=parts["password"],
        passfile=Path("/nonexistent"),
        ssl=context,
        timeout=SECONDS,
        command_timeout=SECONDS,
    )


async def _session(conninfo: str, statements: Sequence[str], run: Run) -> Transcript:
    seen, started = Transcript(), time.monotonic()
    try:
        connection = await _connected(conninfo)
    except (OSError, asyncpg.PostgresError) as error:
        seen.text.append(f"login: {error}")
        return seen
    connection.add_log_listener(lambda _, message: seen.text.append(f"notice: {_fields(message)}"))
    for statement in statements:
        try:
            await run(connection, statement, seen)
        except asyncpg.PostgresError as error:
            seen.text.append(f"error: {_fields(error)}")
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError, OverflowError) as error:
            seen.text.append(f"error: the client: {error}")
        if connection.is_closed():
            seen.text.append("connection lost")
            break
        seen.text.append(str(connection.get_settings()))
    connection.terminate()
    seen.elapsed = time.monotonic() - started
    return seen


def _fields(message: asyncpg.PostgresError | asyncpg.PostgresLogMessage) -> str:
    """Every field the driver keeps of an error or a notice."""
    return " | ".join(f"{name}={value}" for name, value in sorted(message.as_dict().items()))


async def _fetch(connection: asyncpg.Connection, statement: str, seen: Transcript) -> None:
    if await _copied(connection, statement, seen):
        return
    try:
        prepared = await connection.prepare(statement)
    except asyncpg.PostgresSyntaxError as error:
        if "multiple commands" not in str(error):
            raise
        seen.text.append(str(await connection.execute(statement)))
        return
    seen.text.append(" ".join(f"{column.name} {column.type.name}" for column in prepared.get_attributes()))
    _note(await prepared.fetch(), seen)
    seen.text.append(str(prepared.get_statusmsg()))


async def _cursor(connection: asyncpg.Connection, statement: str, seen: Transcript) -> None:
    if not is_query(statement):
        await _fetch(connection, statement, seen)
        return
    async with connection.transaction():
        async for row in connection.cursor(statement, prefetch=FETCHED_AT_ONCE):
            _note([row], seen)


def _note(rows: Iterable[asyncpg.Record], seen: Transcript) -> None:
    for row in rows:
        values = list(row.values())
        seen.rows.append([None if value is None else _text(value) for value in values])
        seen.binary.append([None if value is None else value if isinstance(value, bytes) else repr(value).encode()
                            for value in values])  # fmt: skip


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(tuple(value.values())) if isinstance(value, asyncpg.Record) else str(value)


async def _copied(connection: asyncpg.Connection, statement: str, seen: Transcript) -> bool:
    """COPY by the call made for it, which writes the statement anew: options go by the wayside."""
    if not is_copy_out(statement) and not is_copy_in(statement):
        return False

    async def take(data: bytes) -> None:
        await asyncio.sleep(0)
        seen.binary.append([data])
        seen.rows.append([data.decode("utf-8", "replace")])

    if found := _QUERY_OUT.match(statement):
        seen.text.append(await connection.copy_from_query(found[1], output=take))
        return True
    found = _TABLE.match(statement)
    if found is None:
        raise ValueError("this driver has no such COPY")
    columns = [name.strip().strip('"') for name in found[3].split(",")] if found[3] else None
    where = {"columns": columns, "schema_name": found[1]}
    if is_copy_in(statement):
        seen.text.append(await connection.copy_to_table(found[2], source=io.BytesIO(COPY_IN_ROW), **where))
    else:
        seen.text.append(await connection.copy_from_table(found[2], output=take, **where))
    return True
