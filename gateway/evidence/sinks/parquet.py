"""A batch of events as a Parquet file, by DuckDB: the columns one asks by, and the event itself as JSON text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from gateway.evidence.files import make_folder, put_file
from gateway.evidence.sinks.outgoing import Outgoing

COLUMNS: Final = {
    "id": "VARCHAR", "epoch": "BIGINT", "number": "BIGINT", "time_ns": "BIGINT", "type": "VARCHAR",
    "session": "VARCHAR", "decision": "VARCHAR", "user": "VARCHAR", "on_behalf_of": "VARCHAR", "connection": "VARCHAR",
    "action": "VARCHAR", "ok": "BOOLEAN", "outcome": "VARCHAR", "bundle": "VARCHAR", "event": "VARCHAR",
}  # fmt: skip
"""in this order"""
_ENCODER: Final = msgspec.json.Encoder()


def table(events: Sequence[Outgoing], scratch: Path) -> bytes:
    """The file's bytes, made in a folder of our own. Raises OSError; duckdb.Error is told as one."""
    make_folder(scratch)
    source, target = scratch / "rows.jsonl", scratch / "rows.parquet"
    try:
        put_file(source, b"".join(_ENCODER.encode(_row(event)) + b"\n" for event in events))
        columns = ", ".join(f"'{column}': '{kind}'" for column, kind in COLUMNS.items())
        rows = f"SELECT * FROM read_json('{_quoted(source)}', format = 'newline_delimited', columns = {{{columns}}})"  # noqa: S608 -- our own names
        with duckdb.connect(config={"threads": "1"}) as database:
            database.execute(f"COPY ({rows}) TO '{_quoted(target)}' (FORMAT parquet, COMPRESSION zstd)")
        return target.read_bytes()
    except duckdb.Error as error:
        raise OSError(f"duckdb: {type(error).__name__}") from error
    finally:
        source.unlink(missing_ok=True)
        target.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


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
