"""What the gateway's role may do in its database beyond what it needs: the second lock, should our parser be wrong.

Everything is asked of pg_catalog as any login role may, and counts what `SET ROLE` reaches (PostgreSQL 18, §21.5).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gateway.cli.doctor.result import Result, Status
from gateway.upstream.query import Row
from gateway.upstream.target import Target

PROBE: Final = "role"
POWERS: Final = """\
WITH mine AS (
    SELECT * FROM pg_catalog.pg_roles r WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')
), callable AS (
    SELECT p.proname, p.probin, n.nspname FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
)
SELECT 'superuser', rolname FROM mine WHERE rolsuper
UNION SELECT 'replication', rolname FROM mine WHERE rolreplication
UNION SELECT 'createrole', rolname FROM mine WHERE rolcreaterole
UNION SELECT 'bypassrls', rolname FROM mine WHERE rolbypassrls
UNION SELECT 'files', rolname FROM mine
    WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
UNION SELECT 'everything', rolname FROM mine WHERE rolname IN ('pg_read_all_data', 'pg_write_all_data')
UNION SELECT 'dblink', nspname FROM callable WHERE probin ~ 'dblink$'
UNION SELECT 'file_function', proname FROM callable WHERE nspname = 'pg_catalog'
    AND proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'lo_import', 'lo_export')
UNION SELECT 'temp', pg_catalog.current_database()
    WHERE pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')
ORDER BY 1, 2"""
"""Rows of (power, through which role or thing)."""


class Power(NamedTuple):
    """Something a role can do, and how to take it away. `{user}`, `{name}` and `{database}` are identifiers."""

    status: Status
    text: str
    remedy: str


POWER: Final = {
    "superuser": Power(
        Status.NO, "is a superuser (through {name})", "Give the gateway a role of its own, without SUPERUSER."
    ),
    "replication": Power(
        Status.NO, "may stream the whole database (through {name})", "ALTER ROLE {name} NOREPLICATION"
    ),
    "files": Power(Status.NO, "reaches the server's files or programs (through {name})", "REVOKE {name} FROM {user}"),
    "dblink": Power(
        Status.NO, "may open connections by dblink of schema {name}", "DROP EXTENSION dblink, or revoke EXECUTE on it"
    ),
    "file_function": Power(
        Status.NO, "may call {name}, which reaches the server's files", "REVOKE EXECUTE ON FUNCTION {name} FROM {user}"
    ),
    "temp": Power(
        Status.NO,
        "may create temporary tables, copies that no label follows",
        "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {user}",
    ),
    "createrole": Power(Status.NOTE, "may create roles (through {name})", "ALTER ROLE {name} NOCREATEROLE"),
    "bypassrls": Power(Status.NOTE, "passes by row level security (through {name})", "ALTER ROLE {name} NOBYPASSRLS"),
    "everything": Power(
        Status.NOTE, "is a member of {name}, so grants on columns hold nothing back", "REVOKE {name} FROM {user}"
    ),
}
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")


def judge(target: Target, rows: Sequence[Row]) -> Iterator[Result]:
    """What the rows of `POWERS` mean. A superuser has every power, so nothing else is said of one."""
    found = [(str(power), str(name)) for power, name in rows]
    found = [each for each in found if each[0] == "superuser"] or found
    for power, name in found:
        status, text, remedy = POWER[power]
        words = {"user": quoted(target.user), "name": quoted(name), "database": quoted(target.database)}
        yield Result(
            probe=PROBE,
            about=target.name,
            status=status,
            text=f"{target.user} {text.format(**words)}",
            remedy=remedy.format(**words),
        )
    if not any(POWER[power].status is Status.NO for power, _ in found):
        text = f"{target.user} is no superuser, reaches no server files, has no dblink and no TEMP"
        yield Result(probe=PROBE, about=target.name, status=Status.FINE, text=text)


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
