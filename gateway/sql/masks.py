"""What stands in the place of a protected column: an expression of the column's own base type, or NULL of it.

The methods and their expressions are those of `contracts.md` (obligations.masks): only text, varchar and char(n), and
domains over them, can show part of a value; every other type shows NULL. Functions are named with their schema, so that
no function an agent made can stand in for them.
"""

from typing import Final

from gateway.core.errors import Refused
from gateway.sql.objects import ColumnInfo

ALWAYS_NULL: Final = frozenset({"cvv", "track", "pin"})
"""labels of sensitive authentication data: never shown, whatever policy says (PCI DSS 4.0.1, requirement 3.3)"""
METHODS: Final = ("null", "fixed", "last4", "first6_last4")
_TEXT, _CHAR, _VARCHAR = 25, 1042, 1043
_PARTS: Final = {
    "last4": (12, "'************' || pg_catalog.right({0}, 4)"),
    "first6_last4": (13, "pg_catalog.left({0}, 6) || '******' || pg_catalog.right({0}, 4)"),
}
"""method → shortest value that shows a part, and what it shows"""


def mask(column: ColumnInfo, method: str, operand: str) -> str:
    """The expression for `operand`, a reference to the column. Raises Refused for a method that is not known."""
    if method not in METHODS:
        raise Refused("obligation.unsupported", f"mask method {method!r}")
    kind = column.base_type
    if method == "null" or ALWAYS_NULL.intersection(column.labels) or column.base_oid not in {_TEXT, _CHAR, _VARCHAR}:
        return f"NULL::{kind}"
    if method == "fixed" or not column.exact:  # the last four digits of a reversed number are its first
        return f"'****'::{kind}"
    shortest, shown = _PARTS[method]
    # Never a bare `text`: a domain of that name in pg_temp is found first, and its CHECK would see what is cast to it.
    value = operand if column.type_oid == _TEXT else f"{operand}::pg_catalog.text"
    kind = "pg_catalog.text" if column.base_oid == _TEXT else kind
    return (
        f"CASE WHEN pg_catalog.octet_length({value}) >= {shortest} THEN {shown.format(value)} ELSE '****' END::{kind}"
    )
