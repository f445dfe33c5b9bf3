"""UPDATE and DELETE behind a row filter do what they would do if the hidden rows were not there."""
# ruff: noqa: E501, S608 -- tables of statements, one a line

import pytest

from gateway.core.errors import Refused
from gateway.core.site import Posture
from gateway.core.verdict import RowFilter
from tests.sql.payments import plan
from tests.support.postgres import Cluster
from tests.support.rewriting import PINNED, open_door
from tests.support.transcripts import Mode, record

FILTER = {"public.customers": "id > 1"}
FENCED = 'SELECT id, "name", email, phone, created_at FROM public.customers WHERE ((id > 1)) OFFSET 0'


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE customers SET phone = '1'", "UPDATE customers SET phone = '1' WHERE ((id > 1))"),
        ("DELETE FROM customers c WHERE c.id = 3 AND name = 'x' RETURNING id -- c", "DELETE FROM customers c WHERE c.id = 3 AND name = 'x' AND ((id > 1)) RETURNING id -- c"),
        ("DELETE FROM customers WHERE 1 / id = 7;", f"DELETE FROM customers WHERE (customers.id) IN (SELECT customers.id FROM ({FENCED}) AS customers WHERE ( 1 / id = 7))"),
        ("WITH x AS (UPDATE customers AS c SET phone = '1' WHERE (c.email LIKE 'd%') RETURNING *) SELECT * FROM x",
         f"WITH x AS (UPDATE customers AS c SET phone = '1' WHERE (c.id) IN (SELECT c.id FROM ({FENCED}) AS c WHERE ( (c.email LIKE 'd%'))) RETURNING *) SELECT * FROM x"),
    ],
)  # fmt: skip
def test_the_filter_is_added_or_the_rows_are_taken_by_key(sql: str, expected: str) -> None:
    assert plan(sql, filters=FILTER).text == expected


@pytest.mark.parametrize(
    "sql",
    ["INSERT INTO customers(id) VALUES (1)", "UPDATE customers SET id = 9", "UPDATE customers SET phone = '1' FROM orders", "DELETE FROM customers USING orders",
     "DELETE FROM customers WHERE ctid IS NULL", "DELETE FROM customers WHERE public.customers.id * 2 = 4", "DELETE FROM customers WHERE CURRENT OF c", "EXPLAIN DELETE FROM customers",
     "MERGE INTO customers c USING orders o ON c.id = o.id WHEN MATCHED THEN DELETE", "TRUNCATE customers", "COPY customers FROM STDIN", "DELETE FROM customers WHERE 1 / xmin::text::int = 1"],
)  # fmt: skip
def test_other_writes_are_refused(sql: str) -> None:
    with pytest.raises(Refused, match=r"statement\.filter_not_applicable"):
        plan(sql, filters=FILTER)


@pytest.mark.parametrize(
    ("filtered", "sql"),
    [
        ("card_parts", "UPDATE card_parts_2024 SET yr = 2024 WHERE 1 / (id - 3) = 0 RETURNING id"), ("card_parts_2024", "DELETE FROM card_parts RETURNING id"),
        ("cards", "DELETE FROM v_safe WHERE brand = 'x' RETURNING id"), ("cards", "INSERT INTO v_safe(id) VALUES (1)"), ("cards", "COPY v_safe TO STDOUT"), ("card_parts", "COPY card_parts_2024 TO STDOUT"),
        ("card_parts", "COPY card_parts_2024 FROM STDIN"), ("card_parts", "TRUNCATE card_parts_2024"),
    ],
)  # fmt: skip
def test_hidden_rows_are_not_reached_through_a_relative(filtered: str, sql: str) -> None:
    with pytest.raises(Refused, match=r"statement\.filter_not_applicable"):
        plan(sql, filters={f"public.{filtered}": "id > 1"}, posture=Posture(filtered=(f"public.{filtered}",)))


