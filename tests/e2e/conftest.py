"""Fixtures of the end-to-end tests: the gateway in front of a real PostgreSQL."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster


@pytest.fixture(scope="session")
def gateway(cluster: Cluster, payments_template: str) -> Iterator[Gateway]:
    """A gateway whose agents may do everything but see cards: `payments` (reads), `writing`, and `twin` databases."""
    reads, writes = (cluster.create_database(payments_template) for _ in range(2))
    connections = {"payments": Upstream(reads), "writing": Upstream(writes, "agent_rw")}
    with running_gateway(cluster, connections, everything_but_clear(*connections)) as running:
        yield running
    for name in (reads, writes):
        cluster.drop_database(name)


_LINES: pytest.StashKey[list[str]] = pytest.StashKey()


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Add a line to the summary at the end of the run: a figure, or something that was absent."""
    return pytestconfig.stash.setdefault(_LINES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests had to say."""
    for line in terminalreporter.config.stash.get(_LINES, []):
        terminalreporter.write_line(line)
