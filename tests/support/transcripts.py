"""Runs statements over libpq and writes down every text that came back, whatever message carried it."""

import time
from collections.abc import Sequence
from enum import Enum

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn, PGresult

from tests.support.recover import Transcript

COPY_IN_ROW = b"seven red lamps\n"
PARAMETERS = ("application_name", "client_encoding", "DateStyle", "server_version", "session_authorization", "TimeZone")
"""ParameterStatus that an agent may look at after each statement."""

FIELDS = tuple(pq.DiagnosticField)


class Mode(Enum):
    """How a statement travels, and the format of its results."""

    SIMPLE = "simple protocol"
    TEXT = "extended protocol, text results"
    BINARY = "extended protocol, binary results"


def record(conninfo: str, statements: Sequence[str], mode: Mode) -> Transcript:
    """Run the statements on one fresh connection, going on after errors; a refused login is part of the transcript."""
    seen = Transcript()
    started = time.monotonic()
    try:
        connection = psycopg.connect(conninfo, autocommit=True)
    except psycopg.OperationalError as error:
        seen.text.append(f"login: {error}")
        return seen
    with connection:
        connection.add_notice_handler(lambda notice: seen.text.append(shown(notice)))
        for statement in statements:
            run(connection.pgconn, statement, mode, seen)
            if connection.pgconn.status != pq.ConnStatus.OK:
                seen.text.append("connection lost")
                break
    seen.elapsed = time.monotonic() - started
    return seen


def shown(notice: psycopg.errors.Diagnostic) -> str:
    """A notice as a line of text."""
    names = ("severity", "sqlstate", "message_primary", "message_detail", "message_hint", "context", "internal_query")
    return "notice: " + " | ".join(str(getattr(notice, name) or "") for name in names)


def run(connection: PGconn, statement: str, mode: Mode, seen: Transcript) -> None:
    """One text as one message, and everything that came back."""
    sql = statement.encode()
    match mode:
        case Mode.SIMPLE:
            connection.send_query(sql)
        case Mode.TEXT:
            connection.send_query_params(sql, None, result_format=pq.Format.TEXT)
        case Mode.BINARY:
            connection.send_query_params(sql, None, result_format=pq.Format.BINARY)
    while (result := connection.get_result()) is not None:
        if not note_result(connection, result, seen):
            break
    while note := connection.notifies():
        seen.text.append(f"notification: {note.relname!r} {note.extra!r}")
    parameters(connection, seen)


def parameters(connection: PGconn, seen: Transcript) -> None:
    """What the server last said of its parameters."""
    for name in PARAMETERS:
        value = connection.parameter_status(name.encode())
        seen.text.append(f"{name}: {(value or b'').decode('utf-8', 'replace')}")


def note_result(connection: PGconn, result: PGresult, seen: Transcript) -> bool:
    """Write one result down. False when the connection is gone."""
    match result.status:
        case pq.ExecStatus.COPY_OUT:
            _copy_out(connection, seen)
        case pq.ExecStatus.COPY_IN:
            connection.put_copy_data(COPY_IN_ROW)
            connection.put_copy_end()
        case pq.ExecStatus.FATAL_ERROR:
            fields = [(result.error_field(code) or b"").decode("utf-8", "replace") for code in FIELDS]
            seen.text.append("error: " + " | ".join(fields))
            return connection.status == pq.ConnStatus.OK
        case _:
            seen.text.append((result.command_status or b"").decode("utf-8", "replace"))
            names = [(result.fname(i) or b"").decode("utf-8", "replace") for i in range(result.nfields)]
            seen.text.append(" ".join(names))
            for row in range(result.ntuples):
                add(seen, [result.get_value(row, column) for column in range(result.nfields)])
    return True


def _copy_out(connection: PGconn, seen: Transcript) -> None:
    while True:
        size, data = connection.get_copy_data(0)
        if size < 0:
            return
        add(seen, [bytes(data)])


def add(seen: Transcript, values: list[bytes | None]) -> None:
    """One row, as bytes and as text."""
    seen.binary.append(values)
    seen.rows.append([None if value is None else value.decode("utf-8", "replace") for value in values])
