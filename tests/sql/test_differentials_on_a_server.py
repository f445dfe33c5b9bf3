"""No construct and no operator is read otherwise by us than by the server without being refused.

Three readers: libpg_query through our walk, sqlglot, and the server itself by its own parse trees.
"""
# ruff: noqa: S608 -- writing SQL is what this is for

import os
from collections import defaultdict
from collections.abc import Iterator

import psycopg
import pytest

from gateway.sql import second_reader
from gateway.sql.catalog import Catalog, build_catalog
from gateway.sql.model import Scope, Understood
from gateway.sql.understand import understand
from tests.sql.constructs import COMMANDS, EXPRESSIONS, QUERIES, SOURCES, WITHOUT_RELATION
from tests.sql.payments import one
from tests.sql.test_readers_on_a_server import unknown
from tests.support import rules
from tests.support.cases import schema
from tests.support.postgres import Cluster
from tests.support.rewriting import read_rows
from tests.support.server_trees import OPTIONS, Server

pytestmark = pytest.mark.enable_socket

POSTURE = rules.case_posture()
GOVERNED = frozenset({"cards", "v_cards", "mv_cards", "card_parts", "card_parts_2024"})
FROM = "FROM public.cards c, cards, (SELECT 1) o WINDOW w AS (PARTITION BY c.pan)"
STATEMENTS = (
    *(f"SELECT {text} {FROM}" for text in EXPRESSIONS),
    *(f"SELECT 1 FROM cards c, cards WHERE ({text}) IS NULL" for text in EXPRESSIONS),
    *(f"SELECT 1 FROM cards c, cards GROUP BY {text}" for text in EXPRESSIONS),
    *(f"UPDATE notes SET body = ({text})::text FROM cards c, cards" for text in EXPRESSIONS),
    *(f"INSERT INTO notes(body) SELECT ({text})::text FROM cards c, cards RETURNING body" for text in EXPRESSIONS),
    *(f"SELECT * FROM {source}" for source in SOURCES),
    *(f"SELECT 1 FROM {source}" for source in SOURCES),
    *(f"SELECT 1 FROM customers z JOIN LATERAL (SELECT * FROM {source}) y ON true" for source in SOURCES),
    *(f"DELETE FROM tags USING {source}" for source in SOURCES),
    *QUERIES,
)
UNSEEN_BY_SQLGLOT = frozenset({"@", "@@@"})
"""Operators of which sqlglot makes a parameter, so that the column behind them is no column to it."""

WHOLE = "QUERYWARDEN_SWEEP" in os.environ
EVERY = 1 if WHOLE else 4
"""Of the operator sweep every n-th statement"""


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[tuple[Server, Catalog]]:
    name = cluster.create_database()
    cluster.run(schema(), name)
    with psycopg.connect(cluster.conninfo(name, options=OPTIONS), autocommit=True) as connection:
        yield Server(connection), build_catalog(read_rows(cluster.conninfo(name)), POSTURE)
    cluster.drop_database(name)


def read(text: str, catalog: Catalog) -> Understood:
    (found,) = understand(text, catalog, Scope(search_path=("public",), posture=POSTURE))
    return found


def missed(server: Server, catalog: Catalog, text: str) -> Iterator[str]:
    """What the server reads in a statement that is neither in its facts nor refused."""
    told, understood = server.tell(text), read(text, catalog)
    if told is not None and not rules.refusals(understood.statement, POSTURE):
        yield from unknown(told, understood, catalog)


@pytest.mark.parametrize("text", STATEMENTS)
def test_the_server_reads_nothing_in_a_construct_that_the_facts_do_not_say(
    server: tuple[Server, Catalog], text: str
) -> None:
    assert list(missed(*server, text)) == []


def test_most_constructs_are_accepted_by_the_server(server: tuple[Server, Catalog]) -> None:
    accepted = [text for text in STATEMENTS if server[0].tell(text) is not None]
    assert len(accepted) > 0.75 * len(STATEMENTS)
    assert [text for text in QUERIES if server[0].tell(text) is None] == []


