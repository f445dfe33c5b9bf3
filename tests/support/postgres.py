"""A real PostgreSQL of the tests' own: found on the machine, on a free loopback port, with TLS, SCRAM and a log.

One cluster serves a whole run; each test that changes data takes its own database, copied from a template in about
50 ms. Nothing is skipped when the binaries are missing: the run fails and says what to install.
"""

import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psycopg

from tests.support import certificates

HOST = "127.0.0.1"
NEEDED = ("initdb", "postgres")
START_SECONDS = 30
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "agent_ro": "LOGIN",
        "agent_rw": "LOGIN",
        "agent_files": "LOGIN IN ROLE pg_read_server_files, pg_write_server_files, pg_execute_server_program",
        "login_md5": "LOGIN",
        "login_clear": "LOGIN",
    }
)
"""Roles every cluster has, with how they are created. All have the password `<role>-password`; so has `postgres`."""

_HBA = """\
local   all all scram-sha-256
hostssl all login_clear 127.0.0.1/32 password
hostssl all all         127.0.0.2/32 password
host    all login_md5   127.0.0.1/32 md5
host    all all         127.0.0.1/32 scram-sha-256
"""

_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": HOST,
        "ssl": "on",
        "ssl_cert_file": "server.pem",
        "ssl_key_file": "server.key",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "autovacuum": "off",
        "max_connections": "200",
        "max_prepared_transactions": "20",
        "shared_buffers": "64MB",
        "wal_level": "logical",
        "max_wal_size": "4GB",
        "log_statement": "all",
        "log_line_prefix": "%m [%p] %u@%d ",
        "log_connections": "on",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "lc_messages": "C",
    }
)


