"""A place for one gateway, over a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.place import Place
from tests.support.bundle import everything_but_clear
from tests.support.postgres import Cluster, password_of


@pytest.fixture
def place(
    tmp_path: Path, cluster: Cluster, payments_template: str, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    database = cluster.create_database(payments_template)
    monkeypatch.setenv("PASSWORD_AGENT_RO", password_of("agent_ro"))
    made = Place(tmp_path, cluster, database, unused_tcp_port)
    made.lay(everything_but_clear("payments"))
    yield made
    cluster.drop_database(database)
