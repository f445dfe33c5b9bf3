"""The history of decisions as Parquet (docs/reference/history.md), written and read through DuckDB.

The queries use nothing that other engines lack: the same text runs on Spark (docs/how-to/backtest.md).
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import msgspec

from gateway.cli.policy.past import Group, LoggedPast, Period, Step
from gateway.core.errors import ConfigError
from gateway.evidence.leaf import NAMED, Leaf
from gateway.policy.store import BundleStore

DECISIONS: Final = "decisions/*/*.parquet"
DOCUMENTS: Final = "documents/*.parquet"
COLUMNS: Final = {
    "did": "VARCHAR",
    "time_ns": "BIGINT",
    "sid": "VARCHAR",
    "seq": "BIGINT",
    "subject": "VARCHAR",
    "issuer": "VARCHAR",
    "on_behalf_of": "VARCHAR",
    "connection": "VARCHAR",
    "action": "VARCHAR",
    "ok": "BOOLEAN",
    "outcome": "VARCHAR",
    "bundle": "VARCHAR",
    "engine": "VARCHAR",
    "input": "VARCHAR",
    "answer": "VARCHAR",
    "day": "VARCHAR",
}
"""of `decisions`, in this order; `day` is the partition, UTC"""
BODIES: Final = {"sha256": "VARCHAR", "text": "VARCHAR"}
"""of `documents`: inputs and answers by the SHA-256 of their bytes"""
GROUPS: Final = """\
SELECT input, answer, subject, connection, bundle, count(*) AS count, min(did) AS example
FROM decisions WHERE time_ns >= {since} AND time_ns < {until}
GROUP BY input, answer, subject, connection, bundle"""
_BATCH: Final = 2000


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One decision."""

    did: str
    time_ns: int
    sid: str
    seq: int
    subject: str
    issuer: str
    on_behalf_of: str
    connection: str
    action: str
    ok: bool
    outcome: str
    bundle: str
    engine: str
    input: str
    answer: str
    day: str


class Body(msgspec.Struct, frozen=True):
    """One document."""

    sha256: str
    text: str


def row_of(leaf: Leaf) -> Row:
    """A decided leaf as a row; hashes without their `sha256:`."""
    who = leaf.who
    return Row(
        did=leaf.did,
        time_ns=int(leaf.t),
        sid=leaf.sid,
        seq=leaf.seq,
        subject=who.id if who else "",
        issuer=who.issuer if who else "",
        on_behalf_of=who.on_behalf_of if who else "",
        connection=leaf.res,
        action=leaf.act,
        ok=leaf.ok,
        outcome=leaf.outcome,
        bundle=leaf.bundle.removeprefix(NAMED),
        engine=leaf.engine,
        input=leaf.in_.removeprefix(NAMED),
        answer=leaf.out.removeprefix(NAMED),
        day=f"{dt.datetime.fromtimestamp(int(leaf.t) // 1_000_000_000, tz=dt.UTC):%Y-%m-%d}",
    )


def write_history(past: LoggedPast, store: BundleStore, folder: Path, step: Step) -> tuple[int, int]:
    """Write a period as Parquet into a folder that is not there yet, with the bundles that decided in it.

    How many decisions and documents there are.
    """
    names, bundles = set[str](), set[str]()

    def rows() -> Iterator[Row]:
        for leaf in past.leaves(step):
            row = row_of(leaf)
            bundles.add(row.bundle)
            names.update(name for name in (row.input, row.answer) if name)
            yield row

    (folder / "documents").mkdir(parents=True)
    with TemporaryDirectory(prefix="querywarden-history-") as place:
        temporary = Path(place)
        decisions = _lines(temporary / "decisions.jsonl", rows())
        bodies = (Body(name, raw.decode()) for name, raw in past.bodies(sorted(names)))
        documents = _lines(temporary / "documents.jsonl", bodies)
        _copy(temporary / "decisions.jsonl", COLUMNS, folder / "decisions", "PARTITION_BY (day), ")
        _copy(temporary / "documents.jsonl", BODIES, folder / "documents" / "0.parquet", "")
    kept = BundleStore(folder)
    for raw in filter(None, map(store.read, sorted(bundles - {""}))):
        kept.keep(raw)
    return decisions, documents


def _lines(path: Path, items: Iterable[msgspec.Struct]) -> int:
    number = 0
    with path.open("wb") as file:
        for number, item in enumerate(items, 1):  # noqa: B007 -- counted on the way
            file.write(msgspec.json.encode(item) + b"\n")
    return number


def _copy(source: Path, columns: dict[str, str], target: Path, how: str) -> None:
    """JSON lines as Parquet. Paths are bound, or quoted where SQL takes no parameter."""
    fields = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    reading = f"read_json({_quoted(source)}, format='newline_delimited', columns={{{fields}}})"
    copy = f"COPY (SELECT * FROM {reading}) TO {_quoted(target)} (FORMAT parquet, {how}COMPRESSION zstd)"  # noqa: S608 -- quoted
    duckdb.connect().execute(copy)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


class ParquetPast:
    """A history that was exported, one folder or a copy of several put together."""

    def __init__(self, folder: Path, period: Period) -> None:
        if not (folder / "decisions").is_dir() or not (folder / "documents").is_dir():
            raise ConfigError("config.invalid", f"{folder}:1: no history: it has folders decisions and documents")
        self._period = period
        self._database = duckdb.connect()
        for view, files in (("decisions", DECISIONS), ("documents", DOCUMENTS)):
            source = f"read_parquet({_quoted(folder / files)}, union_by_name = true)"
            self._database.execute(f"CREATE VIEW {view} AS SELECT * FROM {source}")  # noqa: S608 -- quoted

    def groups(self, step: Step) -> list[Group]:
        """One query."""
        step(0, 1)
        since, until = max(self._period.since_ns, 0), min(self._period.until_ns, (1 << 63) - 1)
        found = self._database.execute(GROUPS.format(since=since, until=until)).fetchall()
        return [Group(*row) for row in found]

    def bodies(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Joined with the names, each document once."""
        cursor = self._database.cursor()
        cursor.execute("CREATE OR REPLACE TEMP TABLE wanted AS SELECT unnest(?) AS sha256", [list(names)])
        cursor.execute(
            "SELECT d.sha256, any_value(d.text) FROM documents d JOIN wanted USING (sha256) GROUP BY d.sha256"
        )
        while batch := cursor.fetchmany(_BATCH):
            for name, text in batch:
                yield str(name), str(text).encode()
