"""Runs a suite against one server: PostgreSQL itself, or the gateway in front of it. The suite cannot tell which."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.conformance.suites import fetch, outcomes

SECONDS = 2700


@dataclass(frozen=True, slots=True)
class Server:
    """Where to log in. `password` is the role's, or an agent's token."""

    port: int
    ca: Path
    database: str
    user: str
    password: str
    host: str = "127.0.0.1"

    def conninfo(self) -> str:
        """As key=value pairs: every driver reads them."""
        where = f"host={self.host} port={self.port} dbname={self.database} user={self.user}"
        return f"{where} password={self.password} sslmode=verify-full sslrootcert={self.ca}"

    def url(self, driver: str) -> str:
        """As a URL of SQLAlchemy."""
        login = f"{quote(self.user)}:{quote(self.password, safe='')}"
        tls = "sslmode=verify-full&sslrootcert=" + quote(str(self.ca), safe="")
        return f"postgresql+{driver}://{login}@{self.host}:{self.port}/{self.database}?{tls}"

    def variables(self) -> dict[str, str]:
        """As libpq's variables."""
        named = {"HOST": self.host, "PORT": str(self.port), "DATABASE": self.database, "USER": self.user}
        tls = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(self.ca)}
        return {f"PG{name}": value for name, value in named.items()} | {"PGPASSWORD": self.password} | tls


def _run(command: list[str], cwd: Path, variables: Mapping[str, str], log: Path) -> None:
    """Whatever a test did, the run goes on: outcomes are read from the report, so the exit status says nothing."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with log.open("wb") as output:
        subprocess.run(
            ["nice", "-n", "10", *command],
            cwd=cwd,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )


def pgx(server: Server, folder: Path, *tests: str) -> dict[str, str]:
    """The suite of pgx: every package, one at a time, since they share the database."""
    variables = {"PGX_TEST_DATABASE": server.conninfo(), "GOFLAGS": "-mod=mod"}
    variables |= {f"PGX_TEST_{kind}_CONN_STRING": server.conninfo() for kind in ("TCP", "TLS")}
    chosen = ["-run", f"^({'|'.join(tests)})"] if tests else []
    command = ["go", "test", "-json", "-p", "1", "-count", "1", "-timeout", "25m", *chosen, "./..."]
    _run(command, fetch.pgx(), variables, folder / "pgx.log")
    return outcomes.of_go((folder / "pgx.log").read_text(encoding="utf-8", errors="replace").splitlines())


def _pytest(suite: Path, name: str, arguments: list[str], variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    report = folder / f"{name}.xml"
    command = [str(fetch.python()), "-m", "pytest", "-q", "--tb=native", "--maxfail=0", "-p", "no:cacheprovider"]
    _run([*command, f"--junitxml={report}", *arguments], suite, variables, folder / f"{name}.log")
    return outcomes.of_junit(report)


def asyncpg(server: Server, folder: Path, *tests: str) -> dict[str, str]:
    """The suite of asyncpg against a running server; tests that start servers of their own are not about it."""
    chosen = ["-k", " or ".join(tests)] if tests else []
    return _pytest(fetch.sdist(fetch.ASYNCPG), "asyncpg", [*chosen, "tests"], server.variables(), folder)


def sqlalchemy(server: Server, folder: Path, *tests: str) -> dict[str, str]:
    """The suite of SQLAlchemy for dialects, and its own tests of this dialect."""
    chosen = ["-k", " or ".join(tests)] if tests else []
    suites = ["test/dialect/test_suite.py", "test/dialect/postgresql"]
    arguments = [f"--dburi={server.url('psycopg')}", *chosen, *suites]
    return _pytest(fetch.sdist(fetch.SQLALCHEMY), "sqlalchemy", arguments, {}, folder)


SUITES = {"pgx": pgx, "asyncpg": asyncpg, "sqlalchemy": sqlalchemy}


def twice(suite: str, server: Server, folder: Path, direct: outcomes.Outcomes) -> outcomes.Outcomes:
    """A run through the gateway; what is lost without a reason is tried once more.

    The suites have time limits of tenths of a second, made for a server without a gateway on a machine of its own.
    """
    first = SUITES[suite](server, folder)
    lost = outcomes.Comparison(suite, direct, first, outcomes.expected(suite)).unexplained
    if not lost:
        return first
    (folder / "again").mkdir()
    again = SUITES[suite](server, folder / "again", *sorted({outcomes.function_of(name) for name in lost}))
    return {**first, **{name: again[name] for name in lost if name in again}}
