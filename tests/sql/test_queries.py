"""The queries run as any role on a real server, and the stored snapshot is what they give."""

import pytest

from gateway.sql.catalog import Catalog, build_catalog
from gateway.sql.queries import QUERIES
from tests.sql.make_snapshot import trimmed
from tests.sql.payments import catalog
from tests.support.postgres import Cluster
from tests.support.rewriting import read_rows
from tests.support.rules import case_posture

pytestmark = pytest.mark.enable_socket


def shape(found: Catalog) -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    """Everything but OIDs of user relations."""
    return {
        relation.qualified: [(column.name, column.type, column.labels) for column in relation.columns]
        for relation in found.relations.values()
        if not relation.system
    }


def test_the_stored_snapshot_is_what_a_server_gives(cluster: Cluster, payments_template: str) -> None:
    name = cluster.create_database(payments_template)
    read = read_rows(cluster.conninfo(name, "agent_ro"))
    assert read.keys() == QUERIES.keys()
    assert shape(build_catalog(read, case_posture())) == shape(catalog())
    assert {row[2] for row in trimmed(read)["functions"]} == {
        function.name for function in catalog().functions.values()
    }
    cluster.drop_database(name)


def test_an_empty_database_has_a_snapshot(cluster: Cluster) -> None:
    name = cluster.create_database()
    found = build_catalog(read_rows(cluster.conninfo(name, "agent_rw")), case_posture())
    assert len(found.problems) == 4
    assert all(relation.system for relation in found.relations.values())
    cluster.drop_database(name)
