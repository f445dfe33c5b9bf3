"""Every common client connects with a token as its password and no other change, and works as before.

The clients in Go, Java and JavaScript take one tour each (go/, java/, node/, built by setup.sh) and print what they
saw; the tours directly at the database show what has to come out.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import pytest

from tests.support.bundle import everything_but_clear
from tests.support.drivers import drive
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster

CLEAR = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117")
MASKED = ("************1111", "************4444", "************0005", "************1117")

EXPECTED: Mapping[str, object] = MappingProxyType(
    {
        "text": [["1", "Alice"], ["2", "Bob"], ["3", "Chen"], ["4", "Dana"]],
        "rolled_back": 0,
        "committed": 1,
        "denied_in_transaction": "42501",
        "after_denial": "25P02",
        "after_rollback": 1,
        "cancelled": "57014",
        "copied_out": ["1\tAlice", "2\tBob", "3\tChen", "4\tDana"],
        "copied_in": 2,
        "denials": {"42501": 1000},
        "usable": 1,
    }
)
"""What every client sees, directly and through the gateway."""

OWN: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "pgx": {"binary": [2999] * 4},
        "pgjdbc": {"binary": [2999], "batched": 3, "fetched": ["Alice", "Bob", "Chen", "Dana"]},
        "node-pg": {"binary": [99]},
    }
)
"""What only one of them tries."""

each = pytest.mark.parametrize("name", sorted(OWN))


def expected(name: str, numbers: tuple[str, ...]) -> dict[str, object]:
    return {**EXPECTED, **OWN[name], "prepared": [numbers[turn % 4] for turn in range(10)]}


@pytest.fixture(scope="module")
def drivers_gateway(cluster: Cluster, payments_template: str) -> Iterator[Gateway]:
    database = cluster.create_database(payments_template)
    connections = {"writing": Upstream(database, "agent_rw")}
    with running_gateway(cluster, connections, everything_but_clear(*connections)) as gateway:
        yield gateway
    cluster.drop_database(database)


@each
def test_connected_directly_the_tour_is_as_expected(cluster: Cluster, database: Callable[..., str], name: str) -> None:
    assert drive(name, cluster.conninfo(database(), "agent_rw")) == expected(name, CLEAR)


@each
def test_the_tour_through_the_gateway_differs_only_in_the_mask(drivers_gateway: Gateway, name: str) -> None:
    assert drive(name, drivers_gateway.conninfo("writing")) == expected(name, MASKED)
