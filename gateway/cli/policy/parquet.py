"""The history of decisions as Parquet (docs/reference/history.md), written and read through DuckDB.

The queries use nothing that other engines lack: the same text runs on Spark (docs/how-to/backtest.md).
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import msgspec

from gateway.cli.policy.past import Group, Logged, LoggedPast, Period, Step
from gateway.core.errors import ConfigError
from gateway.evidence.leaf import NAMED
from gateway.evidence.search import refusal_of
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
    "epoch": "BIGINT",
    "leaf": "BIGINT",
    "refused": "VARCHAR",
    "ended": "VARCHAR",
    "day": "VARCHAR",
}
"""of `decisions`, in this order; `day` is the partition, UTC"""
ENDS: Final = {"epoch": "BIGINT", "did": "VARCHAR", "leaf": "BIGINT", "ended": "VARCHAR"}
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
    epoch: int
    leaf: int
    refused: str
    ended: str
    day: str


class End(msgspec.Struct, frozen=True):
    """How a statement ended, and where that is said: `ended` of its row."""

    epoch: int
    did: str
    leaf: int
    ended: str


class Body(msgspec.Struct, frozen=True):
    """One document."""

    sha256: str
    text: str


def row_of(logged: Logged) -> Row:
    """A decided leaf as a row; hashes without their `sha256:`. How it ended is joined to it."""
    leaf = logged.leaf
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
        epoch=logged.epoch,
        leaf=logged.number,
        refused=refusal_of(leaf),
        ended="",
        day=f"{dt.datetime.fromtimestamp(int(leaf.t) // 1_000_000_000, tz=dt.UTC):%Y-%m-%d}",
    )


def write_history(past: LoggedPast, store: BundleStore, folder: Path, step: Step) -> tuple[int, int]:
    """Write a period as Parquet into a folder that is not there yet, with the bundles that decided in it.

    How many decisions and documents there are.
    """
    names, bundles = set[str](), set[str]()
    (folder / "documents").mkdir(parents=True)
    with TemporaryDirectory(prefix="querywarden-history-") as place:
        temporary = Path(place)

        def rows() -> Iterator[Row]:
            with (temporary / "ends.jsonl").open("wb") as ends:
                for each in past.logged(step, ends=True):
                    if not each.decides:
                        end = End(each.epoch, each.leaf.did, each.number, each.leaf.outcome)
                        ends.write(msgspec.json.encode(end) + b"\n")
                        continue
                    row = row_of(each)
                    bundles.add(row.bundle)
                    names.update(name for name in (row.input, row.answer) if name)
                    yield row

        decisions = _lines(temporary / "decisions.jsonl", rows())
        bodies = (Body(name, raw.decode()) for name, raw in past.bodies(sorted(names)))
        documents = _lines(temporary / "documents.jsonl", bodies)
        joined = _JOINED.format(
            decisions=_reading(temporary / "decisions.jsonl", COLUMNS), ends=_reading(temporary / "ends.jsonl", ENDS)
        )
        _copy(joined, folder / "decisions", "PARTITION_BY (day), ")
        written = _reading(temporary / "documents.jsonl", BODIES)
        _copy(f"SELECT * FROM {written}", folder / "documents" / "0.parquet", "")  # noqa: S608 -- quoted
    kept = BundleStore(folder)
    for raw in filter(None, map(store.read, sorted(bundles - {""}))):
        kept.keep(raw)
    return decisions, documents


_JOINED: Final = """\
SELECT d.* REPLACE (coalesce(e.ended, '') AS ended)
FROM {decisions} d
LEFT JOIN (SELECT epoch, did, arg_max(ended, leaf) AS ended FROM {ends} GROUP BY epoch, did) e
ON e.epoch = d.epoch AND e.did = d.did"""
"""the last word on how a statement ended"""


def _lines(path: Path, items: Iterable[msgspec.Struct]) -> int:
    number = 0
    with path.open("wb") as file:
        for number, item in enumerate(items, 1):  # noqa: B007 -- counted on the way
            file.write(msgspec.json.encode(item) + b"\n")
    return number


def _reading(source: Path, columns: dict[str, str]) -> str:
    """JSON lines as a table. Paths are quoted: SQL takes no parameter here."""
    fields = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return f"read_json({_quoted(source)}, format='newline_delimited', columns={{{fields}}})"


def _copy(query: str, target: Path, how: str) -> None:
    """A query's rows as Parquet."""
    duckdb.connect().execute(f"COPY ({query}) TO {_quoted(target)} (FORMAT parquet, {how}COMPRESSION zstd)")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def readable() -> Iterator[None]:
    """Turn what damaged Parquet raises into one sentence."""
    try:
        yield
    except duckdb.Error as error:
        raise ValueError(f"the history cannot be read: {str(error).splitlines()[0]}") from error


def open_history(folder: Path) -> duckdb.DuckDBPyConnection:
    """Views `decisions` and `documents` of an exported history; columns that old exports lack are empty.

    Raises ConfigError when it is none, ValueError when it cannot be read.
    """
    if not (folder / "decisions").is_dir() or not (folder / "documents").is_dir():
        raise ConfigError("config.invalid", f"{folder}:1: no history: it has folders decisions and documents")
    database = duckdb.connect()
    with readable():
        for view, files, columns in (("decisions", DECISIONS, COLUMNS), ("documents", DOCUMENTS, BODIES)):
            _create_view(database, view, folder, files, columns)
    return database


def _create_view(
    database: duckdb.DuckDBPyConnection, view: str, folder: Path, files: str, columns: dict[str, str]
) -> None:
    source, there = f"read_parquet({_quoted(folder / files)}, union_by_name = true)", set[str]()
    if any(folder.glob(files)):
        there = {str(row[0]) for row in database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}  # noqa: S608 -- quoted
    else:
        source = "(SELECT 1) WHERE false"  # a period without decisions
    empty = {"VARCHAR": "''", "BIGINT": "0", "BOOLEAN": "false"}
    named = (
        f"coalesce({name}, {empty[kind]})::{kind} AS {name}" if name in there else f"{empty[kind]} AS {name}"
        for name, kind in columns.items()
    )
    database.execute(f"CREATE VIEW {view} AS SELECT {', '.join(named)} FROM {source}")  # noqa: S608 -- quoted


class ParquetPast:
    """A history that was exported, one folder or a copy of several put together."""

    def __init__(self, folder: Path, period: Period) -> None:
        self._period = period
        self._database = open_history(folder)

    def groups(self, step: Step) -> list[Group]:
        """One query."""
        step(0, 1)
        since, until = max(self._period.since_ns, 0), min(self._period.until_ns, (1 << 63) - 1)
        with readable():
            found = self._database.execute(GROUPS.format(since=since, until=until)).fetchall()
        return [Group(*row) for row in found]

    def bodies(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Joined with the names, each document once."""
        with readable():
            cursor = self._database.cursor()
            cursor.execute("CREATE OR REPLACE TEMP TABLE wanted AS SELECT unnest(?) AS sha256", [list(names)])
            cursor.execute(
                "SELECT d.sha256, any_value(d.text) FROM documents d JOIN wanted USING (sha256) GROUP BY d.sha256"
            )
            while batch := cursor.fetchmany(_BATCH):
                for name, text in batch:
                    yield str(name), str(text).encode()
