"""A batch of events as a Parquet file, by DuckDB: the columns one asks by, and the event itself as JSON text."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import msgspec

from gateway.evidence.sinks.outgoing import Outgoing

COLUMNS: Final = {
    "id": "VARCHAR", "epoch": "BIGINT", "number": "BIGINT", "time_ns": "BIGINT", "type": "VARCHAR",
    "session": "VARCHAR", "decision": "VARCHAR", "user": "VARCHAR", "on_behalf_of": "VARCHAR", "connection": "VARCHAR",
    "action": "VARCHAR", "ok": "BOOLEAN", "outcome": "VARCHAR", "bundle": "VARCHAR", "event": "VARCHAR",
}  # fmt: skip
"""in this order"""
_ENCODER: Final = msgspec.json.Encoder()


def table(events: Sequence[Outgoing]) -> bytes:
    """The file's bytes. Raises OSError; duckdb.Error is told as one."""
    with TemporaryDirectory(prefix="querywarden-") as name:  # 0700
        source, target = Path(name) / "rows.jsonl", Path(name) / "rows.parquet"
        source.write_bytes(b"".join(_ENCODER.encode(_row(event)) + b"\n" for event in events))
        columns = ", ".join(f"'{column}': '{kind}'" for column, kind in COLUMNS.items())
        rows = f"SELECT * FROM read_json('{source}', format = 'newline_delimited', columns = {{{columns}}})"  # noqa: S608 -- our own names
        try:
            with duckdb.connect(config={"threads": "1"}) as database:
                database.execute(f"COPY ({rows}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        except duckdb.Error as error:
            raise OSError(f"duckdb: {type(error).__name__}") from error
        return target.read_bytes()


def _row(event: Outgoing) -> dict[str, object]:
    leaf = event.leaf
    return {
        "id": event.id,
        "epoch": event.position.epoch,
        "number": event.position.number,
        "time_ns": event.time_ns,
        "type": leaf.type,
        "session": leaf.sid,
        "decision": leaf.did,
        "user": leaf.who.id if leaf.who else "",
        "on_behalf_of": leaf.who.on_behalf_of if leaf.who else "",
        "connection": leaf.res,
        "action": leaf.act,
        "ok": leaf.ok,
        "outcome": leaf.outcome,
        "bundle": leaf.bundle,
        "event": event.payload.decode(),
    }
