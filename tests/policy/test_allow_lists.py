"""The allow-lists against a real server's catalog: nothing of it is on no list, and what is allowed is harmless."""
# ruff: noqa: S608 -- writing SQL is what this is for

import json
from collections.abc import Iterator, Mapping

import psycopg
import pytest

from gateway.sql.catalog import Catalog, build_catalog
from gateway.sql.model import Scope
from gateway.sql.understand import understand
from tests.support import rules
from tests.support.postgres import Cluster
from tests.support.rewriting import read_rows
from tools import allowlist

pytestmark = pytest.mark.enable_socket

POSTURE = rules.case_posture()
GENERATED_ON = 15
"""major version of the server the lists were made from"""
BEHIND = """
SELECT p.proname, p.provolatile FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
WHERE o.oprnamespace = 'pg_catalog'::regnamespace
UNION SELECT p.proname, p.provolatile FROM pg_cast c JOIN pg_proc p ON p.oid = c.castfunc
WHERE p.pronamespace = 'pg_catalog'::regnamespace"""


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[psycopg.Connection]:
    with cluster.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def catalog(cluster: Cluster) -> Catalog:
    return build_catalog(read_rows(cluster.conninfo()), POSTURE)


def refused() -> Mapping[str, Mapping[str, list[str]]]:
    lists: Mapping[str, Mapping[str, list[str]]] = json.loads(allowlist.REFUSED.read_text(encoding="utf-8"))
    return lists


def test_every_function_and_relation_of_the_server_is_allowed_or_was_looked_at_and_refused(cluster: Cluster) -> None:
    left_out = allowlist.left_out(cluster.conninfo(), rules.allow())
    unknown = [
        f"{kind} {schema}.{name}"
        for kind, by_schema in left_out.items()
        for schema, names in by_schema.items()
        for name in names
        if name not in refused()[kind].get(schema, ())
    ]
    assert unknown == [], "tools/allowlist.py says what to do"


def test_the_lists_are_what_the_rules_make_of_the_server(cluster: Cluster, server: psycopg.Connection) -> None:
    made = allowlist.read(cluster.conninfo())
    if server.info.server_version // 10_000 == GENERATED_ON:
        assert made == rules.allow()
        assert allowlist.left_out(cluster.conninfo(), made) == refused()
    assert made.keys() == rules.allow().keys()


def test_nothing_is_on_both_lists() -> None:
    for kind in ("functions", "relations"):
        for schema, names in refused()[kind].items():
            assert not set(names) & set(rules.allow()[kind].get(schema, {}))


def test_no_operator_and_no_cast_of_the_server_does_what_a_refused_function_does(server: psycopg.Connection) -> None:
    """They are no facts, so each must be harmless."""
    found = server.execute(BEHIND.encode()).fetchall()
    assert len(found) > 500
    assert [name for name, volatility in found if volatility == "v" or allowlist.NEVER.fullmatch(name)] == []


def test_what_is_volatile_and_allowed_was_named(server: psycopg.Connection) -> None:
    named = {*allowlist.VOLATILE.split(), *allowlist.NEWER.split()}
    rows = server.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' "
        "GROUP BY proname HAVING bool_and(provolatile = 'v')"
    ).fetchall()
    allowed = rules.allow()["functions"]["pg_catalog"]
    assert [name for (name,) in rows if name in allowed and name not in named] == []


def test_families_that_reach_beyond_the_statement_are_refused() -> None:
    allowed = rules.allow()["functions"]["pg_catalog"]
    assert [name for name in allowed if allowlist.NEVER.fullmatch(name)] == []
    for name in (
        "query_to_xml", "pg_read_file", "lo_get", "lo_import", "pg_sleep", "pg_notify", "ts_stat", "setval",
        "pg_advisory_lock", "pg_ls_dir", "pg_stat_file", "pg_terminate_backend", "pg_logical_slot_get_changes",
        "database_to_xml", "cursor_to_xml", "pg_mcv_list_items", "current_query", "pg_stat_get_activity", "currtid2",
    ):  # fmt: skip
        assert name not in allowed


def test_a_call_of_every_refused_function_is_denied(catalog: Catalog) -> None:
    scope = Scope(search_path=("public",), posture=POSTURE)
    passed = []
    for schema, names in refused()["functions"].items():
        for name in names:
            for text in (
                f'SELECT {schema}."{name}"(1)',
                f'SELECT * FROM "{name}"(1)',
                f'SELECT 1 ORDER BY "{name}"(1)',
            ):
                (found,) = understand(text, catalog, scope)
                if not any(code.startswith("access.function") for code in rules.refusals(found.statement, POSTURE)):
                    passed.append(text)
    assert passed == []


def test_every_refused_system_relation_is_denied(catalog: Catalog) -> None:
    scope = Scope(search_path=("public",), posture=POSTURE)
    passed = []
    for schema, names in refused()["relations"].items():
        for name in names:
            for text in (
                f'TABLE {schema}."{name}"',
                f'SELECT 1 FROM {schema}."{name}"',
                f'COPY {schema}."{name}" TO STDOUT',
            ):
                (found,) = understand(text, catalog, scope)
                if not any(code.startswith("access.system") for code in rules.refusals(found.statement, POSTURE)):
                    passed.append(text)
    assert passed == []
