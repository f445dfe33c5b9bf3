"""What a statement does to its session, and which settings it touches."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from gateway.sql import model
from tests.sql.payments import OPEN, hazards, one


@pytest.mark.parametrize(
    ("sql", "effect"),
    [
        ("BEGIN", model.Begin()), ("COMMIT", model.Begin()), ('PREPARE "P" AS SELECT 1', model.Prepare("P")),
        ("EXECUTE p", model.Execute("p")), ("DEALLOCATE p", model.Deallocate("p")), ("DEALLOCATE ALL", model.Deallocate(None)),
        ("DECLARE c CURSOR FOR SELECT 1", model.Declare("c")), ("CLOSE c", model.CloseCursor("c")), ("CLOSE ALL", model.CloseCursor(None)),
        ("DISCARD ALL", model.Discard()), ("DISCARD PLANS", None), ("SELECT 1", None), ("INSERT INTO notes DEFAULT VALUES", None),
        ("SET querywarden.purpose = 'x'", model.Say("purpose", "x")), ("SET QueryWarden.Ticket TO 'INC-1'", model.Say("ticket", "INC-1")),
        ("CREATE TABLE t ()", model.ChangeSchema()), ("DROP TABLE t", model.ChangeSchema()), ("SELECT 1 INTO x", model.ChangeSchema()),
        ("GRANT SELECT ON notes TO public", model.ChangeSchema()), ("CREATE TEMP TABLE t AS SELECT 1", model.ChangeSchema()),
    ],
)  # fmt: skip
def test_a_statement_has_its_effect(sql: str, effect: model.Effect) -> None:
    assert one(sql).effect == effect


def test_what_an_agent_says_is_not_shown() -> None:
    assert "secret" not in repr(one("SET querywarden.reason = 'secret'").effect)


@pytest.mark.parametrize(
    ("sql", "settings"),
    [
        ("SET work_mem = '1MB'", ("work_mem",)), ("SET LOCAL Work_Mem TO 1", ("work_mem",)), ("SHOW work_mem", ("work_mem",)),
        ("SET TIME ZONE 'UTC'", ("timezone",)), ("RESET ALL", ("all",)), ("SET ROLE x", ("role",)),
        ("SET TRANSACTION READ ONLY", ("transaction_read_only",)),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
         ("default_transaction_isolation", "default_transaction_read_only")),
        ("SET TRANSACTION SNAPSHOT 'x'", ("transaction snapshot",)),
        ("SELECT set_config('Work_Mem', '1', true)", ("work_mem",)), ("SELECT pg_catalog.set_config('a.b', '1', true)", ("a.b",)),
        ("SELECT 1", ()), ("ALTER ROLE x SET work_mem = 1", ("work_mem",)),
    ],
)  # fmt: skip
def test_settings_are_named(sql: str, settings: tuple[str, ...]) -> None:
    assert one(sql).statement.settings == settings


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SET search_path = $user", "statement.unanalysable"), ("SET LOCAL SCHEMA 'x'", "setting.pinned"), ("SET NAMES 'latin1'", "setting.pinned"),
        ("SET standard_conforming_strings = off", "setting.pinned"), ("SET SESSION AUTHORIZATION x", "setting.pinned"),
        ("SET session_replication_role = replica", "setting.pinned"), ("SET local_preload_libraries = 'x'", "setting.pinned"), ("SET transform_null_equals = on", "setting.pinned"),
        ("SELECT set_config('role', 'x', false)", "setting.pinned"), ("SELECT set_config($1, 'x', false)", "setting.not_literal"),
        ("SELECT set_config(setting_name => 'role', new_value => 'x', is_local => false)", "setting.not_literal"),
        ("SELECT set_config()", "setting.not_literal"),
    ],
)  # fmt: skip
def test_pinned_and_computed_settings_are_hazards(sql: str, code: str) -> None:
    assert code in hazards(sql)


@pytest.mark.parametrize(
    ("sql", "held"),
    [
        ("SET client_encoding = 'SQL_ASCII'", True), ("SET NAMES 'latin1'", True), ("SET NAMES 'utf8'", False),
        ("SELECT set_config('standard_conforming_strings', 'off', false)", True), ("SET ROLE x", True),
        ("SET search_path = public", False), ("SET xmloption = document", False),
    ],
)  # fmt: skip
def test_open_posture_still_pins_who_the_session_is_and_how_its_bytes_are_read(sql: str, held: bool) -> None:  # noqa: FBT001 -- a case
    assert ("setting.pinned" in hazards(sql, posture=OPEN)) is held


@pytest.mark.parametrize("sql", ["SET NAMES 'utf8'", "SET standard_conforming_strings TO on", "SET ROLE none", "SET work_mem = 1", "RESET search_path"])  # fmt: skip
def test_setting_what_holds_already_is_none(sql: str) -> None:
    assert hazards(sql) == []
