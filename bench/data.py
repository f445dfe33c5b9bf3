"""The tables of the benchmarks: pgbench's own, a wide one without anything to protect, and one with card numbers."""

import subprocess

from bench.lanes import DATABASE, Lane
from tests.support.postgres import Cluster

SCALE = 10
ACCOUNTS = SCALE * 100_000
WIDE_COLUMNS = 5

_TABLES = """
CREATE TABLE wide AS SELECT n AS id, 'Customer number ' || n AS name, 'customer' || n || '@shop.example' AS email,
  'Street ' || n % 977 || ', Springfield' AS address, (n % 9973) * 0.25 AS balance FROM generate_series(1, {rows}) n;
CREATE TABLE cards (id int PRIMARY KEY, holder text, pan text, cvv text, note text);
INSERT INTO cards SELECT n, 'Customer number ' || n, '4111111111111111', '123', 'delivered to the door'
  FROM generate_series(1, {rows}) n;
CREATE TABLE orders AS SELECT n AS id, n % 5000 AS customer_id, n % 97 AS total, 'open' AS status, n % 7 AS region
  FROM generate_series(1, 10000) n;
CREATE TABLE customers AS SELECT n AS id, 'Customer number ' || n AS name, 'DE' AS country
  FROM generate_series(1, 5000) n;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO agent_ro;
VACUUM ANALYZE;
"""


def create_tables(cluster: Cluster, direct: Lane, rows: int) -> None:
    """Fill the database."""
    owner = {**direct.environment, "PGUSER": "postgres"}
    pgbench = ["pgbench", "--initialize", "--quiet", f"--scale={SCALE}", DATABASE]
    subprocess.run(pgbench, env=owner, check=True, capture_output=True)
    for statement in filter(str.strip, _TABLES.format(rows=rows).split(";")):
        cluster.run(statement, DATABASE)
