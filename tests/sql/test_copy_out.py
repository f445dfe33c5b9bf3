"""COPY of a governed relation becomes COPY of a query; options by list."""

import pytest

from gateway.core.errors import Refused
from gateway.sql.copy_out import OPTIONS
from tests.sql.payments import catalog, plan


@pytest.mark.parametrize(
    "behind",
    [
        "TO STDOUT",
        "TO STDOUT CSV HEADER",
        "TO STDOUT WITH (FORMAT csv, FORCE_QUOTE (id))",
        "TO STDOUT (FORMAT binary)",
        "TO STDOUT DELIMITER '|' NULL 'x'",
    ],
)
def test_what_stands_behind_the_relation_stays(behind: str) -> None:
    assert plan(f"COPY archive.cards {behind}").text.endswith(f"FROM ONLY archive.cards) AS cards) {behind}")


@pytest.mark.parametrize(
    "sql", ["COPY cards TO STDOUT (FREEZE)", "COPY BINARY cards TO STDOUT", "COPY cards TO STDOUT (FORCE_NULL (id))"]
)
def test_options_outside_the_list_are_refused(sql: str) -> None:
    with pytest.raises(Refused, match=r"copy\.option"):
        plan(sql)


@pytest.mark.parametrize(
    "sql", ["COPY customers TO '/tmp/x'", "COPY cards FROM PROGRAM 'x'", "COPY (SELECT pan FROM cards) TO PROGRAM 'x'"]
)
def test_files_and_programs_are_refused(sql: str) -> None:
    with pytest.raises(Refused, match=r"copy\.server_file"):
        plan(sql)


def test_generated_columns_are_left_out_as_the_server_does() -> None:
    assert "cards.last4" not in plan("COPY cards TO STDOUT").text
    assert "cards.last4" in plan("COPY cards (last4) TO STDOUT").text
    assert "format" in OPTIONS


def test_a_parent_shows_what_is_in_its_partitions() -> None:
    assert "FROM public.card_parts)" in plan("COPY card_parts TO STDOUT").text


@pytest.mark.parametrize(
    ("sql", "columns", "form"),
    [
        ("COPY cards TO STDOUT", None, "text"),
        ("COPY cards (pan, id) TO STDOUT (FORMAT 'Binary')", ["pan", "id"], "binary"),
        ("COPY customers (id) TO STDOUT (FORMAT csv, HEADER)", ["id"], "csv"),
        ("COPY notes TO STDOUT CSV", ["id", "body"], "csv"),
    ],
)  # fmt: skip
def test_the_fields_of_a_relation_are_known(sql: str, columns: list[str] | None, form: str) -> None:
    copy = plan(sql).copy
    assert copy is not None
    assert copy.form == form
    relation = catalog().relations[copy.places[0][0]]
    names = {column.attnum: column.name for column in relation.columns}
    listed = [names[attnum] for _, attnum in copy.places]
    assert listed == (columns or [column.name for column in relation.columns if not column.generated])


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT pan FROM cards) TO STDOUT",
        "COPY notes TO STDOUT (DELIMITER '-')",
        "COPY notes FROM STDIN",
        "SELECT 1",
    ],
)
def test_the_fields_of_anything_else_are_not(sql: str) -> None:
    assert plan(sql).copy is None
