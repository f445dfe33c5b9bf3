"""The SQL room on a real PostgreSQL: no answer depends on hidden digits, and benign statements work as ever.

Every statement is understood, decided by the reference policy in plain Python, rewritten and run. The twin database has
other digits in every protected value: an answer that differs there has told something about them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.core.site import Posture
from gateway.core.verdict import RowFilter
from tests.support.cases import Case, postgres_cases, schema, twin_schema
from tests.support.postgres import Cluster, scratch_folder
from tests.support.recover import Transcript, ways
from tests.support.rewriting import PINNED, Door, open_door
from tests.support.rules import case_posture
from tests.support.transcripts import Mode, record

pytestmark = pytest.mark.enable_socket

CORPUS = Path(__file__).parents[1] / "corpus/sql"
MODES = (Mode.SIMPLE, Mode.BINARY)
READER = "agent_ro"
_DURATION = re.compile(r"(actual time=|(?:Planning|Execution) Time: )[0-9.]+(\.\.[0-9.]+)?")
RUNS_A_TRIGGER = {"pg-obj-12", "pg-obj-14", "pg-obj-17"}
"""Cases that update `cards`, whose trigger copies the row: refused until the site lists the trigger."""
FAILS_DIRECTLY = {"pg-sess-13"}
"""One of its statements fails on the server, too."""


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of attacks.yaml or benign.yaml; the heads of the files say what the fields mean."""

    id: str
    sql: tuple[str, ...]
    setup: tuple[str, ...] = ()
    role: str = READER
    why: str = ""

    @property
    def shares(self) -> bool:
        """It changes nothing, so that others may use its database."""
        return self.role == READER and not self.setup


def scripts(name: str) -> Sequence[Script]:
    return msgspec.convert(yaml.safe_load((CORPUS / name).read_text(encoding="utf-8")), tuple[Script, ...])


ATTACKS, BENIGN = scripts("attacks.yaml"), scripts("benign.yaml")
CASES = [case for case in postgres_cases() if not case.scripted]


def id_of(entry: Script | Case) -> str:
    return entry.id


@dataclass(slots=True)
class Twins:
    """The true database and the one with other digits, and the snapshots of both."""

    cluster: Cluster
    folder: Path
    sides: Mapping[str, str]
    doors: dict[tuple[str, str], Door] = field(default_factory=dict)

    def door(self, side: str, database: str, entry: Script | Case) -> Door:
        """A fresh session. A copy of a database has its catalog, unless a set-up changed it."""
        conninfo = self.cluster.conninfo(database, entry.role)
        if isinstance(entry, Script) and entry.setup:
            return open_door(conninfo, case_posture())
        if (side, entry.role) not in self.doors:
            self.doors[side, entry.role] = open_door(conninfo, case_posture())
        known = self.doors[side, entry.role]
        return Door(conninfo, known.posture, known.catalog)

    def run(self, entry: Script | Case, side: str) -> list[Transcript]:
        """What an agent gets, in each mode."""
        shares = entry.shares if isinstance(entry, Script) else not entry.writes
        database = self.sides[side] if shares else self.cluster.create_database(self.sides[side])
        for text in entry.setup if isinstance(entry, Script) else ():
            self.cluster.run(text, database)
        seen = []
        for mode in MODES:
            seen.append(self.door(side, database, entry).record(self.texts(entry), mode))
            for path in self.folder.iterdir():
                seen[-1].file += path.read_text(encoding="utf-8", errors="replace")
                path.unlink()
        if not shares:
            self.cluster.drop_database(database)
        return seen

    def texts(self, entry: Script | Case) -> Sequence[str]:
        return entry.sql if isinstance(entry, Script) else entry.statements(self.folder, self.cluster.port)


@pytest.fixture(scope="module")
def twins(cluster: Cluster) -> Iterator[Twins]:
    true, twin = cluster.create_database(), cluster.create_database()
    cluster.run(schema(), true)
    cluster.run(twin_schema(), twin)
    with scratch_folder() as folder:
        yield Twins(cluster, folder, {"true": true, "twin": twin})
    for name in (true, twin):
        cluster.drop_database(name)


def comparable(seen: Transcript) -> str:
    timed = _DURATION.search(seen.flat) is not None
    return f"{_DURATION.sub('<time>', seen.flat)}\n{'' if timed else seen.binary}\n{seen.file}"


