"""Whatever happens to the gateway, what reached the database stands in its log.

QUERYWARDEN_KILLS says how often it is killed; the moments follow from QUERYWARDEN_SEED.
"""

import hashlib
import os
import random
import re
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import psycopg
import pytest

from gateway.core.clock import SystemClock
from gateway.evidence.leaf import Leaf
from gateway.evidence.verified import Memory
from gateway.evidence.verify import Options, verify
from gateway.evidence.view import open_views
from gateway.sql.tokens import redact
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, await_listener, running_gateway, serve
from tests.support.postgres import Cluster

ROUNDS = int(os.environ.get("QUERYWARDEN_KILLS", "5"))
SEED = os.environ.get("QUERYWARDEN_SEED", "4")
_ROUND_SECONDS = 10
_MARK = re.compile(r"querywarden:([0-9a-f-]{36})")
_RUN = re.compile(r"login_clear@\S+ LOG:  execute [^:]*: (.*)")


def simple(connection: psycopg.Connection) -> None:
    cursor = psycopg.ClientCursor(connection)
    cursor.execute("SELECT id, brand, pan FROM cards WHERE id = 1")
    cursor.execute("SELECT count(*) FROM customers")


def extended(connection: psycopg.Connection) -> None:
    connection.execute("SELECT id, pan FROM cards WHERE id = %s AND 'extended' <> ''", (1,), prepare=False)
    connection.execute("SELECT id FROM customers WHERE id = %s AND 'prepared' <> ''", (1,), prepare=True)


def pipelined(connection: psycopg.Connection) -> None:
    with connection.pipeline():
        for number in range(5):
            connection.execute("SELECT id FROM cards WHERE id = %s AND 'pipelined' <> ''", (number,))


def copied(connection: psycopg.Connection) -> None:
    with connection.cursor().copy("COPY (SELECT id, pan FROM cards) TO STDOUT") as copy:
        for _ in copy:
            pass
    with connection.cursor().copy("COPY notes (body) FROM STDIN") as copy:
        copy.write("a lamp\n" * 100)


LOADS: Sequence[Callable[[psycopg.Connection], None]] = (simple, extended, pipelined, copied)


@pytest.fixture
def upstream(cluster: Cluster, payments_template: str) -> Iterator[Upstream]:
    """Its role is no other test's: what it runs is found by it in the server's log."""
    name = cluster.create_database(payments_template)
    for kind in ("TABLES", "SEQUENCES"):
        cluster.run(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO login_clear", name)
    yield Upstream(name, "login_clear")
    cluster.drop_database(name)


def work(gateway: Gateway, load: Callable[[psycopg.Connection], None]) -> None:
    """Ask until the gateway is gone."""
    with suppress(psycopg.Error), closing(gateway.connect("payments")) as connection:
        while True:
            load(connection)


def leaves(gateway: Gateway) -> list[Leaf]:
    return [msgspec.json.decode(leaf, type=Leaf) for view in open_views(gateway.data) for _, leaf in view.upwards(0)]


def plan_of(text: str) -> str:
    """What the log calls a rewritten text: the hash of its words without values."""
    return "sha256:" + hashlib.sha256(redact(text).encode()).hexdigest()


def run_and_kill(gateway: Gateway, seconds: float) -> None:
    """Agents at work, and the gateway gone from one moment to the next."""
    agents = [threading.Thread(target=work, args=(gateway, load)) for load in LOADS]
    for agent in agents:
        agent.start()
    time.sleep(seconds)
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.wait()
    for agent in agents:
        agent.join()


def check_log(gateway: Gateway, memory: Memory) -> None:
    """As the kill left it, before anything is mended."""
    report = verify(gateway.data, SystemClock(), options=Options(memory))
    assert report.ok, [finding for finding in report.findings if finding.grave]


def gaps(found: Sequence[Leaf]) -> list[str]:
    """Sessions whose records do not follow one another without a gap."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for leaf in found:
        if leaf.sid:
            numbers[leaf.sid].append(int(leaf.seq))
    return [sid for sid, seen in numbers.items() if seen != list(range(seen[0], seen[0] + len(seen)))]


@pytest.mark.timeout(120 + _ROUND_SECONDS * ROUNDS)
def test_every_statement_the_server_saw_has_its_decision_after_kill_9(
    cluster: Cluster, upstream: Upstream, say: Callable[[str], None], tmp_path: Path
) -> None:
    memory = Memory(tmp_path / "verified")
    rng, start = random.Random(f"kill {SEED}"), cluster.log.stat().st_size  # noqa: S311 -- reproducible on purpose
    with running_gateway(cluster, {"payments": upstream}, everything_but_clear("payments")) as gateway:
        for _ in range(ROUNDS):
            run_and_kill(gateway, rng.uniform(0.4, 2.0))
            check_log(gateway, memory)
            gateway.process = serve(gateway.folder / "gateway.yaml")
            await_listener(gateway)
        gateway.stop()
        assert gateway.output.count("log.recovered") == ROUNDS
        with cluster.log.open("rb") as log:
            log.seek(start)
            written = log.read().decode("utf-8", "replace")
        found = leaves(gateway)
        decided = {leaf.did for leaf in found if leaf.type == "statement.decided" and leaf.ok}
        seen = set(_MARK.findall(written))
        assert len(seen) > 20 * ROUNDS
        assert seen <= decided
        executed = Counter(map(plan_of, _RUN.findall(written)))
        planned = Counter(
            leaf.plan
            for leaf in found
            if leaf.type == "statement.decided" and leaf.ok and leaf.facts()["phase"] == "execute"
        )
        assert executed.total() > 20 * ROUNDS
        assert not executed - planned
        assert gaps(found) == []
        check_log(gateway, memory)
        report = verify(gateway.data, SystemClock())
        assert report.ok
        assert sum(finding.name == "log.recovered" for finding in report.findings) == ROUNDS
        say(
            f"kill -9: {ROUNDS} rounds, the log verified after each; the server saw {len(seen):,} marks and "
            f"{executed.total():,} extended statements, all decided among {len(found):,} records"
        )
