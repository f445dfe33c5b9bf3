"""The reference policy in plain Python, for tests of the SQL room that need no engine: grants everything, masks cards.

Written against policies/gateway/access/*.rego. The lists are the bundle's own.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from gateway.core.site import Posture
from gateway.core.statement import Column, Function, Relation, Statement
from gateway.core.verdict import Mask, Obligations, RowFilter
from tests.support.bundle import CASE_LABELS

ALLOW = Path(__file__).parents[2] / "policies/gateway/lib/allow/data.json"
METHODS: Mapping[str, str] = {"pan": "last4", "cvv": "null", "track": "null", "pin": "null"}
STRENGTH = ("first6_last4", "last4", "fixed", "null")
STEERING = ("session", "transaction")


@cache
def allow() -> Mapping[str, Mapping[str, Mapping[str, bool]]]:
    """The allow-lists of the bundle."""
    lists: Mapping[str, Mapping[str, Mapping[str, bool]]] = json.loads(ALLOW.read_text(encoding="utf-8"))
    return lists


def case_posture(**more: object) -> Posture:
    """The posture of a connection with the labels of the cases."""
    labels = {
        relation: {name: tuple(given) for name, given in columns.items()} for relation, columns in CASE_LABELS.items()
    }
    return Posture(labels=labels, **more)  # type: ignore[arg-type]  # whatever field a test wants


def refusals(statement: Statement, posture: Posture) -> list[str]:
    """Codes of every rule that denies; empty when none does."""
    lists = allow()
    found = [hazard.code for hazard in statement.hazards if hazard.code not in lists["advisory"]]
    if not posture.guarded:
        return found
    found += [
        f"access.function {call.schema}.{call.name}" for call in statement.functions if not _listed(call, posture)
    ]
    found += [
        f"access.system {relation.schema}.{relation.name}"
        for relation in statement.relations
        if not _harmless(relation)
    ]
    found += [f"access.system_column {column.name}" for column in statement.columns if _hidden(column)]
    found += [f"access.setting {name}" for name in _forbidden_settings(statement)]
    if statement.category in STEERING and statement.action not in lists["actions"][statement.category]:
        found.append(f"access.session {statement.action}")
    return found


def obligations(statement: Statement, filters: Sequence[RowFilter] = ()) -> Obligations:
    """Every labelled column the statement names, masked by its strictest label; the filters of its relations."""
    masks = sorted(_masks(statement), key=lambda mask: (mask.schema, mask.relation, mask.column))
    touched = {(relation.schema, relation.name) for relation in statement.relations}
    kept = tuple(wanted for wanted in filters if (wanted.schema, wanted.relation) in touched)
    return Obligations(masks=tuple(masks), row_filters=kept)


def _masks(statement: Statement) -> Iterator[Mask]:
    for column in statement.columns:
        if column.labels:
            method = max((METHODS.get(label, "null") for label in column.labels), key=STRENGTH.index)
            yield Mask(schema=column.schema, relation=column.relation, column=column.name, method=method)


def _listed(call: Function, posture: Posture) -> bool:
    kind = {"function": "functions", "aggregate": "functions", "operator": "operators", "cast": "casts"}.get(
        call.kind, ""
    )
    listed = allow().get(kind, {}).get(call.schema, {}).get(call.name, False)
    return bool(listed) or f"{call.schema}.{call.name}" in posture.functions


def _readable(schema: str, name: str) -> bool:
    return name in allow()["relations"].get(schema, {})


def _harmless(relation: Relation) -> bool:
    if relation.kind != "system":
        return True
    through = bool(relation.via) and all(_readable(*view.split(".", 1)) for view in relation.via)
    return relation.access == ("read",) and (_readable(relation.schema, relation.name) or through)


def _hidden(column: Column) -> bool:
    return column.name in allow()["hidden"].get(f"{column.schema}.{column.relation}", ())


def _forbidden_settings(statement: Statement) -> list[str]:
    reads = statement.category in {"read", "write"} and all(call.name != "set_config" for call in statement.functions)
    if statement.action == "show" or reads:
        return []
    settable = allow()["settings"]
    return [name for name in statement.settings if name not in settable and not name.startswith("querywarden.")]