SCHEMA = """
CREATE TABLE jobs(a int, b text, c varchar(9), d int, PRIMARY KEY (a, b));
CREATE TABLE one(a int PRIMARY KEY, b text);
INSERT INTO jobs SELECT n, 'k' || n % 3, 'v' || n, n FROM generate_series(1, 12) n;
INSERT INTO one SELECT n, 'v' || n FROM generate_series(1, 12) n;
GRANT SELECT, UPDATE, DELETE ON jobs, one TO agent_rw;
"""
FILTERS = (RowFilter(schema="public", relation="jobs", sql="d % 4 <> 0"), RowFilter(schema="public", relation="one", sql="a <> 7"))  # fmt: skip
STATEMENTS = (
    "SELECT * FROM jobs WHERE a = 3 ORDER BY 1", "SELECT * FROM jobs WHERE a = 4", "SELECT o.*, j.a FROM one o LEFT JOIN jobs j ON j.a = o.a WHERE j.a < 9 AND j.c = 'v3' ORDER BY 1", "SELECT o.a, j.a FROM jobs j RIGHT JOIN one o USING (a) WHERE o.a > 2 ORDER BY 1",
    "SELECT o.a, j.b FROM jobs j FULL JOIN one o ON j.a = o.a WHERE 5 > j.d ORDER BY 1", "SELECT count(*) FROM jobs WHERE b = 'k1' AND d > 2", "SELECT b, count(*) FROM jobs j WHERE j.b <> 'k2' GROUP BY b ORDER BY 1", "SELECT * FROM one WHERE b = 'v7' OR a = 8",
    "UPDATE jobs SET c = 'x' WHERE a = 3 RETURNING *", "UPDATE jobs SET c = 'y' WHERE a = 4 RETURNING *", "UPDATE jobs j SET c = 'z', d = d + 4 WHERE j.d % 2 = 1 AND 1 / (d - 8) < 9 RETURNING j.a, c", "DELETE FROM jobs WHERE b LIKE 'k1' AND length(c) > 2 RETURNING a",
    "WITH x AS (UPDATE one SET b = b || '!' WHERE a > 5 RETURNING *) SELECT count(*), max(b) FROM x", "DELETE FROM one WHERE 1 / (a - 7) < 0 RETURNING *", "DELETE FROM one WHERE b IN (SELECT 'v' || a FROM jobs) RETURNING *", "UPDATE one SET b = (SELECT max(c) FROM jobs) RETURNING a",
    "DELETE FROM one o WHERE EXISTS (SELECT 1 FROM jobs j WHERE j.a = o.a + 1) RETURNING a", "DELETE FROM one", "SELECT count(*) FROM one", "DELETE FROM jobs WHERE d > 2 AND 'k0' = b", "TABLE jobs",
)  # fmt: skip


@pytest.mark.enable_socket
def test_answers_and_rows_are_those_of_a_database_without_the_hidden_rows(cluster: Cluster) -> None:
    full, cut = cluster.create_database(), cluster.create_database()
    for name in (full, cut):
        cluster.run(SCHEMA, name)
    cluster.run("DELETE FROM jobs WHERE d % 4 = 0; DELETE FROM one WHERE a = 7", cut)
    door = open_door(cluster.conninfo(full, "agent_rw"), Posture(filtered=("public.jobs", "public.one")), FILTERS)
    filtered = door.record(STATEMENTS, Mode.SIMPLE)
    direct = record(cluster.conninfo(cut, "agent_rw", options=PINNED), STATEMENTS, Mode.SIMPLE)
    assert door.refusals == []
    assert sorted(map(str, filtered.rows)) == sorted(map(str, direct.rows))  # RETURNING has no order
    assert (
        [line for line in filtered.text if "error" in line] == [line for line in direct.text if "error" in line] == []
    )
    with cluster.connect(full) as connection:
        hidden = connection.execute("SELECT a, c FROM jobs WHERE d % 4 = 0 ORDER BY 1").fetchall()
        assert connection.execute("TABLE one").fetchall() == [(7, "v7")]
    assert hidden == [(4, "v4"), (8, "v8"), (12, "v12")]
    for name in (full, cut):
        cluster.drop_database(name)
