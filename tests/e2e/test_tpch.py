"""TPC-H's 22 queries in guarded posture, a classified table beside them: their answers are a direct connection's."""

from collections.abc import Iterator
from typing import TypeAlias

import psycopg
import pytest

from tests.support.bundle import Site
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster
from tests.support.tpch import fill, queries

GUARD = """
CREATE SCHEMA guard; CREATE TABLE guard.cards (id int PRIMARY KEY, custkey int REFERENCES customer, pan text);
INSERT INTO guard.cards SELECT c_custkey, c_custkey, '4111111111111111' FROM customer;
"""
Place: TypeAlias = tuple[Cluster, str, Gateway]


@pytest.fixture(scope="module")
def tpch(cluster: Cluster) -> Iterator[Place]:
    database = cluster.create_database()
    with cluster.connect(database) as connection:
        fill(connection)
        connection.execute(GUARD)
    grant = {"groups": ["agents"], "connections": ["tpch"], "relations": ["*"], "actions": ["*"]}
    site = Site({"tpch": {"guard.cards": {"pan": ["pan"]}}}, {"grants": [grant], "masks": {"pan": "last4"}})
    with running_gateway(cluster, {"tpch": Upstream(database, "postgres")}, site) as gateway:
        yield cluster, database, gateway
    cluster.drop_database(database)


def answers(
    connection: psycopg.Connection, name: str, *, binary: bool
) -> list[tuple[object, list[tuple[object, ...]]]]:
    """Of each statement of a query that gives rows: its columns and its rows, in order."""
    found: list[tuple[object, list[tuple[object, ...]]]] = []
    for text in queries()[name]:
        cursor = connection.execute(text, binary=binary)
        if cursor.description is not None:
            columns = [(column.name, column.type_code, column.internal_size) for column in cursor.description]
            found.append((columns, cursor.fetchall()))
    return found


def test_there_are_twenty_two() -> None:
    assert sorted(queries()) == [f"q{number:02d}" for number in range(1, 23)]


@pytest.mark.parametrize("name", sorted(queries()))
def test_the_answer_is_that_of_a_direct_connection(tpch: Place, name: str) -> None:
    cluster, database, gateway = tpch
    with cluster.connect(database) as direct, gateway.connect("tpch") as through:
        for binary in (False, True):
            wanted = answers(direct, name, binary=binary)
            assert answers(through, name, binary=binary) == wanted
            assert any(rows and rows[0][-1] is not None for _, rows in wanted), (
                "a query without an answer shows nothing"
            )


def test_joined_with_the_classified_table_only_its_column_differs(tpch: Place) -> None:
    cluster, database, gateway = tpch
    text = """
        select n_name, count(distinct pan) as cards, min(pan) as card, sum(o_totalprice) as total
        from guard.cards join customer on c_custkey = custkey join orders on o_custkey = c_custkey
            join nation on n_nationkey = c_nationkey
        where c_mktsegment = 'BUILDING' group by n_name order by n_name
    """
    with cluster.connect(database) as direct, gateway.connect("tpch") as through:
        wanted = direct.execute(text).fetchall()
        seen = through.execute(text).fetchall()
    assert len(wanted) > 20
    assert seen == [(name, cards, "************1111", total) for name, cards, _, total in wanted]
