"""The snapshot of the cases' schema for tests without a server, and one statement taken through the room."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from gateway.core.site import Posture
from gateway.core.verdict import Obligations, RowFilter
from gateway.sql.catalog import Catalog, build_catalog
from gateway.sql.model import Scope, Understood
from gateway.sql.plan import Plan
from gateway.sql.rewrite import rewrite
from gateway.sql.rows import Row, Rows
from gateway.sql.understand import understand
from tests.support import rules

SNAPSHOT = Path(__file__).parent / "snapshot.json"
OPEN = Posture(guarded=False)


@cache
def rows() -> Rows:
    """What the snapshot's queries gave on the cases' schema, cut down by make_snapshot.py."""
    found: Mapping[str, list[Row]] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return {name: [tuple(row) for row in part] for name, part in found.items()}


@cache
def catalog(filtered: tuple[str, ...] = ()) -> Catalog:
    """The snapshot under the labels of the cases."""
    return build_catalog(rows(), rules.case_posture(filtered=filtered))


def read(sql: str, posture: Posture | None = None, **more: object) -> tuple[Understood, ...]:
    """Every statement of a text, understood."""
    scope = Scope(search_path=("public",), posture=posture or rules.case_posture(), **more)  # type: ignore[arg-type]  # a field of Scope
    return understand(sql, catalog(), scope)


def one(sql: str, **more: object) -> Understood:
    """The one statement of a text."""
    (found,) = read(sql, **more)  # type: ignore[arg-type]  # a field of Scope
    return found


def hazards(sql: str, **more: object) -> list[str]:
    """Codes of what was not understood."""
    return [hazard.code for hazard in one(sql, **more).statement.hazards]


def plan(
    sql: str, *, clear: Sequence[str] = (), filters: Mapping[str, str] | None = None, posture: Posture | None = None
) -> Plan:
    """What is sent for a statement under the reference policy. Raises Refused, also for what policy would deny."""
    wanted = [
        RowFilter(schema=key.split(".")[0], relation=key.split(".")[1], sql=sql) for key, sql in (filters or {}).items()
    ]
    understood = one(sql)
    asked = rules.obligations(understood.statement, wanted)
    masks = tuple(mask for mask in asked.masks if f"{mask.schema}.{mask.relation}.{mask.column}" not in clear)
    obligations = Obligations(masks=masks, row_filters=asked.row_filters)
    snapshot = catalog(tuple(filters or ()))
    return rewrite(understood, obligations, snapshot, posture or rules.case_posture())
