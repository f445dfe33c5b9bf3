"""The index's tables can be made by every SQLite that is supported; its version is kept in it."""

import sqlite3
from contextlib import closing

from gateway.evidence.index_schema import FULL_TEXT, LEAF_BITS, TABLES, VERSION


def test_the_tables_can_be_made_and_use_nothing_that_old_sqlite_lacks() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(TABLES)
        database.execute(FULL_TEXT)
    assert "STRICT" not in TABLES
    assert VERSION > 0
    assert LEAF_BITS == 40
