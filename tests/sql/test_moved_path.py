"""Under a search path of the agent's own, code that looks names up when it runs is refused."""

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.core.verdict import Obligations, RowFilter
from gateway.sql.catalog import Catalog
from gateway.sql.moved_path import refuse_moved
from gateway.sql.objects import FunctionInfo, HiddenCode
from tests.sql.payments import catalog, one


def function(oid: int, name: str, language: str, kind: str = "function") -> FunctionInfo:
    return FunctionInfo(
        oid=oid, schema="public", name=name, kind=kind, volatility="stable", security_definer=False, leakproof=False,
        language=language, returns_set=False, arguments=(), result=25,
    )  # fmt: skip


def with_code(*kinds: str) -> Catalog:
    """The cases' snapshot, where `customers` runs code of these kinds, and four functions are known."""
    made = catalog()
    oid = made.relation_names["public", "customers"]
    code = tuple(
        HiddenCode(kind=kind, name="h", events=frozenset({"update"}), relation="public.customers") for kind in kinds
    )
    relation = msgspec.structs.replace(made.relations[oid], runs=code)
    extra = [function(1, "in_c", "c"), function(2, "in_sql", "sql"), function(3, "summed", "internal", "aggregate")]
    return msgspec.structs.replace(
        made,
        relations={**made.relations, oid: relation},
        functions={**made.functions, **{found.oid: found for found in extra}},
        function_names={**made.function_names, **{found.name: (found.oid,) for found in extra}},
    )


def refused(sql: str, *kinds: str) -> bool:
    found = with_code(*kinds)
    understood = one(sql)
    calls = tuple(
        msgspec.structs.replace(call, schema="public", kind="aggregate" if call.name == "summed" else call.kind)
        if call.name in {"in_c", "in_sql", "summed"}
        else call
        for call in understood.statement.functions
    )
    changed = msgspec.structs.replace(
        understood, statement=msgspec.structs.replace(understood.statement, functions=calls)
    )
    try:
        refuse_moved(changed, Obligations(), found)
    except Refused as error:
        return error.code == "setting.path_moved"
    return False


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT lower('x')", False), ("SELECT in_c()", False), ("SELECT in_sql()", True), ("SELECT summed()", True),
        ("SELECT nowhere()", True), ("SELECT id FROM customers", False),
    ],
)  # fmt: skip
def test_functions_outside_the_system_count_unless_they_are_in_c(sql: str, *, expected: bool) -> None:
    assert refused(sql) is expected


@pytest.mark.parametrize(
    ("sql", "kinds", "expected"),
    [
        ("SELECT id FROM customers", ("policy",), True), ("SELECT id FROM customers", ("trigger", "check"), False),
        ("UPDATE customers SET name = 'x'", ("trigger",), True), ("COPY customers FROM STDIN", ("default",), True),
        ("COPY customers TO STDOUT", ("default",), False), ("LOCK TABLE customers", ("trigger", "index"), False),
        ("REINDEX TABLE customers", ("index",), True), ("REINDEX TABLE customers", ("trigger",), False),
    ],
)  # fmt: skip
def test_code_of_a_relation_counts_where_the_statement_runs_it(
    sql: str, kinds: tuple[str, ...], *, expected: bool
) -> None:
    assert refused(sql, *kinds) is expected


def test_a_row_filter_is_not_applied_under_another_path() -> None:
    obligations = Obligations(row_filters=(RowFilter(schema="public", relation="customers", sql="id = 1"),))
    with pytest.raises(Refused, match=r"setting\.path_moved"):
        refuse_moved(one("SELECT id FROM customers"), obligations, catalog())
