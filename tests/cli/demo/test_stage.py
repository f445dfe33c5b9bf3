"""The stage speaks to a real server as an agent does, and tells rows, notices and errors as they came."""

from pathlib import Path

import pytest

from gateway.cli.demo.cluster import Cluster
from gateway.cli.demo.stage import Answer, Stage
from tests.cli.demo.conftest import TOKEN


@pytest.fixture
def stage(demo_server: Cluster, demo_folder: Path) -> Stage:
    (demo_folder / "tokens").mkdir(exist_ok=True)
    (demo_folder / "tokens" / "agent").write_text(TOKEN + "\n", encoding="ascii")
    return Stage(folder=demo_folder, port=demo_server.port, agents=("agent",))


def test_rows_come_with_their_names(stage: Stage) -> None:
    answer = stage.ask("agent", "SELECT id, country FROM customers WHERE id = 1")
    assert (answer.names, answer.rows, answer.sqlstate) == (["id", "country"], [(1, "DE")], "")


def test_the_answer_is_the_last_statements_and_an_error_before_it_does_not_end_the_connection(stage: Stage) -> None:
    assert stage.ask("agent", "DROP TABLE cards", "SELECT 1 AS one").rows == [(1,)]


def test_an_error_has_its_sqlstate_and_its_lines(stage: Stage) -> None:
    answer = stage.ask("agent", "DO $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = 'why', HINT = 'how'; END $$")
    assert answer.sqlstate == "P0001"
    assert answer.error == "ERROR: no\nDETAIL: why\nHINT: how"


def test_notices_are_those_of_the_last_statement(stage: Stage) -> None:
    said = "DO $$ BEGIN RAISE NOTICE '{}'; END $$"
    assert stage.ask("agent", said.format("one"), said.format("two")).notices == ["two"]


def test_a_statement_without_rows_has_no_names(stage: Stage) -> None:
    assert stage.ask("agent", "SET application_name = 'x'") == Answer()


def test_a_refused_login_is_an_answer_too_and_does_not_name_the_server_twice(stage: Stage) -> None:
    answer = stage.ask_with("wrong", "SELECT 1")
    assert answer.sqlstate
    assert "password authentication failed" in answer.error
    assert "\n" not in answer.error


def test_our_own_commands_run_in_the_demos_folder(stage: Stage) -> None:
    assert stage.command("--version") == (0, "0.1.0\n")