class MissingBinariesError(Exception):
    """No PostgreSQL server on the machine to test with."""


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres`: of PATH, else the newest in /usr/lib/postgresql."""
    on_path = shutil.which("initdb")
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_of, reverse=True)
    candidates = ([Path(on_path).resolve().parent] if on_path else []) + packaged
    for folder in candidates:
        if all((folder / name).exists() for name in NEEDED):
            return folder
    raise MissingBinariesError(
        f"The tests need a PostgreSQL 15+ server with contrib: {' and '.join(NEEDED)} are neither on PATH nor in "
        "/usr/lib/postgresql/*/bin. Debian and Ubuntu: apt-get install postgresql postgresql-contrib; "
        "or put their folder on PATH."
    )


def _version_of(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def password_of(role: str) -> str:
    """The password a role of the cluster logs in with."""
    return f"{role}-password"


@dataclass(slots=True)
class Cluster:
    """A running server. Stop it with `stop`; `start` begins again with the same data and port."""

    binaries: Path
    folder: Path
    port: int
    tls: certificates.ServerTls
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Everything the server logged, each statement included."""
        return self.folder / "server.log"

    def conninfo(self, database: str = "postgres", user: str = "postgres", **more: str) -> str:
        """A libpq connection string for a direct connection over TLS, certificate verified."""
        parts = {
            "host": HOST,
            "port": str(self.port),
            "dbname": database,
            "user": user,
            "password": password_of(user),
            "sslmode": "verify-full",
            "sslrootcert": str(self.tls.ca),
            "connect_timeout": "10",
            **more,
        }
        return psycopg.conninfo.make_conninfo("", **parts)

    def connect(self, database: str = "postgres", user: str = "postgres", **more: str) -> psycopg.Connection:
        """A direct connection in autocommit mode."""
        return psycopg.connect(self.conninfo(database, user, **more), autocommit=True)

    def run(self, sql: str, database: str = "postgres", user: str = "postgres") -> None:
        """Run a script of statements by one simple query."""
        with self.connect(database, user) as connection:
            connection.execute(sql)

    def create_database(self, template: str = "template1", name: str | None = None) -> str:
        """A fresh copy of `template`; returns its name."""
        name = name or f"test_{next(self.numbers)}_{secrets.token_hex(3)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        """Throw a database away, whoever is still connected."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in {**_SETTINGS, **self.settings}.items()]
        where = [f"-p{self.port}", f"-k{self.folder}", f"-D{self.data}"]
        command = [str(self.binaries / "postgres"), *where, *options]
        with self.log.open("ab") as log:
            self.process = _start(command, log.fileno())
        self._await_readiness()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends sessions, SIGQUIT is a crash. Returns when it is gone."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(timeout=20)
        self.process = None

    def _await_readiness(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log_tail()}")
            try:
                with psycopg.connect(self.conninfo(user="postgres")):
                    return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL does not answer ({error}):\n{self._log_tail()}") from error
                time.sleep(0.05)

    def _log_tail(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]


def _account() -> str | None:
    """The server refuses to run as root; then it runs as `postgres`."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError as error:
        raise MissingBinariesError("PostgreSQL refuses to run as root and there is no user `postgres`.") from error


def _start(command: Sequence[str], output: int) -> subprocess.Popen[bytes]:
    account = _account()
    group = pwd.getpwnam(account).pw_gid if account else None
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        user=account,
        group=group,
        extra_groups=[] if account else None,
        cwd="/",
        start_new_session=True,  # Ctrl-C at the terminal is for pytest; the fixture stops the server
    )


def _own(*paths: Path) -> None:
    account = _account()
    if account:
        for path in paths:
            shutil.chown(path, account)


def _initialise(binaries: Path, folder: Path) -> certificates.ServerTls:
    data, secret = folder / "data", folder / "secret"
    secret.write_text(password_of("postgres"), encoding="utf-8")
    _own(folder, secret)
    command = [str(binaries / "initdb"), f"-D{data}", "-Upostgres", "--auth=scram-sha-256", f"--pwfile={secret}"]
    command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    with (folder / "initdb.log").open("wb") as log:
        if _start(command, log.fileno()).wait(timeout=60) != 0:
            raise RuntimeError(f"initdb failed:\n{(folder / 'initdb.log').read_text(encoding='utf-8')}")
    tls = certificates.issue(data)
    _own(tls.ca, tls.cert, tls.key)
    public = shutil.copy(tls.ca, folder / "ca.pem")
    (data / "pg_hba.conf").write_text(_HBA, encoding="utf-8")
    return certificates.ServerTls(Path(public), tls.cert, tls.key)


@contextmanager
def running_cluster(settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A fresh cluster with the test roles, stopped and removed at the end. `settings` go over the usual ones."""
    binaries = find_binaries()
    folder = Path(tempfile.mkdtemp(prefix="qw-pg-"))
    cluster: Cluster | None = None
    try:
        tls = _initialise(binaries, folder)
        cluster = _start_on_a_free_port(binaries, folder, tls, settings or {})
        _create_roles(cluster)
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start_on_a_free_port(
    binaries: Path, folder: Path, tls: certificates.ServerTls, settings: Mapping[str, str]
) -> Cluster:
    """Ports are tried, not probed: tests elsewhere run with sockets disabled."""
    for _ in range(5):
        cluster = Cluster(binaries, folder, 20_000 + secrets.randbelow(12_000), tls, settings)
        try:
            cluster.start()
        except RuntimeError:
            cluster.stop()
            if "could not bind" not in cluster.log.read_text(encoding="utf-8", errors="replace"):
                raise
        else:
            return cluster
    raise RuntimeError("no free port found for PostgreSQL")


def _create_roles(cluster: Cluster) -> None:
    script = "".join(f"CREATE ROLE {role} {how} PASSWORD '{password_of(role)}';" for role, how in ROLES.items())
    md5 = f"SET password_encryption = 'md5'; ALTER ROLE login_md5 PASSWORD '{password_of('login_md5')}';"
    cluster.run(script + md5)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder the server may write to and the tests may read."""
    folder = Path(tempfile.mkdtemp(prefix="qw-scratch-"))
    try:
        _own(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
