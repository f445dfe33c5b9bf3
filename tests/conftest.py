"""Fixtures by subject: one PostgreSQL for the run, fresh databases copied from templates, the gateway as a process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Cluster, running_cluster

CORPUS = Path(__file__).parent / "corpus"
Factory = Callable[..., str]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL with TLS, SCRAM and the roles agent_ro, agent_rw, agent_files."""
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def payments_template(cluster: Cluster) -> str:
    """A database with the schema of the cases, to be copied; never connect to it."""
    name = cluster.create_database(name="payments_template")
    cluster.run((CORPUS / "cases/schema_pg.sql").read_text(encoding="utf-8"), name)
    return name


@pytest.fixture
def database(cluster: Cluster, payments_template: str) -> Iterator[Factory]:
    """Make fresh databases: `database()` has the schema of the cases, `database(empty=True)` nothing."""
    made: list[str] = []

    def make(*, empty: bool = False) -> str:
        made.append(cluster.create_database("template1" if empty else payments_template))
        return made[-1]

    yield make
    for name in made:
        cluster.drop_database(name)
