"""Passwords where the configurations say they are, and a database as an operator should set it up."""

from collections.abc import Callable

import pytest

from tests.support.postgres import Cluster, password_of


@pytest.fixture(autouse=True)
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    for user in ("agent_ro", "agent_rw", "agent_files", "postgres"):
        monkeypatch.setenv(f"PASSWORD_{user.upper()}", password_of(user))


@pytest.fixture
def tidy(cluster: Cluster, database: Callable[..., str]) -> str:
    """A copy of the payments database without dblink, in which nobody may create temporary tables."""
    name = database()
    cluster.run(f'DROP EXTENSION dblink CASCADE; REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC', name)
    return name
