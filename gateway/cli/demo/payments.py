"""Fill the demo's PostgreSQL: the payments database, its data, and the one account the gateway uses."""

from importlib.resources import files

import psycopg
from psycopg import sql

from gateway.cli.demo.cluster import HOST, SUPERUSER, Cluster

DATABASE = "payments"
ACCOUNT = "gateway_app"


def fill(cluster: Cluster, password: str) -> None:
    """Create database, tables and data, and the gateway's account with `password`: it owns and makes nothing."""
    with connect(cluster, "postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ACCOUNT), sql.Literal(password))
        )
    script = files(__package__).joinpath("payments.sql").read_bytes()
    with connect(cluster, DATABASE) as connection:
        connection.execute(script)
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")  # as it is from PostgreSQL 15 on
        connection.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
        connection.execute(
            sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(
                sql.Identifier(ACCOUNT)
            )
        )


def connect(cluster: Cluster, database: str) -> psycopg.Connection:
    """A session of the superuser, straight to the database, which no agent can have."""
    return psycopg.connect(
        host=HOST, port=cluster.port, user=SUPERUSER, password=cluster.password, dbname=database, autocommit=True,
        connect_timeout=10,
    )  # fmt: skip
