"""Names mean to us what they mean to a server: folding, cutting at 63 bytes, quoting, escapes."""
# ruff: noqa: E501 -- a table of statements, one a line

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import pq

from gateway.core.errors import Refused
from gateway.sql import grammar
from tests.support.postgres import Cluster

pytestmark = pytest.mark.enable_socket

SPELLINGS = (
    "pan", "PAN", "PaN_1$", "ÄÖ", "Ünï", "КАРТА", "карта", "İI", "ſK", '"PAN"', '"a""b"', '" "', '"Ä b"', 'U&"p\\0061n"', "U&\"p!0061N\" UESCAPE '!'",
    'U&"\\+01F4B3"', 'U&"\\D83D\\DCB3"', "a" * 62, "a" * 63, "a" * 64, "A" * 70, "ж" * 31, "ж" * 32, "a" + "ж" * 31, "💳" * 15 + "abc", "💳" * 16,
    "aa" + "💳" * 16, '"' + "Ж" * 40 + '"', 'U&"' + "\\0416" * 40 + '"', "x💳", "_", "a\u00a0b", "e\u0301", "\u0435\u0451",
)  # fmt: skip
KEYWORDS = (
    "name",
    "value",
    "type",
    "left",
    "select",
    "user",
    "no",
    "system_user",
    "json_value",
    "merge_action",
    "of",
    "zone",
)
STRINGS = (
    "'a'", "'a''b'", "E'a\\'b'", "E'\\x41\\u0416\\\\'", "$$a'b$$", "$x$ $$ $x$", "$ж$a$ж$", "U&'\\0416'", "U&'d!0061' UESCAPE '!'", "'a'\n'b'",
    "'\\'", "'/*'", "'--'", "E'a\\\nb'",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[psycopg.Connection]:
    with cluster.connect() as connection:
        yield connection


def told(server: psycopg.Connection, sql: str) -> tuple[str, str]:
    """What a server calls a column, and its value."""
    result = server.pgconn.exec_(sql.encode())
    assert result.status == pq.ExecStatus.TUPLES_OK, (sql, result.error_message)
    return (result.fname(0) or b"").decode(), (result.get_value(0, 0) or b"").decode()


@pytest.mark.parametrize("name", [*SPELLINGS, *KEYWORDS])
def test_a_name_is_folded_and_cut_as_the_server_does(server: psycopg.Connection, name: str) -> None:
    sql = f"SELECT 1 AS {name}"
    (statement,) = grammar.read(sql)
    assert statement.stmt.select_stmt.target_list[0].res_target.name == told(server, sql)[0]


@pytest.mark.parametrize("text", STRINGS)
def test_a_string_ends_where_the_server_ends_it(server: psycopg.Connection, text: str) -> None:
    sql = f"SELECT {text} AS a /* /* nested */ ' */ -- '\n"
    (statement,) = grammar.read(sql)
    assert statement.stmt.select_stmt.target_list[0].res_target.val.a_const.sval.sval == told(server, sql)[1]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS a b",
        "SELECT 'a' 'b'",
        "SELECT U&'\\'",
        'SELECT 1 AS ""',
        "SELECT /* 1",
        "SELECT 1abc",
        "SELECT E'\\uD83D'",
    ],
)
def test_what_is_wrong_to_the_server_is_wrong_to_us(server: psycopg.Connection, sql: str) -> None:
    with pytest.raises(Refused):
        grammar.read(sql)
    assert server.pgconn.exec_(sql.encode()).status == pq.ExecStatus.FATAL_ERROR