def sqlstates(seen: Transcript) -> list[str]:
    return [line.split(" | ")[2] for line in seen.text if line.startswith("error: ")]


@pytest.mark.parametrize("attack", ATTACKS, ids=id_of)
def test_an_attack_tells_nothing(twins: Twins, attack: Script) -> None:
    true, twin = twins.run(attack, "true"), twins.run(attack, "twin")
    assert [ways(seen) for seen in true] == [[], []]
    assert [comparable(seen) for seen in true] == [comparable(seen) for seen in twin]


@pytest.mark.parametrize("case", [case for case in CASES if not case.benign], ids=id_of)
def test_a_case_of_the_corpus_tells_nothing(twins: Twins, case: Case) -> None:
    true, twin = twins.run(case, "true"), twins.run(case, "twin")
    assert [ways(seen, timed=case.recover == "timing") for seen in true] == [[], []]
    assert [comparable(seen) for seen in true] == [comparable(seen) for seen in twin]
    if case.expected == "masked" and case.id not in RUNS_A_TRIGGER | FAILS_DIRECTLY:
        assert sqlstates(true[0]) == []


@pytest.mark.parametrize("entry", [*BENIGN, *(case for case in CASES if case.benign)], ids=id_of)
def test_a_benign_statement_is_answered_as_directly(cluster: Cluster, twins: Twins, entry: Script | Case) -> None:
    governed = twins.run(entry, "true")
    writes = entry.role != READER
    database = cluster.create_database(twins.sides["true"]) if writes else twins.sides["true"]
    conninfo = cluster.conninfo(database, entry.role, options=PINNED)
    direct = [record(conninfo, twins.texts(entry), mode) for mode in MODES]
    if writes:
        cluster.drop_database(database)
    for path in twins.folder.iterdir():
        path.unlink()
    assert [seen.binary for seen in governed] == [seen.binary for seen in direct]
    assert [sqlstates(seen) for seen in governed] == [sqlstates(seen) for seen in direct]


FILTER = RowFilter(schema="public", relation="customers", sql="name <> 'Dana'")
PRYING = (
    "SELECT * FROM customers",
    "SELECT name FROM customers WHERE 1 / (CASE WHEN name = 'Dana' AND email LIKE 'd%' THEN 0 ELSE 1 END) = 1",
    "SELECT name FROM customers WHERE email LIKE 'dana%\\'",
    "SELECT count(*), max(name), max(email) FROM customers",
    "SELECT id FROM customers WHERE id = 4",
    "SELECT email::int FROM customers WHERE id = 4",
    "SELECT u.name, o.id FROM orders o LEFT JOIN customers u ON u.id = o.customer_id ORDER BY o.id",
    "SELECT * FROM v_order_summary",
    "SELECT id FROM customers WHERE id = 4 FOR UPDATE",
    "EXPLAIN SELECT * FROM customers WHERE email > 'dana'",
    "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM customers WHERE email LIKE 'd%'",
    "COPY customers TO STDOUT",
    "TABLE customers",
    "SELECT customers FROM customers",
    "UPDATE customers SET phone = '1' WHERE email LIKE 'd%'",
    "DELETE FROM customers WHERE 1 / (id - 4) = 7",
    "PREPARE p AS SELECT name FROM customers WHERE email LIKE 'd%'",
    "EXECUTE p",
    "EXPLAIN ANALYZE EXECUTE p",
    "SELECT count(*) FROM customers TABLESAMPLE SYSTEM (100)",
)


def test_rows_behind_a_filter_tell_nothing(twins: Twins, cluster: Cluster) -> None:
    posture = Posture(filtered=("public.customers",))
    seen = []
    for email in ("dana@example.com", "zoe@example.org"):
        database = cluster.create_database(twins.sides["true"])
        with cluster.connect(database) as connection:
            connection.execute("UPDATE customers SET email = %s, phone = %s WHERE id = 4", (email, email))
        door = open_door(cluster.conninfo(database, "agent_rw"), posture, (FILTER,))
        seen.append([door.record(PRYING, mode) for mode in MODES])
        cluster.drop_database(database)
    assert [comparable(mode) for mode in seen[0]] == [comparable(mode) for mode in seen[1]]
    assert all("dana@" not in mode.flat for mode in seen[0])
    assert all(any("Alice" in (cell or "") for row in mode.rows for cell in row) for mode in seen[0])
