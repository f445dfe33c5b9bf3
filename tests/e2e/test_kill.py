"""Whatever happens to the gateway, what reached the database stands in its log."""

import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import msgspec
import psycopg
import pytest

from gateway.core.clock import SystemClock
from gateway.evidence.leaf import Leaf
from gateway.evidence.verify import verify
from gateway.evidence.view import open_views
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, await_listener, running_gateway, serve
from tests.support.postgres import Cluster

ROUNDS = 3
AGENTS = 4
_MARK = re.compile(r"querywarden:([0-9a-f-]{36})")


@pytest.fixture
def upstream(cluster: Cluster, payments_template: str) -> Iterator[Upstream]:
    name = cluster.create_database(payments_template)
    yield Upstream(name)
    cluster.drop_database(name)


def work(gateway: Gateway) -> None:
    """Ask until the gateway is gone."""
    with suppress(psycopg.Error), closing(gateway.connect("payments")) as connection:
        cursor = psycopg.ClientCursor(connection)
        while True:
            cursor.execute("SELECT id, brand, pan FROM cards WHERE id = 1")
            cursor.execute("SELECT count(*) FROM customers")


def decided(gateway: Gateway) -> set[str]:
    leaves = (msgspec.json.decode(leaf, type=Leaf) for view in open_views(gateway.data) for _, leaf in view.upwards(0))
    return {leaf.did for leaf in leaves if leaf.type == "statement.decided" and leaf.ok}


def run_and_kill(gateway: Gateway) -> None:
    """Agents at work, and the gateway gone from one moment to the next."""
    agents = [threading.Thread(target=work, args=(gateway,)) for _ in range(AGENTS)]
    for agent in agents:
        agent.start()
    time.sleep(1.0)
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.wait()
    for agent in agents:
        agent.join()


def test_every_statement_the_server_saw_has_its_decision_after_kill_9(cluster: Cluster, upstream: Upstream) -> None:
    start = cluster.log.stat().st_size
    with running_gateway(cluster, {"payments": upstream}, everything_but_clear("payments")) as gateway:
        for _ in range(ROUNDS):
            run_and_kill(gateway)
            gateway.process = serve(gateway.folder / "gateway.yaml")
            await_listener(gateway)
        gateway.stop()
        with cluster.log.open("rb") as log:
            log.seek(start)
            seen = set(_MARK.findall(log.read().decode("utf-8", "replace")))
        assert len(seen) > 20 * ROUNDS
        assert seen <= decided(gateway)
        assert verify(gateway.data, SystemClock()).ok
