"""Rows of text become objects."""
# ruff: noqa: E501 -- a table of statements, one a line

from gateway.sql import rows as module
from gateway.sql.objects import Kind
from gateway.sql.rows import Rows, kind_of, number, numbers, pairs, text
from tests.sql.payments import rows


def test_absent_values_are_empty() -> None:
    assert (text(None), number(None), numbers(None)) == ("", 0, ())
    assert (numbers("1 2 3"), number("7")) == ((1, 2, 3), 7)
    assert pairs([("1", "2"), ("1", "3")]) == {1: {2, 3}}


def test_a_partition_is_one_whatever_it_is_besides() -> None:
    assert [kind_of("r", "f"), kind_of("p", "t"), kind_of("f", "f"), kind_of("?", "f")] == [
        Kind.TABLE, Kind.PARTITION, Kind.FOREIGN, Kind.OTHER,
    ]  # fmt: skip


def test_a_domains_base_is_unfolded_with_its_modifiers() -> None:
    domains: Rows = {
        "types": [
            ("25", "pg_catalog", "text", "b", "0", None, "S", "0", "0"),
            ("1043", "pg_catalog", "varchar", "b", "0", None, "S", "0", "0"),
            ("900", "public", "a", "d", "1043", "character varying(19)", "S", "0", "0"),
            ("901", "public", "b", "d", "900", "public.a", "S", "0", "0"),
        ],
        "columns": [("1", "2", "y", "text", "25", "f", "", "f"), ("1", "1", "x", "public.b", "901", "t", "s", "t")],
    }
    first, second = module.columns_of(domains, module.types_of(domains))[1]
    assert (first.name, first.type, first.base_type, first.base_oid, first.category) == (
        "x",
        "public.b",
        "character varying(19)",
        1043,
        "S",
    )
    assert (first.not_null, first.generated, first.has_default) == (True, True, True)
    assert (second.name, second.base_type, second.not_null) == ("y", "text", False)


def test_functions_operators_and_casts_keep_what_judging_needs() -> None:
    functions = module.functions_of(rows()).values()
    get_pan = next(function for function in functions if function.name == "get_pan")
    assert (get_pan.security_definer, get_pan.volatility, get_pan.language, get_pan.kind) == (
        True,
        "stable",
        "sql",
        "function",
    )
    assert {operator.name for operator in module.operators_of(rows()) if operator.schema == "public"} >= {"####"}
    casts = module.casts_of(rows())
    assert casts[23, 20].implicit
    assert not casts[20, 23].implicit


def test_hidden_code_has_its_events() -> None:
    hidden = module.hidden_code_of({**rows(), "triggers": [("1", "t", "28")], "rules": [("1", "r", "4")], "policies": [("1", "p")],
                                    "checks": [("1", "c")], "defaults": [("1", "d")], "indexes": [("1", "i")]})  # fmt: skip
    assert {code.name: sorted(code.events) for code in hidden[1]} == {
        "t": ["delete", "insert", "update"], "r": ["delete"], "p": ["delete", "insert", "update"],
        "c": ["insert", "update"], "d": ["insert", "update"], "i": ["insert", "update"],
    }  # fmt: skip
