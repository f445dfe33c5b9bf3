"""psycopg 3: prepared statements with text results, binary results, named cursors on the server, and pipelines."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

import psycopg
from psycopg import pq

from tests.support.clients.client import Client, is_copy_in, is_copy_out, is_query
from tests.support.recover import Transcript
from tests.support.transcripts import COPY_IN_ROW, FIELDS, add, note_result, parameters, shown

FETCHED_AT_ONCE = 2


def text() -> Client:
    """Each statement prepared under a name of psycopg's, results as text."""
    return Client("psycopg, text", lambda conninfo, statements: _session(conninfo, statements, _prepared))


def binary() -> Client:
    """By the extended protocol, results in binary, read by psycopg's own loaders besides."""
    return Client("psycopg, binary", lambda conninfo, statements: _session(conninfo, statements, _binary))


def server_cursor() -> Client:
    """Queries by DECLARE … WITH HOLD, a Describe of the portal, and FETCH of two rows at a time."""
    return Client("psycopg, named cursor", lambda conninfo, statements: _session(conninfo, statements, _named))


def pipeline() -> Client:
    """All statements in one flight, each with a Sync of its own."""
    return Client("psycopg, pipeline", _pipelined)


Run = Callable[[psycopg.Connection, str, Transcript], None]


@contextlib.contextmanager
def _connected(conninfo: str, seen: Transcript) -> Iterator[psycopg.Connection]:
    with contextlib.closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        connection.add_notice_handler(lambda notice: seen.text.append(shown(notice)))
        connection.add_notify_handler(lambda note: seen.text.append(f"notification: {note.channel!r} {note.payload!r}"))
        yield connection


def _session(conninfo: str, statements: Sequence[str], run: Run) -> Transcript:
    seen, started = Transcript(), time.monotonic()
    try:
        with _connected(conninfo, seen) as connection:
            for statement in statements:
                try:
                    run(connection, statement, seen)
                except psycopg.Error as error:
                    seen.text.append(_error(error))
                if connection.closed:
                    seen.text.append("connection lost")
                    break
                parameters(connection.pgconn, seen)
    except psycopg.OperationalError as error:
        seen.text.append(f"login: {error}")
    seen.elapsed = time.monotonic() - started
    return seen


def _error(error: psycopg.Error) -> str:
    result = error.pgresult
    if result is None:
        return f"error: {error}"
    return "error: " + " | ".join((result.error_field(code) or b"").decode("utf-8", "replace") for code in FIELDS)


def _query(statement: str) -> bytes:
    return statement.encode()  # psycopg asks for literals of text; these are the corpus


def _copied(connection: psycopg.Connection, statement: str, seen: Transcript) -> bool:
    """COPY by the call made for it. False for everything else."""
    if is_copy_out(statement):
        with connection.cursor().copy(_query(statement)) as copy:
            for data in copy:
                add(seen, [bytes(data)])
        return True
    if is_copy_in(statement):
        with connection.cursor().copy(_query(statement)) as copy:
            copy.write(COPY_IN_ROW)
        return True
    return False


def _prepared(connection: psycopg.Connection, statement: str, seen: Transcript) -> None:
    if not _copied(connection, statement, seen):
        cursor = connection.cursor()
        cursor.execute(_query(statement), prepare=True)
        _note(cursor, seen)


def _binary(connection: psycopg.Connection, statement: str, seen: Transcript) -> None:
    if not _copied(connection, statement, seen):
        cursor = connection.cursor(binary=True)
        cursor.execute(_query(statement))
        _note(cursor, seen)


def _named(connection: psycopg.Connection, statement: str, seen: Transcript) -> None:
    if not is_query(statement):
        _prepared(connection, statement, seen)
        return
    with connection.cursor("agents_cursor", withhold=True) as cursor:
        cursor.execute(_query(statement))
        seen.text.append(" ".join(column.name for column in cursor.description or ()))
        while rows := cursor.fetchmany(FETCHED_AT_ONCE):
            _loaded(rows, seen)
            _raw(cursor.pgresult, seen)


def _note(cursor: psycopg.Cursor, seen: Transcript) -> None:
    """Every result of an execute, as it came and as psycopg reads it."""
    while True:
        seen.text.append(cursor.statusmessage or "")
        if cursor.description:
            seen.text.append(" ".join(column.name for column in cursor.description))
            _raw(cursor.pgresult, seen)
            with contextlib.suppress(psycopg.DataError):  # a value Python's types have no room for
                _loaded(cursor.fetchall(), seen)
        if not cursor.nextset():
            return


def _raw(result: pq.abc.PGresult | None, seen: Transcript) -> None:
    for row in range(result.ntuples if result else 0):
        add(seen, [result.get_value(row, column) for column in range(result.nfields)] if result else [])


def _loaded(rows: Sequence[Sequence[object]], seen: Transcript) -> None:
    seen.text += ["|".join(str(value) for value in row) for row in rows]


def _pipelined(conninfo: str, statements: Sequence[str]) -> Transcript:
    seen, started = Transcript(), time.monotonic()
    try:
        with _connected(conninfo, seen) as connection:
            _flight(connection.pgconn, statements, seen)
            parameters(connection.pgconn, seen)
    except psycopg.OperationalError as error:
        seen.text.append(f"login: {error}")
    seen.elapsed = time.monotonic() - started
    return seen


def _flight(connection: pq.abc.PGconn, statements: Sequence[str], seen: Transcript) -> None:
    connection.enter_pipeline_mode()
    for statement in statements:
        connection.send_query_params(statement.encode(), None, result_format=pq.Format.BINARY)
        connection.pipeline_sync()
    synced = 0
    while synced < len(statements) and connection.status == pq.ConnStatus.OK:
        result = connection.get_result()
        if result is None:
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            synced += 1
        elif not note_result(connection, result, seen):
            break
    while note := connection.notifies():
        seen.text.append(f"notification: {note.relname!r} {note.extra!r}")
