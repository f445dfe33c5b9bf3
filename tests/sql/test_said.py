"""Facts without card numbers: made-up names are blanked, an object of the database called by one is refused."""

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.core.statement import Column, Function, Hazard, Relation, Statement
from gateway.sql.said import clean_facts
from tests.sql.payments import one

VISA = "4111111111111111"
STARS = "*" * 16
PLAIN = Statement(action="select", category="read", text_redacted="SELECT ?", sha256="", fingerprint="")


def test_a_statement_without_any_is_the_same_object() -> None:
    named = msgspec.structs.replace(
        PLAIN,
        relations=(Relation(schema="public", name="cards", kind="table", access=("read",)),),
        functions=(Function(schema="pg_catalog", name="lower", kind="function"),),
        settings=("a", "b"),
        hazards=(Hazard(code="statement.unanalysable", detail="at character 7"),),
    )
    assert clean_facts(named, {}) is named


@pytest.mark.parametrize("schema", ["public", "pg_temp", f"s{VISA}"])
@pytest.mark.parametrize("kind", ["unknown", "system"])
def test_a_name_the_database_does_not_know_is_blanked(kind: str, schema: str) -> None:
    relation = Relation(schema=schema, name=f"_{VISA}", kind=kind, access=("write",))
    (clean,) = clean_facts(msgspec.structs.replace(PLAIN, relations=(relation,)), {}).relations
    assert (clean.schema, clean.name) == (schema.replace(VISA, STARS), f"_{STARS}")


def test_an_unknown_function_a_setting_and_a_detail_are_blanked() -> None:
    clean = clean_facts(
        msgspec.structs.replace(
            PLAIN,
            functions=(Function(schema="", name=VISA, kind="function"),),
            settings=(f"x.{VISA}", "datestyle"),
            hazards=(Hazard(code="setting.not_literal", detail=VISA),),
        ),
        {},
    )
    assert clean.functions[0].name == STARS
    assert clean.settings == ("datestyle", f"x.{STARS}")
    assert clean.hazards[0].detail == STARS


@pytest.mark.parametrize(
    "facts",
    [
        {"relations": (Relation(schema="public", name=f"t{VISA}", kind="table", access=("read",)),)},
        {"relations": (Relation(schema="public", name="t", kind="view", access=("read",), via=(f"public.v{VISA}",)),)},
        {"columns": (Column(schema="public", relation="t", name=VISA, clauses=("select",)),)},
        {"columns": (Column(schema="public", relation=VISA, name="a", clauses=("select",)),)},
    ],
    ids=["relation", "view", "column", "column of"],
)
def test_an_object_of_the_database_that_is_called_by_one_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        clean_facts(msgspec.structs.replace(PLAIN, **facts), {})
    assert (refused.value.code, refused.value.detail) == ("statement.card_number", "")


def test_a_function_is_blanked_with_its_schema_for_nobody_knows_whether_it_is_there() -> None:
    function = Function(schema=f"s{VISA}", name=f"f{VISA}", kind="function")
    (clean,) = clean_facts(msgspec.structs.replace(PLAIN, functions=(function,)), {}).functions
    assert (clean.schema, clean.name) == (f"s{STARS}", f"f{STARS}")


def test_what_the_server_cut_off_of_a_number_leaves_no_digits() -> None:
    whole = "_" * 50 + VISA
    for text in (
        f"TABLE {whole}", f'SELECT "{whole}".f(1)', f'SELECT "{whole}"(1)', f'SET "x.{whole}" = 1', f"SHOW {whole}",
        f'SET "{whole.upper()}X" TO DEFAULT', f"CREATE TABLE {whole} (a int)", f'SELECT U&"{whole}"(1)',
    ):  # fmt: skip
        assert b"4111" not in msgspec.json.encode(one(text).statement), text


@pytest.mark.parametrize(
    "text", ['SELECT "{}" FROM customers', 'SELECT "{}"(1)', "TABLE {}", "COMMENT ON TABLE notes IS '{}'"]
)
@pytest.mark.parametrize("before", ["_", "_" * 50])
def test_the_fingerprint_of_a_statement_is_the_same_for_every_card_number_in_it(text: str, before: str) -> None:
    said = [one(text.format(before + number)).statement for number in (VISA, "4012888888881881")]
    assert said[0].fingerprint == said[1].fingerprint != ""
    assert said[0].sha256 == said[1].sha256
