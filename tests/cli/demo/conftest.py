"""One PostgreSQL of the demo for its tests, with TLS by the demo's own certificate so that a stage can use it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.demo import binaries, certificate, payments
from gateway.cli.demo.cluster import Cluster, free_port
from gateway.core.clock import SystemClock

PASSWORD = "of-the-gateway"
TOKEN = "of-the-agent"


@pytest.fixture(scope="session")
def demo_folder() -> Iterator[Path]:
    """A folder that the server's own user may pass through. Not under pytest's, which every run closes to others."""
    folder = Path(tempfile.mkdtemp(prefix="querywarden-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def demo_server(demo_folder: Path) -> Iterator[Cluster]:
    """The payments database, reachable as the gateway's account and, in the gateway's stead, as `agent`."""
    server = Cluster(binaries.find(), demo_folder / "postgres", free_port(), "right")
    server.create()
    certificate.issue(demo_folder / "tls", SystemClock())
    data = demo_folder / "postgres" / "data"
    for name in ("server.pem", "server.key"):
        copy = data / name
        copy.touch(mode=0o600)
        copy.write_bytes((demo_folder / "tls" / name).read_bytes())
        os.chown(copy, data.stat().st_uid, data.stat().st_gid)
    with (data / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n")
    server.start()
    try:
        payments.fill(server, PASSWORD)
        with payments.connect(server, payments.DATABASE) as connection:
            connection.execute(f"CREATE ROLE agent LOGIN PASSWORD '{TOKEN}' IN ROLE {payments.ACCOUNT}".encode())
        yield server
    finally:
        server.stop()
