"""The SQL room in front of a real database, without a gateway: understand, decide, rewrite, run the rewritten text.

What the session does besides is done here in its plainest form: names of prepared statements, templates in the place
of what the server says about governed statements, the scan of what goes out, the snapshot renewed after a change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import pq

from gateway.core.cards import blank_spans, find_card_numbers
from gateway.core.codes import CODES
from gateway.core.errors import Refused
from gateway.core.site import Posture
from gateway.core.verdict import RowFilter
from gateway.sql.catalog import Catalog, build_catalog
from gateway.sql.model import ChangeSchema, Deallocate, Discard, Execute, Prepare, Scope, Understood
from gateway.sql.plan import Plan
from gateway.sql.queries import QUERIES
from gateway.sql.rewrite import rewrite
from gateway.sql.rows import Rows
from gateway.sql.understand import understand
from tests.support import rules
from tests.support.recover import Transcript
from tests.support.transcripts import Mode, run, shown

_STARS = bytes.maketrans(b"0123456789", b"*" * 10)
SEARCH_PATH = ("public",)
PINNED = "-csearch_path=public -cstandard_conforming_strings=on"


def read_rows(conninfo: str) -> Rows:
    """What the snapshot's queries give, each value as text, as the gateway's own connection reads it."""
    found: dict[str, list[tuple[str | None, ...]]] = {}
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for name, query in QUERIES.items():
            result = connection.pgconn.exec_(query.encode())
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise RuntimeError(f"{name}: {result.error_message.decode()}")
            found[name] = [
                tuple(_text(result.get_value(row, at)) for at in range(result.nfields)) for row in range(result.ntuples)
            ]
    return found


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


@dataclass(slots=True)
class Planned:
    """One message, judged: the text to send, or why it is refused."""

    understood: Sequence[Understood] = ()
    plans: Sequence[Plan] = ()
    text: str = ""
    refused: str = ""

    @property
    def governed(self) -> bool:
        return any(plan.governed for plan in self.plans)


@dataclass(slots=True)
class Door:
    """One agent's session through the SQL room."""

    conninfo: str
    posture: Posture
    catalog: Catalog
    filters: Sequence[RowFilter] = ()
    prepared: dict[str, Understood] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    def plan(self, text: str, *, single: bool = False) -> Planned:
        """Judge one message."""
        scope = Scope(search_path=SEARCH_PATH, posture=self.posture, prepared=dict(self.prepared))
        statements = understand(text, self.catalog, scope)
        if single and len(statements) > 1:
            return Planned(statements, refused="statement.multiple")
        plans = []
        for one in statements:
            if denied := rules.refusals(one.statement, self.posture):
                return Planned(statements, refused="; ".join(denied))
            try:
                wanted = rules.obligations(one.statement, self.filters)
                plans.append(rewrite(one, wanted, self.catalog, self.posture))
            except Refused as refused:
                return Planned(statements, refused=str(refused))
        return Planned(statements, plans, _composed(text, statements, plans))

    def record(self, statements: Sequence[str], mode: Mode) -> Transcript:
        """What an agent gets on one fresh connection."""
        seen = Transcript()
        with psycopg.connect(self.conninfo, autocommit=True, options=PINNED) as connection:
            notices: list[str] = []
            connection.add_notice_handler(lambda notice: notices.append(shown(notice)))
            for text in statements:
                self._one(connection, text, mode, seen, notices)
                if connection.pgconn.status != pq.ConnStatus.OK:
                    seen.text.append("connection lost")
                    break
        return seen

    def _one(self, connection: psycopg.Connection, text: str, mode: Mode, seen: Transcript, notices: list[str]) -> None:
        planned = self.plan(text, single=mode is not Mode.SIMPLE)
        if planned.refused:
            self.refusals.append(planned.refused)
            code = CODES.get(planned.refused.split(":")[0])
            seen.text.append(f"error: ERROR | ERROR | {code.sqlstate if code else '42501'} | refused {planned.refused}")
            return
        got = Transcript()
        notices.clear()
        run(connection.pgconn, planned.text, mode, got)
        failed = any(line.startswith("error: ") for line in got.text)
        if planned.governed:
            got.text = [_template(line) for line in got.text]
        else:
            got.text = [_scanned(line) for line in notices] + got.text
        seen.rows += [[None if cell is None else _scanned(cell) for cell in row] for row in got.rows]
        seen.binary += [[None if cell is None else _blanked(cell) for cell in row] for row in got.binary]
        seen.text += [_scanned(line) for line in got.text]
        self._follow(planned.understood, failed=failed)

    def _follow(self, statements: Sequence[Understood], *, failed: bool) -> None:
        for one in statements:
            match one.effect:
                case Prepare(name) if not failed:
                    self.prepared[name] = one
                case Deallocate(None) | Discard():
                    self.prepared.clear()
                case Deallocate(str(name)):
                    self.prepared.pop(name, None)
                case ChangeSchema():
                    self.catalog = build_catalog(read_rows(self.conninfo), self.posture, self.catalog)
                case Execute() | _:
                    continue


def open_door(conninfo: str, posture: Posture, filters: Sequence[RowFilter] = ()) -> Door:
    """A session on a fresh snapshot."""
    return Door(conninfo, posture, build_catalog(read_rows(conninfo), posture), filters)


def _composed(text: str, statements: Sequence[Understood], plans: Sequence[Plan]) -> str:
    raw, out, at = text.encode(), [], 0
    for one, plan in zip(statements, plans, strict=True):
        out += [raw[at : one.span.start].decode(), plan.text]
        at = one.span.stop
    return "".join([*out, raw[at:].decode()])


def _template(line: str) -> str:
    """Of what the server says about a governed statement severity and SQLSTATE are left."""
    if not line.startswith("error: "):
        return line
    return "error: " + " | ".join(part for part in line.removeprefix("error: ").split(" | ")[:3])


def _scanned(text: str) -> str:
    return _blanked(text.encode()).decode()


def _blanked(raw: bytes) -> bytes:
    return blank_spans(raw, find_card_numbers(raw), _STARS)
