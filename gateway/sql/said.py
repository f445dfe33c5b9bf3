"""The facts of a statement without card numbers: names that an agent made up are blanked, the database's own refuse.

What stands in the facts is evaluated by policy and stored, and digests of it are taken. A name the database does not
know says nothing that a rule could need, so its digits go. A relation, column or function that is there and is called
by a card number cannot be blanked: rules and masks find it by its name. The statement is refused.
"""

from typing import Final

import msgspec

from gateway.core.blanking import clean_words, is_clean
from gateway.core.errors import Refused
from gateway.core.statement import Function, Hazard, Relation, Statement

CODE: Final = "statement.card_number"
_MADE_UP: Final = frozenset({"unknown", "system"})


def clean_facts(statement: Statement) -> Statement:
    """The statement with clean facts; itself when nothing had to be changed. Raises Refused."""
    relations = tuple(map(_relation, statement.relations))
    functions = tuple(map(_function, statement.functions))
    if not all(is_clean(name) for column in statement.columns for name in (column.name, column.relation)):
        raise Refused(CODE)
    settings = tuple(sorted(set(map(clean_words, statement.settings))))
    hazards = tuple(map(_hazard, statement.hazards))
    facts = relations, functions, settings, hazards
    if facts == (statement.relations, statement.functions, statement.settings, statement.hazards):
        return statement
    return msgspec.structs.replace(
        statement,
        relations=tuple(sorted(set(relations))),
        functions=tuple(sorted(set(functions))),
        settings=settings,
        hazards=tuple(sorted(set(hazards))),
    )


def _relation(relation: Relation) -> Relation:
    schema, name = clean_words(relation.schema), clean_words(relation.name)
    if relation.kind in _MADE_UP and (schema, name) != (relation.schema, relation.name):
        return msgspec.structs.replace(relation, schema=schema, name=name)
    if relation.kind not in _MADE_UP and not all(map(is_clean, (relation.schema, relation.name, *relation.via))):
        raise Refused(CODE)
    return relation


def _function(function: Function) -> Function:
    if not function.schema and (name := clean_words(function.name)) != function.name:
        return msgspec.structs.replace(function, name=name)
    if function.schema and not all(map(is_clean, (function.schema, function.name))):
        raise Refused(CODE)
    return function


def _hazard(hazard: Hazard) -> Hazard:
    detail = clean_words(hazard.detail)
    return hazard if detail == hazard.detail else msgspec.structs.replace(hazard, detail=detail)
