"""The psql a person will use: the machine's, else the one that came with the server the demo found."""

import shlex
import shutil

import msgspec

from gateway.cli.demo.binaries import Binaries
from gateway.cli.demo.stage import CONNECTION, HOST, Stage


class Psql(msgspec.Struct, frozen=True, kw_only=True):
    """A client program."""

    program: str
    """as one types it"""
    speaks_tls: bool
    """False for the wheel's, which was built without TLS"""


def find(binaries: Binaries) -> Psql | None:
    """The one to suggest; None when there is none."""
    if shutil.which("psql"):
        return Psql(program="psql", speaks_tls=True)
    beside = binaries.folder / "psql"
    return Psql(program=shlex.quote(str(beside)), speaks_tls=not binaries.bundled) if beside.exists() else None


def line(psql: Psql | None, stage: Stage, agent: str, plaintext_port: int | None) -> str:
    """What to paste into a shell to be that agent."""
    tls = f"sslmode=verify-full sslrootcert={stage.authority}"
    port, security = stage.port, tls
    if psql and not psql.speaks_tls and plaintext_port:
        port, security = plaintext_port, "sslmode=disable"
    program = psql.program if psql else "psql"
    dsn = f"host={HOST} port={port} dbname={CONNECTION} user=agent {security}"
    return f'PGPASSWORD="$(cat {shlex.quote(str(stage.token_file(agent)))})" {program} {shlex.quote(dsn)}'
