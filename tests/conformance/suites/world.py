"""The database each suite expects, and the two ways to it: directly, and through a gateway in open posture."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conformance.suites.run import Server
from tests.support.bundle import Site
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster, password_of

OWNER = "postgres"
"""The suites create roles, types and extensions: the login is a superuser's, directly and behind the gateway."""

LIFETIME_SECONDS = 4 * 3600
SETTINGS = {"max_prepared_transactions": "100", "log_statement": "none"}
TRICKY = '" tricky, \' } "" \\ test user "'

NEEDS = {
    "pgx": (
        "CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS ltree;"
        "CREATE DOMAIN uint64 AS numeric(20,0);"
        f"DROP ROLE IF EXISTS {TRICKY}; CREATE ROLE {TRICKY} SUPERUSER LOGIN;"
    ),
    "asyncpg": "CREATE EXTENSION IF NOT EXISTS hstore;",
    "sqlalchemy": (
        "CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2;"
        "CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext;"
    ),
}


@contextmanager
def fresh_database(cluster: Cluster, suite: str) -> Iterator[str]:
    """A database named like the suite: what one run left behind must not reach the next."""
    cluster.drop_database(suite)
    cluster.create_database("template0", suite)
    cluster.run(NEEDS[suite], suite)
    try:
        yield suite
    finally:
        cluster.drop_database(suite)


@contextmanager
def directly(cluster: Cluster, suite: str) -> Iterator[Server]:
    """PostgreSQL itself."""
    with fresh_database(cluster, suite) as database:
        yield Server(cluster.port, cluster.tls.ca, database, OWNER, password_of(OWNER))


@contextmanager
def through(cluster: Cluster, suite: str) -> Iterator[Server]:
    """The gateway. Its connections are named like the databases and its agent like the role: suites ask for both."""
    names = (suite, "postgres")
    grant = {"groups": ["agents"], "connections": list(names), "relations": ["*"], "actions": ["*"]}
    site = Site({}, {"grants": [grant], "posture": dict.fromkeys(names, "open")})
    connections = {name: Upstream(name, OWNER) for name in names}
    with fresh_database(cluster, suite), running_gateway(cluster, connections, site) as gateway:
        yield Server(gateway.port, gateway.tls.ca, suite, OWNER, token(gateway))


def token(gateway: Gateway) -> str:
    """An agent's token that outlives the suite."""
    return gateway.token(OWNER, exp=int(time.time()) + LIFETIME_SECONDS)
