"""Understanding never raises, and says for every statement what policy must know."""
# ruff: noqa: E501 -- a table of statements, one a line
# ruff: noqa: SIM905 -- a list of words

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.statement import Parameter
from gateway.sql.catalog import Catalog, build_catalog
from gateway.sql.model import Scope, Span
from gateway.sql.tokens import UNAVAILABLE
from gateway.sql.understand import STATEMENTS_MAX, understand
from tests.sql.payments import OPEN, catalog, hazards, one, read, rows
from tests.support import rules

FRAGMENTS = st.lists(
    st.sampled_from(
        "SELECT FROM WHERE ( ) , ; * . 'x' \"y\" $$ $1 cards public pan c AS WITH RECURSIVE UNION ALL JOIN ON USING NATURAL "
        "INSERT INTO VALUES UPDATE SET DELETE RETURNING MERGE COPY TO STDOUT TABLE ONLY TABLESAMPLE LATERAL EXPLAIN CASE WHEN "
        "THEN END 1 + -- /* */ = :: text [ ] E'\\ U&\" PREPARE EXECUTE DECLARE CURSOR FOR GROUP BY 💳 ж".split()
    ),
    max_size=25,
).map(" ".join)


@given(st.one_of(st.text(max_size=80), FRAGMENTS))
def test_it_never_raises_and_what_is_not_read_is_a_hazard(text: str) -> None:
    for found in read(text):
        assert found.tree is not None or (found.governed and len(found.statement.hazards) == 1)


@given(FRAGMENTS)
def test_spans_are_apart_in_order_and_hold_the_text(text: str) -> None:
    raw, at = text.encode(), 0
    for found in read(text):
        assert at <= found.span.start <= found.span.stop <= len(raw)
        assert raw[found.span.start : found.span.stop].decode() == found.text
        at = found.span.stop


def test_each_statement_of_a_message_stands_by_itself() -> None:
    text = " ; SELECT '💳' ;; -- x\n SELECT pan FROM cards -- y\n;"
    first, second = read(text)
    assert first.text == "SELECT '💳' "
    assert "SELECT pan FROM cards -- y\n" in second.text
    assert (first.statement.count, second.statement.count) == (2, 2)
    assert text.encode()[second.span.start : second.span.stop].decode() == second.text
    assert read("") == read(" ;; ") == read("-- nothing") == ()


def test_a_text_without_statement_around_is_read_whole() -> None:
    assert one("SELECT 1").span == Span(0, 8)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", "statement.unanalysable"),
        ("SELECT '\0'", "statement.unanalysable"),
        ("SELECT " + "- " * 1000 + "1", "statement.too_deep"),
        ("SELECT '" + "x" * (1 << 20) + "'", "statement.too_long"),
        ("SELECT c.row_to_json FROM cards c", "statement.attribute_notation"),
        ("SELECT c.text FROM cards c, customers u", "statement.attribute_notation"),
        ("DO $$BEGIN END$$", "statement.carries_code"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", "statement.carries_code"),
        ("CREATE TRIGGER t BEFORE INSERT ON notes EXECUTE FUNCTION f()", "statement.carries_code"),
        ("CREATE RULE r AS ON INSERT TO notes DO NOTHING", "statement.carries_code"),
        ("CREATE AGGREGATE a(text) (sfunc = textcat, stype = text)", "statement.carries_code"),
        ("ALTER SCHEMA archive RENAME TO attic", "statement.carries_code"),
        ("ALTER FUNCTION get_pan(bigint) RENAME TO lower", "statement.carries_code"),
        ("ALTER FUNCTION get_pan(bigint) SET SCHEMA archive", "statement.carries_code"),
        ("ALTER ROLE x SET search_path = y", "statement.carries_code"),
        ("COPY notes TO '/tmp/x'", "copy.server_file"),
        ("COPY notes FROM PROGRAM 'x'", "copy.server_file"),
        ("EXECUTE nosuch", "prepared.unknown"),
        ("EXPLAIN EXECUTE nosuch", "prepared.unknown"),
        ("SET LOCAL search_path = archive", "setting.pinned"),
        ("SELECT set_config('search_path', 'x', true)", "setting.pinned"),
        ("SELECT set_config(lower('role'), 'x', false)", "setting.not_literal"),
    ],
)
def test_what_must_not_pass_is_a_hazard(sql: str, code: str) -> None:
    assert code in hazards(sql)


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE notes RENAME TO n", "ALTER TABLE notes RENAME COLUMN body TO b", "SET search_path TO DEFAULT", "RESET ALL",
     "SELECT current_setting('search_path')", "SET client_encoding = 'UTF8'", "SET ROLE NONE", "SHOW search_path"],
)  # fmt: skip
def test_what_may_pass_is_none(sql: str) -> None:
    assert hazards(sql) == []


