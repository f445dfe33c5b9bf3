"""SQL that a page gives to a database's administrator is SQL that the demo's server takes."""

import re
from pathlib import Path

import psycopg
import pytest

from gateway.cli.demo import payments
from gateway.cli.demo.cluster import Cluster
from tests.cli.demo import pages
from tests.cli.demo.player import ROOT

BLOCKS = [
    (page, "\n".join(block.lines))
    for page in sorted(ROOT.glob("docs/how-to/*.md"))
    for block in pages.blocks(page.read_text(encoding="utf-8"))
    if block.language == "sql"
]


def played(page: Path) -> str:
    return "\n".join(text for where, text in BLOCKS if where == page)


@pytest.mark.parametrize("page", sorted({page for page, _ in BLOCKS}), ids=lambda page: str(page.name))
def test_the_administrators_sql_runs(demo_server: Cluster, page: Path) -> None:
    with payments.connect(demo_server, payments.DATABASE) as connection, connection.transaction(force_rollback=True):
        connection.execute(played(page).encode())


def test_the_role_of_the_page_can_read_what_agents_need_and_no_cvv(demo_server: Cluster) -> None:
    page = ROOT / "docs/how-to/deploy-on-a-host.md"
    role = re.findall(r"CREATE ROLE (\w+)", played(page))[0]
    with payments.connect(demo_server, payments.DATABASE) as connection, connection.transaction(force_rollback=True):
        connection.execute(played(page).encode())
        connection.execute(f"SET ROLE {role}".encode())
        assert connection.execute("SELECT count(pan) FROM cards").fetchall() == [(7,)]
        for refused in ("SELECT cvv FROM cards", "CREATE TEMP TABLE t ()", "CREATE TABLE t ()", "DELETE FROM orders"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(refused.encode())
