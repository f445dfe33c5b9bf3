"""What is not run while a session has a search path of its own: code that looks names up when it runs.

The body of a trigger or of an SQL function means what the path of its caller makes of it; so does a row filter. Under
a path the agent chose they could read and write what nobody meant. Code in C, and views, which keep what they refer
to, go on.
"""

from gateway.core.errors import Refused
from gateway.core.statement import Function
from gateway.core.verdict import Obligations
from gateway.sql.catalog import SYSTEM_SCHEMAS, Catalog
from gateway.sql.model import Understood

_FIXED = frozenset({"internal", "c"})
"""languages whose code does not look names up by the session's path"""
_SCANNED = frozenset({"policy", "constraint", "default", "index"})
"""kinds of `HiddenCode` that maintenance and changes of schema may run"""
_WRITTEN = _SCANNED | {"trigger", "rule"}


def refuse_moved(understood: Understood, obligations: Obligations, catalog: Catalog) -> None:
    """Raises Refused when the statement would run such code."""
    if obligations.row_filters:
        raise Refused("setting.path_moved", "a row filter")
    for called in understood.statement.functions:
        if called.schema not in SYSTEM_SCHEMAS and not _is_fixed(called, catalog):
            raise Refused("setting.path_moved", f"the {called.kind} {called.schema}.{called.name}")
    for reference in understood.references:
        relation = catalog.relations.get(reference.oid or 0)
        for hidden in relation.runs if relation is not None else ():
            if not hidden.columns and hidden.kind in _running(understood.statement.category, reference.role):
                raise Refused("setting.path_moved", f"{hidden.kind} {hidden.relation}.{hidden.name}")


def _running(category: str, role: str) -> frozenset[str]:
    """Which kinds of code a statement of a category runs over a relation it names in a role."""
    if role in {"from", "copied"} or category == "transaction":
        return frozenset({"policy"})
    return _WRITTEN if category == "write" else _SCANNED


def _is_fixed(called: Function, catalog: Catalog) -> bool:
    """Every function behind the name is code in C. The input of a type is; a domain's checks need not be."""
    if called.kind == "cast":
        oid = catalog.type_names.get((called.schema, called.name))
        return oid is not None and catalog.types[oid].kind != "d"
    if called.kind == "aggregate":
        return False  # its own language says nothing of the functions it is made of
    if called.kind == "operator":
        named = catalog.operator_names.get(called.name, ())
        behind = [found.function for found in named if found.schema == called.schema]
    else:
        known = catalog.function_names.get(called.name, ())
        behind = [oid for oid in known if catalog.functions[oid].schema == called.schema]
    return bool(behind) and all(
        oid in catalog.functions and catalog.functions[oid].language in _FIXED for oid in behind
    )
