"""The three ways to the same database: direct, through pgbouncer, through the gateway; all without TLS on loopback."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import certificates
from tests.support.bundle import Site, write_signed_bundle
from tests.support.gateway import Gateway, Upstream, await_listener, serve, write_configuration
from tests.support.identity import Issuer
from tests.support.postgres import HOST, Cluster, password_of, running_cluster

DATABASE = "bench"
ROLE = "agent_ro"
SESSIONS = 1200
"""connections each proxy may have"""
PASSWORD = "unused by a server that trusts loopback"  # noqa: S105 -- there is none
SITE = Site(
    classification={DATABASE: {"public.cards": {"pan": ["pan"], "cvv": ["cvv"]}}},
    access={
        "grants": [{"groups": ["agents"], "connections": [DATABASE], "relations": ["*"], "actions": ["*"]}],
        "masks": {"pan": "last4", "cvv": "null"},
    },
)
"""Every table may be read; one of them has labelled columns, so the whole connection is guarded."""

_SERVER = {
    "log_statement": "none",
    "log_connections": "off",
    "max_connections": str(2 * SESSIONS + 20),  # pgbouncer keeps what it has once opened
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
}
_PGBOUNCER = """\
[databases]
{database} = host={host} port={upstream} dbname={database} user={role}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = session
default_pool_size = {sessions}
max_client_conn = {sessions}
unix_socket_dir =
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
log_connections = 0
log_disconnections = 0
ignore_startup_parameters = extra_float_digits
"""


@dataclass(frozen=True, slots=True)
class Lane:
    """One way to the database. `pid` is the process in the way, None when there is none."""

    name: str
    port: int
    pid: int | None
    user: str = ROLE
    password: str = field(default=PASSWORD, repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        """What libpq's programs need to go this way."""
        return {
            **os.environ,
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": DATABASE,
            "PGPASSWORD": self.password,
            "PGSSLMODE": "disable",
        }


@dataclass(frozen=True, slots=True)
class Lanes:
    """All three, with the server behind them."""

    cluster: Cluster
    gateway: Gateway
    all: tuple[Lane, ...]

    def __getitem__(self, name: str) -> Lane:
        """One of them."""
        return next(lane for lane in self.all if lane.name == name)


@contextmanager
def three_lanes() -> Iterator[Lanes]:
    """A server, pgbouncer and the gateway, stopped and removed at the end."""
    with ExitStack() as stack:
        cluster = stack.enter_context(running_cluster(_SERVER))
        trust(cluster)
        cluster.create_database(name=DATABASE)
        bouncer = stack.enter_context(_pgbouncer(cluster))
        gateway = stack.enter_context(running_gateway(cluster))
        through = Lane("gateway", gateway.port, gateway.process.pid, user="agent", password=gateway.token())
        yield Lanes(cluster, gateway, (Lane("direct", cluster.port, None), bouncer, through))


def trust(cluster: Cluster) -> None:
    """Let everybody in from loopback without TLS: logging in is not what is measured."""
    path = cluster.data / "pg_hba.conf"
    rule = f"hostnossl all all {HOST}/32 trust\n"
    path.write_text(rule + path.read_text(encoding="utf-8"), encoding="utf-8")
    cluster.run("SELECT pg_reload_conf()")
    time.sleep(0.2)


@contextmanager
def _pgbouncer(cluster: Cluster) -> Iterator[Lane]:
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        raise FileNotFoundError("pgbouncer is missing; `make bench` installs it on Debian")
    folder = Path(tempfile.mkdtemp(prefix="qw-bouncer-"))
    account = "postgres" if os.geteuid() == 0 else None
    port = free_port()
    try:
        (folder / "users.txt").write_text(f'"{ROLE}" "{password_of(ROLE)}"\n', encoding="utf-8")
        settings = {"host": HOST, "upstream": cluster.port, "role": ROLE, "port": port, "folder": folder}
        text = _PGBOUNCER.format(database=DATABASE, sessions=SESSIONS, **settings)
        (folder / "pgbouncer.ini").write_text(text, encoding="utf-8")
        if account:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, account, account)
        process = subprocess.Popen(
            [program, "-q", str(folder / "pgbouncer.ini")], user=account, extra_groups=[] if account else None
        )
        try:
            await_port(port)
            yield Lane("pgbouncer", port, process.pid)
        finally:
            process.terminate()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_gateway(cluster: Cluster, data_dir: Path | None = None) -> Iterator[Gateway]:
    """The gateway as `serve` runs it, without TLS; its log lies in `data_dir`, else in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="qw-bench-") as name:
        folder, port = Path(name), free_port()
        issuer = Issuer()
        issuer.write_jwks(folder / "jwks.json")
        write_signed_bundle(folder, SITE)
        upstream = Upstream(DATABASE, ROLE, limits={"pool_max": SESSIONS})
        config = write_configuration(folder, port, cluster, {DATABASE: upstream}, _more(cluster, port, data_dir))
        gateway = Gateway(folder, port, certificates.issue(folder), issuer, serve(config))
        try:
            await_listener(gateway)
            yield gateway
        finally:
            if gateway.process.poll() is None:
                gateway.stop()
        if "Traceback" in gateway.output:
            raise RuntimeError(f"the gateway wrote a traceback:\n{gateway.output[-8000:]}")


def _more(cluster: Cluster, port: int, data_dir: Path | None) -> dict[str, object]:
    """What differs from the configuration of the tests: no TLS on either side."""
    connection = {
        "type": "postgres",
        "host": HOST,
        "port": cluster.port,
        "database": DATABASE,
        "user": ROLE,
        "tls": {"mode": "disable"},
        "limits": {"pool_max": SESSIONS},
    }
    more: dict[str, object] = {
        "listeners": {"postgres": {"address": f"{HOST}:{port}", "insecure_loopback": True}},
        "connections": {DATABASE: connection},
    }
    return {**more, "data_dir": str(data_dir)} if data_dir else more


def free_port() -> int:
    """A port that nobody listens on."""
    while True:
        port = 5_500 + secrets.randbelow(4_400)  # below what the tests and outgoing connections use
        with socket.socket() as sock:
            if sock.connect_ex((HOST, port)):
                return port


def await_port(port: int) -> None:
    """Return once somebody listens. Raises TimeoutError after ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as sock:
            if not sock.connect_ex((HOST, port)):
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port}")
