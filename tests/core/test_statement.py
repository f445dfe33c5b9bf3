"""Facts about a statement can be sorted, compared and turned into the input document."""

import msgspec

from gateway.core.statement import Column, Parameter, Relation, Shape, Statement

CARDS = Relation(schema="public", name="cards", kind="table", access=("read",), labels=("pan",))
CUSTOMERS = Relation(schema="public", name="customers", kind="table", access=("read",))


def test_relations_sort_by_schema_and_name() -> None:
    assert sorted([CUSTOMERS, CARDS]) == [CARDS, CUSTOMERS]


def test_columns_of_one_relation_sort_by_name() -> None:
    pan, number = (
        Column(schema="public", relation="cards", name=name, clauses=("select",)) for name in ("pan", "number")
    )
    assert sorted([pan, number]) == [number, pan]


def test_a_parameter_says_its_class_under_the_name_of_the_input_document() -> None:
    assert msgspec.to_builtins(Parameter(type="int8", class_="number")) == {"type": "int8", "class": "number"}


def test_a_statement_survives_json() -> None:
    statement = Statement(
        action="select",
        category="read",
        text_redacted="SELECT pan FROM cards",
        sha256="00",
        fingerprint="ff",
        relations=(CARDS,),
        shape=Shape(limit=True),
    )
    assert msgspec.json.decode(msgspec.json.encode(statement), type=Statement) == statement