@pytest.mark.parametrize("sql", ["DO $$BEGIN END$$", "SELECT c.row_to_json FROM cards c", "SET search_path = archive"])
def test_in_open_posture_only_what_cannot_be_read_is_a_hazard(sql: str) -> None:
    assert [code for code in hazards(sql, posture=OPEN) if code != "setting.pinned"] == []
    assert hazards("SELEC", posture=OPEN) == ["statement.unanalysable"]
    assert hazards("SET ROLE x", posture=OPEN) == ["setting.pinned"]


def test_execute_has_the_facts_of_what_was_prepared() -> None:
    prepared = one("PREPARE p AS SELECT pan FROM cards WHERE id = $1")
    execute = one("EXECUTE p(lower('1')::int)", prepared={"p": prepared})
    assert (execute.statement.action, execute.statement.category, execute.governed) == ("select", "read", True)
    assert execute.statement.columns == prepared.statement.columns
    assert execute.statement.relations == prepared.statement.relations
    assert {"lower"} <= {call.name for call in execute.statement.functions}
    assert execute.statement.text_redacted == "EXECUTE p ( lower ( ? ) :: INT )"


def test_explain_analyze_of_execute_is_as_strong_as_what_it_runs() -> None:
    prepared = {"p": one("PREPARE p AS DELETE FROM notes"), "q": one("PREPARE q AS SELECT 1")}
    assert one("EXPLAIN ANALYZE EXECUTE p", prepared=prepared).statement.action == "delete"
    assert one("EXPLAIN EXECUTE p", prepared=prepared).statement.action == "explain"
    assert one("EXPLAIN ANALYZE EXECUTE q", prepared=prepared).statement.action == "explain"
    assert one("CREATE TEMP TABLE t AS EXECUTE q", prepared=prepared).statement.action == "create_table_as"


def test_parameters_have_the_types_the_client_gave() -> None:
    found = one("SELECT $1, $3", parameter_types=(20, 0)).statement.parameters
    unknown = Parameter(type="unknown", class_="unknown")
    assert found == (Parameter(type="int8", class_="number"), unknown, unknown)


def test_nothing_shows_the_text_of_a_statement() -> None:
    assert "secret" not in repr(one("SELECT 'secret'"))


def test_answers_are_kept_by_exact_text() -> None:
    assert one("SELECT 4711") is one("SELECT 4711")
    assert one("SELECT 4711") is not one("SELECT 4712")
    assert one("SELECT 4711", posture=OPEN) is not one("SELECT 4711")


def test_a_message_of_too_many_statements_is_refused_without_being_read() -> None:
    most = ";".join(["SELECT 1"] * STATEMENTS_MAX)
    assert len(read(most)) == STATEMENTS_MAX
    (refused,) = read(f"{most};SELECT 1")
    assert [hazard.code for hazard in refused.statement.hazards] == ["statement.too_many"]
    assert refused.statement.text_redacted == UNAVAILABLE


def test_arguments_of_execute_do_not_hide_what_they_are() -> None:
    prepared = {"p": one("PREPARE p AS SELECT pan FROM cards WHERE id = $1")}
    assert "statement.attribute_notation" in hazards(
        "EXECUTE p((SELECT c.row_to_json FROM cards c))", prepared=prepared
    )


def test_an_answer_holds_for_its_catalog_and_search_path_only() -> None:
    sql = "SELECT id FROM cards"
    posture = rules.case_posture()

    def relations(snapshot: Catalog, *path: str) -> list[tuple[str, tuple[str, ...]]]:
        (found,) = understand(sql, snapshot, Scope(search_path=path, posture=posture))
        return [(relation.schema, relation.labels) for relation in found.statement.relations]

    assert relations(catalog(), "public") == [("public", ("cvv", "pan"))]
    assert relations(catalog(), "archive") == [("archive", ("pan",))]
    assert relations(build_catalog(rows(), OPEN), "public") == [("public", ())]


def test_a_write_that_may_change_governed_rows_through_its_keys_is_governed() -> None:
    oid = catalog().relation_names["public", "notes"]
    notes = msgspec.structs.replace(catalog().relations[oid], cascades=True)
    snapshot = msgspec.structs.replace(catalog(), sha256="cascades", relations={**catalog().relations, oid: notes})
    scope = Scope(search_path=("public",), posture=rules.case_posture())
    governed = [understand(sql, snapshot, scope)[0].governed for sql in ("DELETE FROM notes", "SELECT 1 FROM notes")]
    assert governed == [True, False]
