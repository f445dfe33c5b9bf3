"""When an answer is a decision: the same look for the live gateway, a back-test and an auditor.

An answer that is none, or that lets a labelled column through without saying how, denies wherever it is given.
"""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from gateway.core.statement import Column
from gateway.core.verdict import Decision, Outcome
from gateway.policy.engine import EngineError
from gateway.policy.manifest import Rule
from gateway.policy.site import SENSITIVE

_DECISIONS: Final = msgspec.json.Decoder(Decision)
_PASSES: Final = frozenset({Outcome.ALLOW, Outcome.MASK, Outcome.REQUIRE_APPROVAL})


class _Columns(msgspec.Struct):
    """The part of a document that the look at labels needs."""

    columns: tuple[Column, ...]


class _Labelled(msgspec.Struct):
    """The same, from the top."""

    statement: _Columns


_LABELLED: Final = msgspec.json.Decoder(_Labelled)


def clearing(rules: Mapping[str, Rule]) -> frozenset[str]:
    """Codes of the rules that let a labelled column through as it is."""
    return frozenset(code for code, rule in rules.items() if rule.effect == "clear")


def accepted(document: bytes, answer: bytes, cleared: Collection[str]) -> Decision:
    """The decision that an answer is. Raises EngineError when it is none, or leaves a labelled column out."""
    try:
        decision = _DECISIONS.decode(answer)
    except msgspec.DecodeError:
        raise EngineError("policy.invalid_decision") from None
    if decision.outcome in _PASSES:
        _check_labels(document, decision, cleared)
    return decision


def _check_labels(document: bytes, decision: Decision, cleared: Collection[str]) -> None:
    """Each labelled column is masked or cleared by name, and sensitive authentication data is NULL."""
    masks = {(m.schema, m.relation, m.column): m.method for m in decision.obligations.masks}
    named = {reason.args.get("column", "") for reason in decision.reasons if reason.code in cleared}
    for column in _LABELLED.decode(document).statement.columns:
        if not column.labels:
            continue
        method = masks.get((column.schema, column.relation, column.name))
        if SENSITIVE.intersection(column.labels):
            if method != "null":
                raise EngineError("policy.label_uncovered", column.name)
        elif method is None and f"{column.schema}.{column.relation}.{column.name}" not in named:
            raise EngineError("policy.label_uncovered", column.name)
