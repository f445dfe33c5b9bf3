"""The PostgreSQL the other tests stand on is what it claims to be."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.support import postgres
from tests.support.postgres import Cluster


def test_the_server_speaks_tls_and_asks_for_scram(cluster: Cluster) -> None:
    with cluster.connect(user="agent_ro") as connection:
        row = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    assert row == (True,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cluster.conninfo(user="agent_ro", password="wrong"))


@pytest.mark.parametrize("role", sorted(postgres.ROLES))
def test_every_role_logs_in_with_its_password(cluster: Cluster, role: str) -> None:
    with cluster.connect(user=role) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (role,)


def test_each_database_is_a_fresh_copy(cluster: Cluster, database: Callable[..., str]) -> None:
    first, second = database(), database()
    cluster.run("DELETE FROM notes; DELETE FROM transactions; DELETE FROM cards", first)
    with cluster.connect(second, "agent_ro") as connection:
        assert connection.execute("SELECT count(*) FROM cards").fetchone() == (5,)


def test_statements_can_be_read_in_the_log(cluster: Cluster) -> None:
    marker = f"marker_{time.monotonic_ns()}"
    with cluster.connect() as connection:
        connection.execute(f"SELECT 1 AS {marker}")
    assert marker in cluster.log.read_text(encoding="utf-8", errors="replace")


def test_missing_binaries_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(Path, "glob", lambda _self, _pattern: iter(()))
    with pytest.raises(postgres.MissingBinariesError, match="apt-get install postgresql"):
        postgres.find_binaries()
