"""Tests of the network run on both event loops; the others share frontends before the tests' PostgreSQL."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.frontends.world import LABELLED, OPEN, World, running_world
from tests.support.loops import BOTH
from tests.support.postgres import Cluster


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both for the modules that own sockets, asyncio's for the others."""
    both = item.path.name in {"test_accept.py", "test_listener.py"}
    return BOTH if both else {"asyncio": BOTH["asyncio"]}


@pytest.fixture(scope="module")
def shared_world(cluster: Cluster, payments_template: str) -> Iterator[World]:
    """`payments` is guarded and has labelled columns; `scratch` is open. One for each file of tests."""
    databases = {"payments": cluster.create_database(payments_template), "scratch": cluster.create_database()}
    for kind in ("TABLES", "SEQUENCES"):
        cluster.run(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO login_clear", databases["payments"])
    cluster.run("CREATE TABLE notes(body text); GRANT ALL ON notes TO PUBLIC", databases["scratch"])
    with running_world(cluster, databases, {"payments": LABELLED, "scratch": OPEN}) as running:
        yield running
    for name in databases.values():
        cluster.drop_database(name)


@pytest.fixture
def world(shared_world: World) -> World:
    """The file's world with its stand-ins as new: nobody is connected, nothing has been recorded."""
    shared_world.begin_anew()
    return shared_world
