"""Mask expressions: of the column's base type, on text only, and nothing unqualified that could be somebody else's."""
# ruff: noqa: E501 -- a table of statements, one a line

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.sql.masks import mask
from gateway.sql.objects import ColumnInfo

TEXT = ColumnInfo(name="pan", attnum=1, type="text", type_oid=25, base_type="text", base_oid=25, labels=("pan",))
VARCHAR = msgspec.structs.replace(TEXT, type="character varying(19)", type_oid=1043, base_type="character varying(19)", base_oid=1043)  # fmt: skip
NUMBER = msgspec.structs.replace(TEXT, type="numeric(16,0)", type_oid=1700, base_type="numeric(16,0)", base_oid=1700)
DOMAIN = msgspec.structs.replace(TEXT, type="public.pan_t", type_oid=90_000)
CVV = msgspec.structs.replace(TEXT, labels=("cvv",))
MADE = msgspec.structs.replace(TEXT, exact=False)
LAST4 = (
    "CASE WHEN pg_catalog.octet_length({0}) >= 12 THEN '************' || pg_catalog.right({0}, 4) ELSE '****' END::{1}"
)
FIRST6 = (
    "CASE WHEN pg_catalog.octet_length({0}) >= 13 THEN pg_catalog.left({0}, 6) || '******' || pg_catalog.right({0}, 4) "
    "ELSE '****' END::{1}"
)


@pytest.mark.parametrize(
    ("column", "method", "expression"),
    [
        (TEXT, "null", "NULL::text"),
        (TEXT, "fixed", "'****'::text"),
        (TEXT, "last4", LAST4.format("c.pan", "pg_catalog.text")),
        (TEXT, "first6_last4", FIRST6.format("c.pan", "pg_catalog.text")),
        (VARCHAR, "last4", LAST4.format("c.pan::pg_catalog.text", "character varying(19)")),
        (DOMAIN, "last4", LAST4.format("c.pan::pg_catalog.text", "pg_catalog.text")),
        (NUMBER, "last4", "NULL::numeric(16,0)"),
        (NUMBER, "fixed", "NULL::numeric(16,0)"),
        (CVV, "last4", "NULL::text"),
        (CVV, "fixed", "NULL::text"),
        (MADE, "last4", "'****'::text"),
        (MADE, "first6_last4", "'****'::text"),
        (MADE, "null", "NULL::text"),
    ],
)
def test_a_method_has_its_expression(column: ColumnInfo, method: str, expression: str) -> None:
    assert mask(column, method, "c.pan") == expression


@pytest.mark.parametrize("method", ["", "clear", "none", "LAST4"])
def test_an_unknown_method_is_refused(method: str) -> None:
    with pytest.raises(Refused, match=r"obligation\.unsupported"):
        mask(TEXT, method, "pan")
