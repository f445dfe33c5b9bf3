"""Every case of the corpus with its databases: true, twin and direct, and the transcripts seen through the gateway.

A case that only reads shares one database with all others of its kind; one that writes has its own on each side. There
the clients run in the same order everywhere, so what one leaves behind the next one finds, directly and through the
gateway alike.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from tests.support.bundle import Site, everything_but_clear
from tests.support.cases import Case, postgres_cases, schema, twin_schema
from tests.support.clients.client import Client
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster, scratch_folder
from tests.support.recover import Transcript

TRUE, TWIN = "true", "twin"
"""The sides seen through the gateway."""
DIRECT, DIRECT_TWIN = "direct", "direct_twin"
"""Copies of both for clients of the database itself."""

_DECISION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_DURATION = re.compile(r"(actual time=|(?:Planning|Execution) Time: )[0-9.]+(\.\.[0-9.]+)?")


@dataclass(slots=True)
class World:
    """The gateway, the databases, and what has been seen so far."""

    cluster: Cluster
    scratch: Path
    templates: Mapping[str, str]
    """side → database to copy"""
    clients: Sequence[Client]
    databases: dict[str, str] = field(default_factory=dict)
    """side and case → database"""
    gateway: Gateway | None = None
    seen: dict[tuple[str, str, str], Transcript] = field(default_factory=dict)
    """side, case and client → what came back"""

    def database(self, side: str, case: Case) -> str:
        """The database a case uses on one side, made when first asked for."""
        key = place(side, case)
        if key not in self.databases:
            self.databases[key] = self.cluster.create_database(self.templates[side])
        return self.databases[key]

    def direct(self, case: Case, client: Client, side: str = DIRECT) -> Transcript:
        """What a client of the database itself gets, with the role of the case."""
        return self._remembered(side, case, client, lambda: self.cluster.conninfo(self.database(side, case), case.role))

    def through(self, case: Case, client: Client, side: str = TRUE) -> Transcript:
        """What an agent gets through the gateway."""
        gateway = self.gateway
        assert gateway is not None
        return self._remembered(side, case, client, lambda: gateway.conninfo(place(side, case)))

    def unlabelled_text(self, case: Case) -> str:
        """What now stands in tables without labels that hold no card number to begin with."""
        tables = ("customers", "notes", "audit_log")
        found: list[str] = []
        with self.cluster.connect(self.database(TRUE, case)) as connection:
            for table in tables:
                query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
                found += [str(row) for row in connection.execute(query)]
        return "\n".join(found)

    def _remembered(self, side: str, case: Case, client: Client, conninfo: Callable[[], str]) -> Transcript:
        """Where a case writes, all clients run when the first is asked for, so that their order never changes."""
        if (side, case.id, client.name) not in self.seen:
            for each in self.clients if case.writes else (client,):
                self.seen[side, case.id, each.name] = self._run(case, each, conninfo())
        return self.seen[side, case.id, client.name]

    def _run(self, case: Case, client: Client, conninfo: str) -> Transcript:
        seen = client.run(conninfo, case.statements(self.scratch, self.cluster.port))
        for path in self.scratch.iterdir():
            seen.file += path.read_text(encoding="utf-8", errors="replace")
            path.unlink()
        return seen


def place(side: str, case: Case) -> str:
    """The name of the connection (and key of the database) a case uses on one side."""
    return f"{side}-{case.id}" if case.writes else f"{side}-shared"


def comparable(seen: Transcript, side: str) -> str:
    """What an agent could tell apart: everything but decision ids, durations and the connection's own name."""
    everything = f"{seen.flat}\n{seen.binary}\n{seen.file}"
    return _DURATION.sub("<time>", _DECISION.sub("<decision>", everything)).replace(f"{side}-", "")


def errors(seen: Transcript) -> list[str]:
    """The errors among the texts."""
    return [text for text in seen.text if text.startswith(("error: ", "login: ", "connection lost"))]


def same(direct: Transcript, governed: Transcript) -> bool:
    """Equal rows and equal errors; notices may come in addition."""
    return direct.binary == governed.binary and errors(direct) == errors(governed)


def answered(seen: Transcript) -> bool:
    """Some row came back, or none was to come: whatever one statement of several was told."""
    return bool(seen.rows) or not errors(seen)


@contextmanager
def databases(cluster: Cluster, clients: Sequence[Client]) -> Iterator[World]:
    """A world without a gateway: its databases are made as they are asked for."""
    true, twin = cluster.create_database(), cluster.create_database()
    cluster.run(schema(), true)
    cluster.run(twin_schema(), twin)
    with scratch_folder() as scratch:
        world = World(cluster, scratch, {TRUE: true, DIRECT: true, TWIN: twin, DIRECT_TWIN: twin}, clients)
        yield world
    for name in (*world.databases.values(), true, twin):
        cluster.drop_database(name)


@contextmanager
def governed(
    world: World, cases: Sequence[Case] = (), site: Callable[[Sequence[str]], Site] | None = None
) -> Iterator[World]:
    """The world behind a gateway whose agents are granted everything but clear card data, or as `site` says."""
    connections = {
        place(side, case): Upstream(world.database(side, case), case.role)
        for case in cases or postgres_cases()
        for side in ((TRUE,) if case.benign and case.writes else (TRUE, TWIN))
    }
    said = site(list(connections)) if site else everything_but_clear(*connections)
    with running_gateway(world.cluster, connections, said) as gateway:
        world.gateway = gateway
        yield world
