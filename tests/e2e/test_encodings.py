"""Databases in other encodings: UTF8 is spoken with them, masks hold, and bytes that are no UTF-8 end in an error."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from tests.support.bundle import Site
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster

CARD, SHOWN = "4111111111111111", "************1111"
ENCODINGS = ("LATIN1", "SQL_ASCII")
LABELS = {"public.cards": {"pan": ["pan"]}, "public.caf\u00e9": {"num\u00e9ro": ["pan"]}}
ACCESS = {
    "grants": [{"groups": ["agents"], "connections": ["*"], "relations": ["*"], "actions": ["*"]}],
    "masks": {"pan": "last4"},
}


@pytest.fixture(scope="module")
def gateway(cluster: Cluster) -> Iterator[Gateway]:
    """A gateway before one database in each encoding."""
    for encoding in ENCODINGS:
        made = f"CREATE DATABASE {encoding} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        with closing(cluster.connect()) as connection:
            connection.autocommit = True
            connection.execute(made.encode())
        with cluster.connect(encoding.lower()) as connection:
            connection.execute("SET client_encoding TO 'UTF8'")
            for relation, column in (("cards", "pan"), ("caf\u00e9", "num\u00e9ro")):
                connection.execute(
                    f'CREATE TABLE "{relation}" (id int PRIMARY KEY, "{column}" text, other text)'.encode()
                )
                connection.execute(f"INSERT INTO \"{relation}\" VALUES (1, '{CARD}', 'd\u00e9j\u00e0')".encode())  # noqa: S608 -- names of our own
    upstreams = {encoding.lower(): Upstream(encoding.lower(), "postgres") for encoding in ENCODINGS}
    with running_gateway(cluster, upstreams, Site(dict.fromkeys(upstreams, LABELS), ACCESS)) as running:
        yield running
    for encoding in ENCODINGS:
        cluster.drop_database(encoding.lower())


def connected(gateway: Gateway, encoding: str) -> "closing[psycopg.Connection]":
    return closing(psycopg.connect(gateway.conninfo(encoding.lower()), autocommit=True))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_utf8_is_spoken_and_masks_hold(gateway: Gateway, encoding: str) -> None:
    with connected(gateway, encoding) as connection:
        assert connection.info.parameter_status("client_encoding") == "UTF8"
        assert connection.execute("SELECT pan, other FROM cards").fetchall() == [(SHOWN, "d\u00e9j\u00e0")]
        with pytest.raises(psycopg.Error):
            connection.execute("SET client_encoding TO 'LATIN1'")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_name_outside_ascii_gives_a_mask_or_nothing(gateway: Gateway, encoding: str) -> None:
    with connected(gateway, encoding) as connection:
        for text in ('SELECT * FROM "caf\u00e9"', 'SELECT "num\u00e9ro" FROM "caf\u00e9"', "SELECT * FROM CAF\u00c9"):
            try:
                seen = str(connection.execute(text.encode()).fetchall())
            except psycopg.Error as error:
                seen = str(error)
            assert CARD not in seen


def test_stored_bytes_that_are_no_utf8_end_in_the_servers_error(cluster: Cluster, gateway: Gateway) -> None:
    with cluster.connect("sql_ascii") as connection:
        connection.execute("SET client_encoding TO 'SQL_ASCII'")
        connection.execute(b"INSERT INTO cards VALUES (2, '%b\xe9', '\xff')" % CARD.encode())
    with connected(gateway, "SQL_ASCII") as connection:
        for text in ("SELECT other FROM cards WHERE id = 2", "SELECT pan FROM cards WHERE id = 2"):
            with pytest.raises(psycopg.errors.CharacterNotInRepertoire) as caught:
                connection.execute(text)
            assert CARD[:12] not in str(caught.value)
        assert connection.execute("SELECT pan FROM cards WHERE id = 1").fetchall() == [(SHOWN,)]


def test_a_statement_that_is_no_utf8_is_refused(gateway: Gateway) -> None:
    with connected(gateway, "SQL_ASCII") as connection, pytest.raises(psycopg.Error, match=r"wire\.encoding"):
        connection.execute(b'SELECT * FROM "caf\xe9"')
