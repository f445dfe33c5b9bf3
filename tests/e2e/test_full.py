"""A folder that takes no more: new statements are denied, the session lives, and it goes on when there is room."""

import resource
import time
from collections.abc import Iterator

import msgspec
import psycopg
import pytest

from gateway.core.clock import SystemClock
from gateway.evidence.leaf import Leaf
from gateway.evidence.verify import verify
from gateway.evidence.view import open_views
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster


@pytest.fixture
def upstream(cluster: Cluster, payments_template: str) -> Iterator[Upstream]:
    name = cluster.create_database(payments_template)
    yield Upstream(name)
    cluster.drop_database(name)


def limit_files(gateway: Gateway, size: int) -> None:
    """No file of the process may grow beyond `size` bytes: to it, that is a disk that is full."""
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def ask_until_refused(connection: psycopg.Connection) -> None:
    for number in range(5000):
        connection.execute(f"SELECT {number} AS n{number}".encode())


def seconds_until_it_works(connection: psycopg.Connection) -> float:
    started = time.monotonic()
    while True:
        try:
            connection.execute("SELECT 1")
        except psycopg.errors.CannotConnectNow:
            assert time.monotonic() - started < 20
            time.sleep(0.1)
        else:
            return time.monotonic() - started


def test_a_full_folder_denies_with_a_code_and_is_recovered_from(cluster: Cluster, upstream: Upstream) -> None:
    with running_gateway(cluster, {"payments": upstream}, everything_but_clear("payments")) as gateway:
        with gateway.connect("payments") as connection:
            limit_files(gateway, max(path.stat().st_size for path in gateway.data.rglob("wal/*")) + 20_000)
            with pytest.raises(psycopg.errors.CannotConnectNow, match="could not be recorded") as caught:
                ask_until_refused(connection)
            assert str(caught.value.diag.message_detail).startswith("code evidence.unavailable; decision ")
            seen = cluster.log.read_text(encoding="utf-8", errors="replace").count("AS n")
            with pytest.raises(psycopg.errors.CannotConnectNow):
                connection.execute("SELECT 77 AS never")
            assert cluster.log.read_text(encoding="utf-8", errors="replace").count("AS n") == seen
            assert "AS never" not in cluster.log.read_text(encoding="utf-8", errors="replace")
            time.sleep(1.0)  # the operator is told within half a second
            assert "log.degraded" in gateway.output
            limit_files(gateway, resource.RLIM_INFINITY)
            seconds_until_it_works(connection)
            time.sleep(1.0)
            assert "log.repaired" in gateway.output
        gateway.stop()
        leaves = [
            msgspec.json.decode(leaf, type=Leaf) for view in open_views(gateway.data) for _, leaf in view.upwards(0)
        ]
        (degraded,) = [leaf for leaf in leaves if leaf.type == "log.degraded"]
        facts = degraded.facts()
        assert facts["cause"] == "EFBIG"
        assert int(str(facts["refused"])) >= 2
        assert int(str(facts["end"])) > int(str(facts["start"]))
        report = verify(gateway.data, SystemClock())
        assert report.ok
        assert "log.degraded" in {finding.name for finding in report.findings}
