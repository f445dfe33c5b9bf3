"""Two databases that differ in protected values with equal masks only, and an agent's sessions on both.

Both are copies of one database without rows, so that OIDs agree; rows stand in the same order in the same places.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psycopg
from psycopg import pq

from tests.support.bundle import CASE_LABELS, Site, everything_but_clear
from tests.support.cases import schema, twin_schema
from tests.support.generator.statements import Script
from tests.support.postgres import Cluster
from tests.support.recover import Transcript
from tests.support.transcripts import Mode, run, shown

CORPUS = Path(__file__).parents[2] / "corpus/twins"
SIDES = ("true", "twin")
LABELS: Mapping[str, Mapping[str, list[str]]] = MappingProxyType(
    {
        **{name: {column: list(labels) for column, labels in found.items()} for name, found in CASE_LABELS.items()},
        "public.wallets": {
            **{key: ["pan"] for key in ("Card №", "short", "fixed", "number", "numbers", "held", "doc")},
            "track": ["track"],
            "pin": ["pin"],
        },
        "public.kid_cards": {"pan": ["pan"]},
        "public.Odd Таблица": {"PAN": ["pan"]},
        "public.bound": {"pan": ["pan"]},
    }
)
_INSERTS = re.compile(r"^INSERT INTO .*?;$", re.MULTILINE | re.DOTALL)
_UNLABELLED = """
UPDATE transactions SET raw_message = jsonb_build_object('mti', raw_message->'mti', 'de2', 'none');
UPDATE orders SET note = 'paid by phone', order_no = 'ORD-' || id WHERE note LIKE '%card%' OR order_no LIKE '4%';
REFRESH MATERIALIZED VIEW mv_cards; REFRESH MATERIALIZED VIEW mv_wallets;"""
"""Card numbers in columns without a label are not what is shown here."""
_DECISION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_DURATION = re.compile(r"(actual time=|(?:Planning|Execution) Time: |Time\": )[0-9.]+(\.\.[0-9.]+)?")


def connection_name(side: str) -> str:
    """What the gateway calls the database of a side."""
    return f"payments_{side}"


def site() -> Site:
    """Agents may do everything but see a protected value as it is; they may even store what they see through masks."""
    connections = [connection_name(side) for side in SIDES]
    return Site(dict.fromkeys(connections, LABELS), everything_but_clear(*connections, write_masked=True).access)


@contextmanager
def twin_databases(cluster: Cluster, *, analyzed: bool) -> Iterator[Mapping[str, str]]:
    """The database of each side.

    With statistics of the stored values the planner may choose another plan on each side, and so another order of rows
    and another of two equal values. That is known, and said in the documentation; without them no answer may differ.
    """
    empty = cluster.create_database()
    cluster.run(_INSERTS.sub("", schema()), empty)
    cluster.run((CORPUS / "schema.sql").read_text(encoding="utf-8"), empty)
    sides = {}
    for side, script in zip(SIDES, (schema(), twin_schema()), strict=True):
        sides[side] = cluster.create_database(empty)
        cluster.run("\n".join(_INSERTS.findall(script)), sides[side])
        cluster.run((CORPUS / f"{side}.sql").read_text(encoding="utf-8") + _UNLABELLED, sides[side])
        if analyzed:
            cluster.run("ANALYZE", sides[side])
    yield sides
    for name in (empty, *sides.values()):
        cluster.drop_database(name)


@dataclass(slots=True)
class Session:
    """One connection, opened again when it was lost."""

    conninfo: str
    side: str
    connection: psycopg.Connection | None = None
    notices: list[str] = field(default_factory=list)

    def run(self, script: Script) -> Transcript:
        """What comes back for each statement of a script, which leaves nothing behind."""
        connection, seen = self._connected(), Transcript()
        self.notices.clear()
        mode = list(Mode)[script.mode]
        before, after = (["BEGIN"], ["ROLLBACK"]) if script.rolled_back else ([], [])
        if any(text.startswith("PREPARE") for text in script.statements):
            after = [*after, "DEALLOCATE ALL"]
        for text in [*before, *script.statements, *after]:
            if text in after or not _ended(seen):
                run(connection.pgconn, text, mode, seen)
            if connection.pgconn.status != pq.ConnStatus.OK:
                seen.text.append("connection lost")
                self.close()
                break
        seen.text += self.notices
        return seen

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _connected(self) -> psycopg.Connection:
        if self.connection is None:
            self.connection = psycopg.connect(self.conninfo, autocommit=True)
            self.connection.add_notice_handler(lambda notice: self.notices.append(shown(notice)))
        return self.connection


def _ended(seen: Transcript) -> bool:
    return any(text.startswith("error: ") for text in seen.text)


def comparable(seen: Transcript, side: str) -> str:
    """What an agent could tell apart: everything but decision ids, durations and the connection's own name."""
    shown = _DECISION.sub("<decision>", f"{seen.flat}\n{seen.binary}")
    return _DURATION.sub("<time>", shown).replace(connection_name(side), "<connection>")


def error(seen: Transcript) -> str:
    """The first error, as a line."""
    return next((text for text in seen.text if text.startswith("error: ")), "")
