"""The facts of a statement without card numbers: names that an agent made up are blanked, the database's own refuse.

What stands in the facts is evaluated by policy and stored, and digests of it are taken. A name the database does not
know says nothing that a rule could need, so its digits go. A relation, column or function that is there and is called
by a card number cannot be blanked: rules and masks find it by its name. The statement is refused.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

import msgspec

from gateway.core.blanking import clean_words, is_clean
from gateway.core.errors import Refused
from gateway.core.statement import Function, Hazard, Relation, Statement

CODE: Final = "statement.card_number"
_MADE_UP: Final = frozenset({"unknown", "system"})


Clean: TypeAlias = Callable[[str], str]


def clean_facts(statement: Statement, cut: Mapping[str, str]) -> Statement:
    """The statement with clean facts; itself when nothing had to be changed. Raises Refused.

    `cut`: names that were too long and had a card number in them, as they were cut → as they may stand here.
    """
    clean = partial(_clean, cut)
    relations = tuple(_relation(relation, clean) for relation in statement.relations)
    functions = tuple(_function(function, clean) for function in statement.functions)
    if not all(is_clean(name) for column in statement.columns for name in (column.name, column.relation)):
        raise Refused(CODE)
    settings = tuple(sorted(set(map(clean, statement.settings))))
    hazards = tuple(_hazard(hazard, clean) for hazard in statement.hazards)
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


def _clean(cut: Mapping[str, str], name: str) -> str:
    for seen, shown in cut.items():
        name = name.replace(seen, shown).replace(seen.lower(), shown.lower())
    return clean_words(name)


def _relation(relation: Relation, clean: Clean) -> Relation:
    schema, name = clean(relation.schema), clean(relation.name)
    if relation.kind in _MADE_UP and (schema, name) != (relation.schema, relation.name):
        return msgspec.structs.replace(relation, schema=schema, name=name)
    if relation.kind not in _MADE_UP and not all(map(is_clean, (relation.schema, relation.name, *relation.via))):
        raise Refused(CODE)
    return relation


def _function(function: Function, clean: Clean) -> Function:
    """Of a function that nobody knows, the schema may be made up as well."""
    schema, name = clean(function.schema), clean(function.name)
    return (
        function
        if (schema, name) == (function.schema, function.name)
        else msgspec.structs.replace(function, schema=schema, name=name)
    )


def _hazard(hazard: Hazard, clean: Clean) -> Hazard:
    detail = clean(hazard.detail)
    return hazard if detail == hazard.detail else msgspec.structs.replace(hazard, detail=detail)
