"""Receivers of events that others wrote, as processes that can be killed: rsyslog, OpenTelemetry's, an S3 server.

Splunk is not to be had here: tests/support/collectors.py behaves as its documentation says, and is a process too.
"""

import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
import urllib3
from minio import Minio

from tests.support import certificates

SERVERS = Path(__file__).parents[1] / "servers"
SOURCES = ("otel/go.mod", "otel/go.sum", "otel/main.go", "s3/go.mod", "s3/go.sum")
ROOT = Path(__file__).parents[2]
ACCESS_KEY, SECRET_KEY = "evidence", "not-so-secret"
TOKEN = "4f1c8b7e-hec"
SECONDS = 30.0


def program(name: str) -> Path:
    """A program that tests/servers/setup.sh has built; the folder's name is the hash of its sources."""
    digest = hashlib.sha256(b"".join((SERVERS / each).read_bytes() for each in SOURCES)).hexdigest()[:16]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = root / "querywarden" / f"receivers-{digest}" / name
    assert found.exists(), f"{name} is not built: run tests/servers/setup.sh, or make test"
    return found


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Receiver:
    """A process that takes events; killed and started again at will."""

    folder: Path
    command: Sequence[object]
    """each word is written as text"""
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it listens."""
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                list(map(str, self.command)), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, **self.environment}, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"{self.command[0]} does not listen:\n{(self.folder / 'output.log').read_text()[-3000:]}")

    def kill(self) -> None:
        """From one moment to the next."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @contextmanager
    def running(self) -> Iterator["Receiver"]:
        self.start()
        try:
            yield self
        finally:
            self.kill()


@dataclass(frozen=True)
class Tls:
    """An authority, a server's certificate for loopback, and a client's for the gateway."""

    server: certificates.ServerTls
    client: Path
    client_key: Path


def tls(folder: Path) -> Tls:
    authority = trustme.CA()
    server = certificates.issue(folder, authority)
    cert, key = folder / "gateway.pem", folder / "gateway.key"
    client = authority.issue_cert("gateway.test")
    cert.write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
    key.touch(mode=0o600)
    client.private_key_pem.write_to_path(str(key))
    return Tls(server, cert, key)


RSYSLOG = """\
global(workDirectory="{folder}" maxMessageSize="64k" DefaultNetstreamDriverCAFile="{ca}"
       DefaultNetstreamDriverCertFile="{cert}" DefaultNetstreamDriverKeyFile="{key}")
main_queue(queue.type="Direct")
module(load="imtcp" StreamDriver.Name="{driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name"
       PermittedPeer=["gateway.test"])
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="line" type="string" string="%msg%\\n")
action(type="omfile" file="{folder}/events.jsonl" template="line" fileCreateMode="0600")
"""
"""No queue: what rsyslog has read is written before it ends its side. Only the gateway's certificate is let in."""


def rsyslog(folder: Path, keys: Tls, driver: str = "ossl") -> Receiver:
    """A real rsyslog that takes TLS from the gateway only; it writes events.jsonl."""
    port, config = free_port(), folder / "rsyslog.conf"
    server = keys.server
    config.write_text(
        RSYSLOG.format(folder=folder, ca=server.ca, cert=server.cert, key=server.key, driver=driver, port=port)
    )
    return Receiver(folder, ["/usr/sbin/rsyslogd", "-n", "-f", config, "-i", folder / "pid"], port)


def otel(folder: Path) -> Receiver:
    """The collector's receiver; it writes logs.json, synced, before it answers."""
    port = free_port()
    command = [program("otel"), "-address", f"127.0.0.1:{port}", "-file", folder / "logs.json"]
    return Receiver(folder, command, port)


def otel_bodies(folder: Path) -> list[str]:
    """The bodies of the records it took, in order."""
    found: list[str] = []
    for line in (folder / "logs.json").read_text().splitlines():
        for resource in json.loads(line)["resourceLogs"]:
            found += [record["body"]["stringValue"] for s in resource["scopeLogs"] for record in s["logRecords"]]
    return found


def collectors(folder: Path) -> Receiver:
    """A Splunk collector by the documentation, and a webhook: splunk.jsonl and webhook.jsonl."""
    port = free_port()
    return Receiver(folder, [sys.executable, "-m", "tests.support.collectors", str(port), folder, TOKEN], port)


def s3_server(folder: Path, keys: Tls) -> Receiver:
    """An S3 server over a folder, with versions and Object Lock."""
    port = free_port()
    (folder / "objects").mkdir(exist_ok=True)
    (folder / "versions").mkdir(exist_ok=True)
    command = [
        program("versitygw"), "--port", f"127.0.0.1:{port}", "--cert", keys.server.cert, "--key", keys.server.key,
        "--quiet", "posix", "--versioning-dir", folder / "versions", folder / "objects",
    ]  # fmt: skip
    secrets = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    return Receiver(folder, command, port, secrets)


def s3_client(server: Receiver, keys: Tls) -> Minio:
    context = ssl.create_default_context(cafile=keys.server.ca)
    pool = urllib3.PoolManager(ssl_context=context, retries=False)
    return Minio(f"127.0.0.1:{server.port}", ACCESS_KEY, SECRET_KEY, region="us-east-1", http_client=pool)
