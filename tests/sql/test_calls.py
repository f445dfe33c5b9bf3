"""Which functions, operators and casts a statement may run."""
# ruff: noqa: E501 -- a table of statements, one a line

import msgspec
import pytest

from gateway.sql.model import Scope
from gateway.sql.objects import ColumnInfo, Kind, RelationInfo
from gateway.sql.understand import understand
from tests.sql.payments import catalog, one
from tests.support import rules


def calls(sql: str, **more: object) -> set[str]:
    return {f"{call.kind} {call.schema}.{call.name}" for call in one(sql, **more).statement.functions}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT lower('x'), max(id), row_number() OVER () FROM notes", {"function pg_catalog.lower", "aggregate pg_catalog.max", "function pg_catalog.row_number"}),
        ("SELECT get_pan(1)", {"function public.get_pan"}),
        ("SELECT public.get_pan(1)", {"function public.get_pan"}),
        ("SELECT nosuch(1), a.b(2)", {"function .nosuch", "function a.b"}),
        ("SELECT * FROM list_cards()", {"function public.list_cards"}),
        ("CALL dump_cards()", {"procedure public.dump_cards"}),
        ("SELECT plain_max('x')", {"aggregate public.plain_max"}),
        ("SELECT 'a' #### 'b'", {"operator public.####"}),
        ("SELECT 'a' OPERATOR(public.####) 'b'", {"operator public.####"}),
        ("SELECT 'a=>1'::hstore", {"cast public.hstore"}),
        ("SELECT CAST('a=>1' AS public.hstore)", {"cast public.hstore"}),
        ("SELECT 'a=>1'::hstore -> 'a'", {"cast public.hstore", "operator public.->"}),
        ("SELECT 'a=>1'::hstore = 'b'", {"cast public.hstore", "operator public.="}),
        ("SELECT id FROM notes ORDER BY body USING ####", {"operator public.####"}),
        ("SELECT 1 WHERE 'x' #### ANY (SELECT body FROM notes)", {"operator public.####"}),
        ("CREATE TABLE t (a text DEFAULT get_pan(1))", {"function public.get_pan"}),
        ("EXPLAIN SELECT get_pan(1)", {"function public.get_pan"}),
    ],
)  # fmt: skip
def test_every_call_is_named_with_its_schema(sql: str, expected: set[str]) -> None:
    assert calls(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 = 1, 'a' <> 'b', id = 1 FROM notes", "SELECT id FROM notes WHERE body = 'x' AND id IN (1, 2)",
        "SELECT body || 'x', raw_message -> 'a' FROM notes, transactions", "SELECT 1 FROM cards JOIN notes USING (id)",
        "SELECT 1 FROM cards NATURAL JOIN notes", "SELECT CASE body WHEN 'x' THEN 1 END FROM notes",
        "SELECT 1 WHERE 5 BETWEEN 1 AND 9", "SELECT 1::text, 'x'::varchar(3), '{}'::jsonb", "SELECT $1 = id FROM notes",
        "SELECT (1, 2) = (1, 2)", "SELECT 1 FROM notes WHERE id IN (SELECT id FROM cards)", "SELECT id = ANY ('{1}') FROM notes", "SELECT '{1}' = ANY (ARRAY[id]) FROM notes",
    ],
)  # fmt: skip
def test_an_extensions_operator_does_not_touch_what_cannot_be_of_its_type(sql: str) -> None:
    assert calls(sql) == set()


def test_a_parameter_of_the_type_can_choose_its_operator() -> None:
    hstore = catalog().type_names["public", "hstore"]
    assert calls("SELECT $1 = $2", parameter_types=(hstore, hstore)) == {"operator public.="}
    assert calls("SELECT $1 = $2") == set()


def test_views_call_what_their_definitions_call() -> None:
    assert calls("SELECT * FROM v_order_summary") == {"aggregate pg_catalog.sum", "aggregate pg_catalog.count"}


def test_functions_of_the_grammar_are_no_calls_where_nobody_made_one_of_that_name() -> None:
    assert calls("SELECT json_scalar(1), json_array(1), coalesce(1, 2), current_user") == set()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("id = 1", set()), ("id = $1", set()), ("e.id IN (1, $1)", set()), ("label = 'x'", set()), ("label = ANY (labels)", set()), ("id = id2", set()),
        ("data = $1", {"operator public.="}), ("$1 = own", {"operator public.="}), ("$1 = ANY (many)", {"operator public.="}), ("data = own", {"operator public.="}),
        ("(e).data = $1", {"operator public.="}), ("id = data", set()),
    ],
)  # fmt: skip
def test_a_column_counts_for_what_it_is(condition: str, expected: set[str]) -> None:
    """A table with a column of the extension's type does not make each of its `=` the extension's."""
    made = catalog()
    hstore = made.type_names["public", "hstore"]
    array = next(oid for oid, found in made.types.items() if found.element == hstore)
    domain = msgspec.structs.replace(
        made.types[hstore], oid=900_001, name="own", kind="d", base=hstore, base_type="hstore"
    )
    kinds = {"id": 20, "id2": 20, "label": 25, "labels": 1009, "data": hstore, "own": 900_001, "many": array}
    columns = tuple(
        ColumnInfo(name=name, attnum=number, type="", type_oid=oid, base_type="", base_oid=oid)
        for number, (name, oid) in enumerate(kinds.items(), 1)
    )
    relation = RelationInfo(oid=900_000, schema="public", name="extras", kind=Kind.TABLE, columns=columns)
    extended = msgspec.structs.replace(
        made,
        sha256="extended",
        relations={**made.relations, 900_000: relation},
        relation_names={**made.relation_names, ("public", "extras"): 900_000},
        types={**made.types, 900_001: domain},
    )
    scope = Scope(search_path=("public",), posture=rules.case_posture())
    (found,) = understand(f"SELECT 1 FROM extras e WHERE {condition}", extended, scope)  # noqa: S608 -- ours
    assert {f"{call.kind} {call.schema}.{call.name}" for call in found.statement.functions} == expected


def test_every_overload_that_could_be_meant_counts() -> None:
    lower = next(found for found in catalog().functions.values() if found.name == "lower")
    mine = msgspec.structs.replace(lower, oid=99_999, schema="public", arguments=(23,))
    hidden = msgspec.structs.replace(lower, oid=99_998, schema="public")
    for added, expected in ((mine, {"pg_catalog", "public"}), (hidden, {"pg_catalog"})):
        snapshot = msgspec.structs.replace(
            catalog(),
            sha256=f"overload {added.oid}",
            functions={**catalog().functions, added.oid: added},
            function_names={**catalog().function_names, "lower": (*catalog().function_names["lower"], added.oid)},
        )
        scope = Scope(search_path=("public",), posture=rules.case_posture())
        (found,) = understand("SELECT lower('x')", snapshot, scope)
        assert {call.schema for call in found.statement.functions} == expected
