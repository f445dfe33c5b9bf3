"""Sessions of real tools pass through a gateway: in open posture all of them, in guarded posture what tools must do.

What guarded posture refuses is listed here with its reason, and the list is exact.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType

import pytest

from tests.support.bundle import Site
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster, password_of
from tests.support.rawpg import RawClient
from tests.support.sessions import Session, postgres_sessions, replay

SUITE = "suite"
EXCEPTIONS: Mapping[str, str] = MappingProxyType({})
"""Sessions that do not pass in open posture, each with its reason."""
_OPTIONS = "it reads options of foreign servers, connection strings of subscriptions or settings kept for roles"
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "pg-pg-dump": f"admin: {_OPTIONS}: they may hold credentials",
        "pg-pg-dump-custom": f"admin: {_OPTIONS}: they may hold credentials",
        "pg-typeorm": "orm: it makes an extension, whose functions nobody has listed",
        "pg-hand-ddl": "migration: it makes functions, triggers and policies, which are code nobody can follow",
    }
)
"""Sessions that guarded posture refuses in part, each with its kind and reason."""
ALWAYS = frozenset({"introspection", "driver"})
"""kinds of which every session passes in guarded posture"""
CLASSIFIED = ("CREATE SCHEMA guard", "CREATE TABLE guard.cards (id int PRIMARY KEY, pan text)")


class Suite:
    """The database `suite`, made anew for each session from a template of its set-up."""

    name = SUITE

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.templates: dict[Sequence[str], str] = {}

    def renew(self, session: Session) -> None:
        if session.setup not in self.templates:
            name = self.cluster.create_database()
            with closing(self.direct(name)) as client:
                setup = Session(id="", dialect="", source="", kind="", sql=session.setup)
                assert replay(client, setup) == []
            self.templates[session.setup] = name
        self.cluster.drop_database(SUITE)
        self.cluster.create_database(self.templates[session.setup], SUITE)

    def direct(self, name: str = SUITE) -> RawClient:
        client = RawClient(self.cluster.port, source="127.0.0.2")
        client.start_tls(self.cluster.tls.ca)
        client.log_in(password_of("postgres"), name, "postgres")
        return client

    def drop(self) -> None:
        for name in (SUITE, *self.templates.values()):
            self.cluster.drop_database(name)


@pytest.fixture(scope="module")
def suite(cluster: Cluster) -> Iterator[Suite]:
    cluster.create_database(name=SUITE)
    made = Suite(cluster)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def open_gateway(cluster: Cluster, suite: Suite) -> Iterator[Gateway]:
    grant = {"groups": ["agents"], "connections": [SUITE], "relations": ["*"], "actions": ["*"]}
    site = Site({}, {"grants": [grant], "posture": {SUITE: "open"}})
    with running_gateway(cluster, {SUITE: Upstream(suite.name, "postgres")}, site) as gateway:
        yield gateway


def failures_of(suite: Suite, connect: Callable[[], RawClient]) -> dict[str, list[str]]:
    failed: dict[str, list[str]] = {}
    for session in postgres_sessions():
        suite.renew(session)
        with closing(connect()) as client:
            errors = replay(client, session)
        if errors:
            failed[session.id] = errors
    return failed


def test_absence_of_the_captured_sessions_is_announced(say: Callable[[str], None]) -> None:
    count = len(postgres_sessions())
    say(f"captured sessions: {count}" if count else "captured sessions: ABSENT on this machine, none was replayed")
    assert count == 0 or count >= 60


def test_connected_directly_every_session_passes(suite: Suite) -> None:
    assert failures_of(suite, suite.direct) == {}


def test_nine_in_ten_sessions_pass_through_the_gateway(
    suite: Suite, open_gateway: Gateway, say: Callable[[str], None]
) -> None:
    def connect() -> RawClient:
        client = RawClient(open_gateway.port)
        client.start_tls(open_gateway.tls.ca)
        client.log_in(open_gateway.token(), SUITE, "agent")
        return client

    failed = failures_of(suite, connect)
    say(
        f"captured sessions that pass in open posture: {len(postgres_sessions()) - len(failed)}; failed: {list(failed)}"
    )
    assert {name: failed[name] for name in failed if name not in EXCEPTIONS} == {}
    assert len(failed) <= 0.1 * len(postgres_sessions())


def _connection(session: Session, setups: Sequence[Sequence[str]]) -> str:
    """Sessions that only look share one database with all others of their set-up."""
    alone = session.kind not in {"introspection", "analytics"} or len(session.sql) > 3
    return session.id if alone else f"shared-{setups.index(session.setup)}"


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, suite: Suite) -> Iterator[Callable[[Session], RawClient]]:
    """Log in for one session, where a classified table stands beside what it uses."""
    setups = list({session.setup: None for session in postgres_sessions()})
    places: dict[str, str] = {}
    for session in postgres_sessions():
        if _connection(session, setups) not in places:
            suite.renew(session)
            name = cluster.create_database(suite.templates[session.setup])
            with closing(suite.direct(name)) as client:
                made = Session(id="", dialect="", source="", kind="", sql=CLASSIFIED)
                assert replay(client, made) == []
            places[_connection(session, setups)] = name
    places = places or {"none": cluster.create_database()}
    grant = {"groups": ["agents"], "connections": list(places), "relations": ["*"], "actions": ["*"]}
    labels = {name: {"guard.cards": {"pan": ["pan"]}} for name in places}
    upstreams = {name: Upstream(database, "postgres") for name, database in places.items()}
    with running_gateway(cluster, upstreams, Site(labels, {"grants": [grant], "masks": {"pan": "last4"}})) as gateway:

        def log_in(session: Session) -> RawClient:
            client = RawClient(gateway.port)
            client.start_tls(gateway.tls.ca)
            client.log_in(gateway.token(), _connection(session, setups), "agent")
            return client

        yield log_in
    for name in places.values():
        cluster.drop_database(name)


def test_in_guarded_posture_the_sessions_pass_that_are_not_listed_with_a_reason(
    guarded: Callable[[Session], RawClient], say: Callable[[str], None]
) -> None:
    failed: dict[str, list[str]] = {}
    for session in postgres_sessions():
        with closing(guarded(session)) as client:
            errors = replay(client, session)
        if errors:
            failed[session.id] = errors
    total = len(postgres_sessions())
    say(f"captured sessions that pass in guarded posture: {total - len(failed)} of {total}; refused: {list(failed)}")
    assert {name: errors for name, errors in failed.items() if name not in REFUSED} == {}
    assert not total or failed.keys() == REFUSED.keys()


def test_no_session_of_a_driver_and_no_introspection_is_listed() -> None:
    assert {session.id for session in postgres_sessions() if session.kind in ALWAYS}.isdisjoint(REFUSED)
