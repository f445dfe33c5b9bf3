"""The gateway as its users run it: a folder with gateway.yaml, keys and a signed bundle, and the process `serve`."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import yaml

from gateway.core.clock import SystemClock
from gateway.evidence.verify import verify
from tests.support import certificates
from tests.support.bundle import Site, write_signed_bundle
from tests.support.identity import AUDIENCE, Issuer
from tests.support.postgres import HOST, Cluster, password_of
from tests.support.recover import CARDS, IN_A_NOTE

ROOT = Path(__file__).parents[2]
START_SECONDS = 30
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Upstream:
    """One entry of `connections`: a database and the role the gateway logs in as."""

    database: str
    user: str = "agent_ro"
    search_path: Sequence[str] = ("public",)
    limits: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Gateway:
    """A running gateway."""

    folder: Path
    port: int
    tls: certificates.ServerTls
    issuer: Issuer
    process: subprocess.Popen[bytes]
    tokens: list[str] = field(default_factory=list, repr=False)
    """every token that was given to a client: none may be found anywhere afterwards"""

    @property
    def data(self) -> Path:
        """The folder of keys, log and recordings."""
        return self.folder / "var"

    @property
    def output(self) -> str:
        """What the process has printed so far."""
        return (self.folder / "output.log").read_text(encoding="utf-8", errors="replace")

    def token(self, subject: str = "agent-7", groups: Sequence[str] = ("agents",), **claims: object) -> str:
        """A good token, remembered for the search at the end."""
        self.tokens.append(self.issuer.token(subject, groups, **claims))
        return self.tokens[-1]

    def conninfo(self, connection: str, token: str | None = None, **more: str) -> str:
        """A libpq connection string: the token as password, nothing else is special."""
        parts = {
            "host": HOST,
            "port": str(self.port),
            "dbname": connection,
            "user": "agent",
            "password": token if token is not None else self.token(),
            "sslmode": "verify-full",
            "sslrootcert": str(self.tls.ca),
            "connect_timeout": "20",
            **more,
        }
        return psycopg.conninfo.make_conninfo("", **parts)

    def connect(self, connection: str, token: str | None = None, **more: str) -> psycopg.Connection:
        """An agent's connection in autocommit mode."""
        return psycopg.connect(self.conninfo(connection, token, **more), autocommit=True)

    def stop(self) -> int:
        """SIGTERM, wait, and the exit status; a gateway that does not drain is killed and reported."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the gateway did not stop within {STOP_SECONDS} s of SIGTERM") from None

    def kept(self) -> Iterator[tuple[str, bytes]]:
        """Every file the gateway has written, its output included."""
        for path in [self.folder / "output.log", *self.data.rglob("*")]:
            if path.is_file():
                yield str(path.relative_to(self.folder)), path.read_bytes()

    def secrets_found(self) -> list[str]:
        """Where a token, a database password or a card number of the tests stands in what the gateway wrote."""
        needles = {f"token {number}": token.encode() for number, token in enumerate(self.tokens)}
        needles |= {f"signature of token {n}": t.rsplit(".", 1)[-1].encode() for n, t in enumerate(self.tokens)}
        needles |= {f"card number {card}": card.encode() for card in (*CARDS, IN_A_NOTE)}
        needles |= {f"password of {role}": password_of(role).encode() for role in ("agent_ro", "agent_rw", "postgres")}
        needles = {name: needle for name, needle in needles.items() if len(needle) > 8}
        return [f"{name} in {path}" for path, data in self.kept() for name, needle in needles.items() if needle in data]


def write_configuration(  # noqa: PLR0913 -- what a configuration is made of
    folder: Path,
    port: int,
    cluster: Cluster,
    connections: Mapping[str, Upstream],
    more: Mapping[str, object],
    *,
    http: int | None = None,
    plain: int | None = None,
) -> Path:
    """`gateway.yaml` as contracts.md describes it; `more` replaces whole sections; `http`, `plain` (no TLS): ports."""
    document: dict[str, object] = {
        "version": 1,
        "data_dir": "var",
        "listeners": {"postgres": {"address": f"{HOST}:{port}", "tls": {"cert": "server.pem", "key": "server.key"}}},
        "identity": {
            "issuers": [
                {
                    "issuer": "https://idp.test",
                    "audience": [AUDIENCE],
                    "jwks_file": "jwks.json",
                    "algorithms": ["RS256", "ES256", "EdDSA"],
                    "claims": {"subject": "sub", "groups": "groups", "on_behalf_of": "act"},
                }
            ]
        },
        "policy": {"bundle": "bundle.tar.gz", "engine": "embedded", "verification_keys": ["policy.pub"]},
        "connections": {name: _connection(cluster, upstream) for name, upstream in connections.items()},
    }
    if http is not None:
        document["listeners"] = {
            "postgres": {"address": f"{HOST}:{port}", "tls": {"cert": "server.pem", "key": "server.key"}},
            "http": {"address": f"{HOST}:{http}", "insecure_loopback": True},
        }
    if plain is not None:
        tls = {"address": f"{HOST}:{port}", "tls": {"cert": "server.pem", "key": "server.key"}}
        document["listeners"] = {"postgres": [tls, {"address": f"{HOST}:{plain}", "insecure_loopback": True}]}
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump({**document, **more}, sort_keys=False), encoding="utf-8")
    return path


def _connection(cluster: Cluster, upstream: Upstream) -> dict[str, object]:
    settings: dict[str, object] = {
        "type": "postgres",
        "host": HOST,
        "port": cluster.port,
        "database": upstream.database,
        "user": upstream.user,
        "password": {"env": f"PASSWORD_{upstream.user.upper()}"},
        "tls": {"mode": "verify-full", "ca": str(cluster.tls.ca)},
        "search_path": list(upstream.search_path),
        "labels": {"environment": "test"},
    }
    return {**settings, "limits": dict(upstream.limits)} if upstream.limits else settings


@contextmanager
def running_gateway(  # noqa: PLR0913 -- each has its default
    cluster: Cluster,
    connections: Mapping[str, Upstream],
    site: Site,
    *,
    more: Mapping[str, object] | None = None,
    issuer: Issuer | None = None,
    http: int | None = None,
    plain: int | None = None,
) -> Iterator[Gateway]:
    """Serve `connections` under `site`; at the end stop.

    Fails if a traceback or a secret was written anywhere, or the log does not prove what it should.
    """
    with tempfile.TemporaryDirectory(prefix="qw-gateway-") as name:
        folder, port = Path(name), 10_000 + secrets.randbelow(9_000)
        issuer = issuer or Issuer()
        issuer.write_jwks(folder / "jwks.json")
        tls = certificates.issue(folder)
        write_signed_bundle(folder, site)
        config = write_configuration(folder, port, cluster, connections, more or {}, http=http, plain=plain)
        gateway = Gateway(folder, port, tls, issuer, serve(config))
        try:
            await_listener(gateway)
            yield gateway
        finally:
            if gateway.process.poll() is None:
                gateway.stop()
        assert "Traceback" not in gateway.output, gateway.output[-8000:]
        assert gateway.secrets_found() == []
        report = verify(gateway.data, SystemClock())
        assert report.ok, [finding for finding in report.findings if finding.grave]


def serve(config: Path) -> subprocess.Popen[bytes]:
    """Start `querywarden serve`, its output into `output.log` beside the configuration."""
    users = ("agent_ro", "agent_rw", "agent_files", "postgres", "login_md5", "login_clear")
    environment = {**os.environ, **{f"PASSWORD_{user.upper()}": password_of(user) for user in users}}
    with (config.parent / "output.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "gateway", "serve", "-c", str(config)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def await_listener(gateway: Gateway) -> None:
    """Return once the port answers. Fails with the output when the process ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while gateway.process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, gateway.port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the gateway does not listen:\n{gateway.output[-8000:]}")
