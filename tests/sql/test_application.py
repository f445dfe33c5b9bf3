"""The agent's application_name goes under another name to the server; its own names the session there."""
# ruff: noqa: E501 -- a table of statements

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.core.verdict import Obligations
from gateway.sql.application import HEX_ESCAPES, OWN, Move, Passed, Point, Set, is_shown, move_of, stored
from gateway.sql.rewrite import rewrite
from tests.sql.payments import OPEN, catalog, one, read
from tests.support import rules

PAN = "4111111111111111"
SENT = [
    ("SET application_name = 'x'", f"SET {OWN} TO 'x'"),
    ("set Session APPLICATION_NAME to x", f"SET {OWN} TO 'x'"),
    ('SET LOCAL "application_name" = \'it\'\'s\'', f"SET LOCAL {OWN} TO 'it''s'"),
    ("SET application_name = 5", f"SET {OWN} TO '5'"),
    ("SET application_name = 1.50", f"SET {OWN} TO '1.50'"),
    ("SET U&\"application!005fname\" UESCAPE '!' = 'x'", f"SET {OWN} TO 'x'"),
    (f"SET application_name = 'card {PAN}'", f"SET {OWN} TO 'card ****************'"),
    ("SET application_name TO DEFAULT", f"SET {OWN} TO DEFAULT"),
    ("SET LOCAL application_name TO DEFAULT", f"SET LOCAL {OWN} TO DEFAULT"),
    ("RESET application_name", f"RESET {OWN}"),
    ("SHOW application_name", f"SHOW {OWN}"),
    ('SHOW "Application_Name"', f"SHOW {OWN}"),
    ("SELECT current_setting('application_name')", f"SELECT current_setting('{OWN}')"),
    ("SELECT pg_catalog.current_setting('Application_Name'::text, true) AS a", f"SELECT pg_catalog.current_setting('{OWN}'::text, true) AS a"),
    ("SELECT current_setting(E'application\\x5fname') || '!'", f"SELECT current_setting('{OWN}') || '!'"),
    ("SELECT current_setting($$application_name$$)", f"SELECT current_setting('{OWN}')"),
    ("SELECT current_setting('appli'\n'cation_name')", f"SELECT current_setting('{OWN}')"),
    ("SELECT set_config('application_name', 'x', true)", f"SELECT set_config('{OWN}', 'x', true)"),
    (f"SELECT set_config('application_name', '{PAN}', false)", f"SELECT set_config('{OWN}', '****************', false)"),
    ("SELECT set_config('application_name', $1, false)", f"SELECT set_config('{OWN}', $1, false)"),
    ("PREPARE p AS SELECT current_setting('application_name')", f"PREPARE p AS SELECT current_setting('{OWN}')"),
    ("INSERT INTO orders(id) SELECT length(current_setting('application_name'))", f"INSERT INTO orders(id) SELECT length(current_setting('{OWN}'))"),
    ("DECLARE c CURSOR FOR SELECT current_setting('application_name')", f"DECLARE c CURSOR FOR SELECT current_setting('{OWN}')"),
    ("COPY (SELECT current_setting('application_name')) TO STDOUT", f"COPY (SELECT current_setting('{OWN}')) TO STDOUT"),
    ("EXPLAIN SELECT current_setting('application_name')", f"EXPLAIN SELECT current_setting('{OWN}')"),
]  # fmt: skip
UNTOUCHED = [
    "SELECT 'application_name'",
    "SELECT other.current_setting('application_name')",
    "SHOW work_mem",
    "SET work_mem = '8MB'",
    "SELECT current_setting('work_mem')",
    "CREATE VIEW v AS SELECT current_setting('application_name')",
    "CREATE TABLE t(a text DEFAULT current_setting('application_name'))",
    "RESET ALL",
    "DISCARD ALL",
]


@pytest.mark.parametrize(("sql", "sent"), SENT)
def test_what_names_the_application_names_the_agents_own(sql: str, sent: str) -> None:
    for posture in (OPEN, rules.case_posture()):
        assert rewrite(one(sql, posture=posture), Obligations(), catalog(), posture).text == sent


@pytest.mark.parametrize("sql", UNTOUCHED)
def test_everything_else_and_every_definition_is_left_as_it_is(sql: str) -> None:
    assert rewrite(one(sql, posture=OPEN), Obligations(), catalog(), OPEN).text == sql


@pytest.mark.parametrize(
    "sql",
    [
        "SET application_name FROM CURRENT",
        "SET application_name = a, b",
        "SELECT current_setting(U&'application!005fname' UESCAPE '!')",
        "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'application_name'",
    ],
)
def test_what_cannot_be_sent_under_the_other_name_is_refused(sql: str) -> None:
    with pytest.raises(Refused):
        rewrite(one(sql, posture=OPEN), Obligations(), catalog(), OPEN)


@pytest.mark.parametrize(
    ("sql", "tag", "move"),
    [
        ("SET application_name = 'x'", "SET", Set("x")),
        ("SET LOCAL application_name = 'x'", "SET", Set("x", local=True)),
        ("RESET application_name", "RESET", Set(None)),
        ("SET LOCAL application_name TO DEFAULT", "SET", Set(None, local=True)),
        ("RESET ALL", "RESET", Set(None)),
        ("DISCARD ALL", "DISCARD ALL", Set(None)),
        ("DISCARD PLANS", "DISCARD PLANS", None),
        ("SELECT set_config('application_name', 'é', true)", "SELECT 1", Set("??", local=True)),
        ("SELECT set_config('application_name', $1, true)", "SELECT 1", None),
        ("SELECT set_config('application_name', 'x', true), 1", "SELECT 1", None),
        ("SELECT 1", "SELECT 1", None),
        ("BEGIN", "BEGIN", None),
        ("SAVEPOINT s", "SAVEPOINT", Passed(Point.SAVE, "s")),
        ("ROLLBACK TO s", "ROLLBACK", Passed(Point.BACK, "s")),
        ("RELEASE s", "RELEASE", Passed(Point.RELEASE, "s")),
        ("COMMIT", "COMMIT", Passed(Point.COMMIT)),
        ("COMMIT", "ROLLBACK", Passed(Point.ROLLBACK)),
        ("END", "COMMIT", Passed(Point.COMMIT)),
        ("ABORT", "ROLLBACK", Passed(Point.ROLLBACK)),
        ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION", Passed(Point.COMMIT)),
    ],
)
def test_what_a_statement_did_to_the_name_is_read_from_it(sql: str, tag: str, move: Move | None) -> None:
    assert move_of(one(sql, posture=OPEN).tree, tag, 150000) == move


def test_only_a_show_of_the_name_has_another_column() -> None:
    assert [is_shown(found.tree) for found in read("SHOW application_name; SHOW work_mem; SELECT 1", OPEN)] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("version", [150000, HEX_ESCAPES])
@pytest.mark.parametrize("space", ["\u00a0", "\u2009", "\u200b", " ", ",", "_"])
def test_a_card_number_in_a_name_goes_before_what_parts_its_digits_is_no_space_any_more(
    space: str, version: int
) -> None:
    kept = stored(f"app {space.join(['4111', '1111', '1111', '1111'])}", version)
    assert "1111" not in kept
    assert kept.startswith("app *")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80))
def test_a_name_is_stored_in_ascii_whatever_it_was(name: str) -> None:
    for version in (150000, HEX_ESCAPES):
        kept = stored(name, version)
        assert kept.isascii()
        assert kept.isprintable()
        assert version >= HEX_ESCAPES or len(kept) <= 63
