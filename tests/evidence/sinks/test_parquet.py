"""A Parquet file has one row for each event, with what one asks by in columns of its own."""

from pathlib import Path

import duckdb

from gateway.evidence.sinks.parquet import COLUMNS, table
from tests.evidence.sinks.leaves import events, every_leaf


def test_the_rows_are_the_events(tmp_path: Path) -> None:
    sent = events("ocsf", every_leaf())
    path = tmp_path / "x.parquet"
    path.write_bytes(table(sent, tmp_path / "it's ours"))
    assert list((tmp_path / "it's ours").iterdir()) == []
    written = duckdb.read_parquet(str(path))
    rows = written.order("number").project("id, number, type, ok, event").fetchall()
    assert rows == [(e.id, e.position.number, e.leaf.type, e.leaf.ok, e.payload.decode()) for e in sent]
    assert written.columns == list(COLUMNS)
