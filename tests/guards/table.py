"""Every mutation, and those no test can notice because another guard says no already."""
# ruff: noqa: E501 -- a table, one explanation a line

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.guards.mutation import Mutation
from tests.guards.recording_mutations import RECORDING
from tests.guards.session_mutations import RULES, SESSION
from tests.guards.sink_mutations import SINKS
from tests.guards.sql_mutations import CLOSURE, REWRITING, UNDERSTANDING
from tests.guards.stored_mutations import STORED

ALL: Final[tuple[Mutation, ...]] = (*UNDERSTANDING, *CLOSURE, *REWRITING, *SESSION, *RECORDING, *STORED, *SINKS, *RULES)
COVERED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "settings are given by expressions": "PostgreSQL's grammar has only literals there; the check stands for a later grammar",
        "a view's functions are not kept": "the text of the definition names them too; pg_depend also has those of its casts",
        "an operator of somebody's goes below a fence": "below it stands the server's own operator, by its schema; the check keeps the answer right where another one of that name is meant above",
        "NATURAL leaves bare": "the walk names a star for NATURAL, and a star is never left bare",
        "a field of a row leaves bare": "the row is a whole-row reference, or a column that its row type labels: neither is left bare by its name",
        "a star leaves bare": "`*` is no known column, and an unknown name is not left bare",
        "a whole row leaves bare": "a name is a whole row only when no column has it, and an unknown name is not left bare",
        "TABLE leaves bare": "the grammar makes a star of TABLE, and a star is never left bare",
        "a query inside TABLESAMPLE is lost": "its own edit overlaps with the one that moves the clause, which edits.py refuses",
        "a filter brings clauses of its own": "a clause behind the condition would have to close its parenthesis first, which is refused",
        "in open posture names move under a grant": "the effect `access.setting` denies by itself; `covered` is the second lock of the same rule",
        "facts need not be sound": "the effect `access.facts` denies by itself; `covered` is the second lock of the same rule",
        "core dumps are made": "a process that is not dumpable makes none either; where the limit is 0 already there is none to lower",
        "an application's new name is not cleaned": "`sql/application.py` cleans it before it cuts it, as the server would",
        "rows that nobody asked for are shown": "the exchange ends the session at a message that nobody asked for",
    }
)
"""name of a mutation → the other guard that covers it, and so why both stay"""
