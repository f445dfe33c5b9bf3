"""A gateway with agents at work before a server of its own, and what must hold of its log whatever was done to it."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import msgspec
import psycopg

from gateway.evidence.leaf import Leaf
from gateway.evidence.view import open_views
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster, running_cluster

AGENTS = 6
SITE = everything_but_clear("payments")
_MARK = re.compile(r"querywarden:([0-9a-f-]{36})")
_SCHEMA = """
CREATE TABLE cards (id int PRIMARY KEY, pan text, cvv text);
INSERT INTO cards SELECT n, '411111111111' || lpad(n::text, 4, '0'), '123' FROM generate_series(1, 50) n;
GRANT SELECT ON cards TO agent_ro;
"""


@dataclass(slots=True)
class Load:
    """Agents who connect again whenever they were thrown out."""

    gateway: Gateway
    cluster: Cluster
    token: Callable[[], str] | None = None
    answered: int = 0
    wrong: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    kept: Sequence[Leaf] = ()
    """what had been recorded in the end"""
    over: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Ask until it is over; whatever comes must be right, or an error."""
        while not self.over.is_set():
            try:
                with closing(self.gateway.connect("payments", self.token() if self.token else None)) as connection:
                    while not self.over.is_set():
                        self._ask(connection)
            except psycopg.Error as error:
                self.errors[_name(error)] += 1
                time.sleep(0.05)

    def _ask(self, connection: psycopg.Connection) -> None:
        plain = psycopg.ClientCursor(connection).execute("SELECT id, pan, cvv FROM cards WHERE id = 7").fetchone()
        bound = connection.execute("SELECT id, pan, cvv FROM cards WHERE id = %s", (7,)).fetchone()
        if {plain, bound} != {(7, "************0007", None)}:
            self.wrong.append(f"{plain} {bound}")
        self.answered += 1

    def await_more(self, count: int = 20, seconds: float = 30) -> None:
        """Return when that many more were answered: the gateway lives."""
        wanted, deadline = self.answered + count, time.monotonic() + seconds
        while self.answered < wanted:
            assert self.gateway.process.poll() is None, self.gateway.output[-4000:]
            assert time.monotonic() < deadline, (self.errors, self.gateway.output[-4000:])
            time.sleep(0.02)


def _name(error: psycopg.Error) -> str:
    return error.sqlstate or type(error).__name__


@contextmanager
def loaded(agents: int = AGENTS) -> Iterator[Load]:
    """A gateway under load; at the end everything the server was sent is found decided, and the log verifies."""
    with running_cluster() as cluster:
        name = cluster.create_database()
        cluster.run(_SCHEMA, name)
        with running_gateway(cluster, {"payments": Upstream(name)}, SITE) as gateway:
            load = Load(gateway, cluster)
            with working(load, agents):
                yield load
            assert load.wrong == []
            gateway.stop()
            load.kept = leaves(gateway)
            seen = set(_MARK.findall(cluster.log.read_text(encoding="utf-8", errors="replace")))
            assert seen <= {leaf.did for leaf in load.kept if leaf.type == "statement.decided" and leaf.ok}


@contextmanager
def working(load: Load, agents: int) -> Iterator[None]:
    """Agents at work while the block runs."""
    threads = [threading.Thread(target=load.work) for _ in range(agents)]
    for thread in threads:
        thread.start()
    try:
        if agents:
            load.await_more()
        yield
    finally:
        load.over.set()
        for thread in threads:
            thread.join()


def leaves(gateway: Gateway) -> Sequence[Leaf]:
    """Everything recorded."""
    return [msgspec.json.decode(leaf, type=Leaf) for view in open_views(gateway.data) for _, leaf in view.upwards(0)]