def sweep(catalog: Catalog) -> list[tuple[str, str]]:
    """(operator, statement): each operator of the server before, behind and between governed columns.

    QUERYWARDEN_SWEEP takes all of them, else every fourth.
    """
    return list(dict.fromkeys(_sweep(catalog)))[::EVERY]


def _sweep(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for operator in catalog.operators:
        if operator.schema != "pg_catalog":
            continue
        left, right = (_type(catalog, oid) for oid in (operator.left, operator.right))
        name, b = operator.name, f"c.brand::{right}"
        forms = [f"{name} c.pan", f"{name}c.pan", f"{name} ({b})", f"OPERATOR(pg_catalog.{name}) ({b})"]
        if left:
            a = f"c.pan::{left}"
            forms = [f"c.pan {name} c.brand", f"c.pan{name}c.brand", f"({a}) {name} ({b})", f"({a}){name}({b})"]
            forms += [f"({a}) OPERATOR(pg_catalog.{name}) ({b})", f"({a}) {name} ANY (ARRAY[{b}])", f"{a}{name}{b}"]
            forms += [
                f"({a}) {name} ({b}) {name} ({b})",
                f"({a}) {name} -length(c.brand)",
                f"({a}) {name} @length(c.cvv)",
            ]
        yield from ((name, f"SELECT {form} FROM cards c") for form in forms)
        yield name, f"SELECT 1 FROM cards c ORDER BY ({b}) USING {name}"


def _type(catalog: Catalog, oid: int) -> str:
    found = catalog.types.get(oid)
    if found is None:
        return ""
    polymorphic = {"anyarray": "text[]", "anycompatiblearray": "text[]", "anyrange": "int4range", "record": "record"}
    multirange = {"anymultirange": "int4multirange", "anyelement": "text", "anycompatible": "text", "any": "text"}
    return {**polymorphic, **multirange, "anyenum": "text", "anynonarray": "text"}.get(found.name, f'"{found.name}"')


def test_every_operator_is_read_as_the_server_reads_it(server: tuple[Server, Catalog]) -> None:
    wrong, accepted = [], 0
    for _, text in sweep(server[1]):
        accepted += server[0].tell(text) is not None
        wrong += [f"{text}: {missing}" for missing in missed(*server, text)]
    assert wrong == []
    assert accepted > 2000 // EVERY


def test_a_column_that_an_operator_hides_from_the_second_reader_is_known(server: tuple[Server, Catalog]) -> None:
    """A new one may be a hole of the other kind some day: look at it, then list it."""
    hiding: dict[str, set[str]] = defaultdict(set)
    for name, text in sweep(server[1]):
        understood = read(text, server[1])
        if understood.statement.hazards or understood.tree is None:
            continue
        tree = second_reader.read(text)
        seen = set(second_reader.columns(tree)) if tree is not None else set()
        if {named.parts[-1] for named in understood.named} - seen:
            hiding[name].add(text)
    assert set(hiding) <= UNSEEN_BY_SQLGLOT, {name: sorted(found)[:3] for name, found in hiding.items()}


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_that_names_a_governed_relation_says_so_or_is_refused(text: str) -> None:
    statement = one(text).statement
    assert {found.name for found in statement.relations} & GOVERNED or rules.refusals(statement, POSTURE)


@pytest.mark.parametrize("text", WITHOUT_RELATION)
def test_what_is_no_relation_is_not_taken_for_one(text: str) -> None:
    understood = one(text)
    assert understood.statement.action != "unknown"
    assert understood.statement.relations == ()
    assert not understood.governed


@pytest.mark.parametrize("text", [*COMMANDS, *WITHOUT_RELATION])
def test_the_second_reader_agrees_or_says_that_it_has_not_read(text: str) -> None:
    """`LISTEN x` and `SAVEPOINT a` parse as an alias in sqlglot, EXPLAIN as a command: neither is a reading."""
    tree = second_reader.read(text)
    assert tree is None or isinstance(tree, second_reader.READ)
