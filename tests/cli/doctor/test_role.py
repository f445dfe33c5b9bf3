"""Each power the gateway's role should not have is found in a real database, with the SQL that takes it away."""

import pytest

from gateway.cli.doctor import database
from gateway.cli.doctor.result import Result
from gateway.cli.doctor.role import POWER, PROBE, judge, quoted
from gateway.core.clock import SystemClock
from gateway.upstream.target import Target
from tests.cli.doctor import world
from tests.support.postgres import Cluster


def target(user: str = "gateway_app") -> Target:
    return Target(name="payments", host="h", port=5432, database="Pay", user=user, password=lambda: "")


async def looked(cluster: Cluster, name: str, user: str = "agent_ro") -> list[Result]:
    results = await database.look(world.target(cluster, name, user), SystemClock(), 30)
    return [result for result in results if result.probe == PROBE]


async def test_a_role_without_powers_is_fine(cluster: Cluster, tidy: str) -> None:
    (result,) = await looked(cluster, tidy)
    assert result.status == "fine"
    assert result.text == "agent_ro is no superuser, reaches no server files, has no dblink and no TEMP"


@pytest.mark.parametrize(
    ("grant", "revoke", "status", "words"),
    [
        ("GRANT TEMPORARY ON DATABASE {db} TO agent_ro", "", "no", "temporary tables"),
        ("CREATE EXTENSION dblink", "", "no", "dblink of schema public"),
        (
            "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO agent_ro",
            "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM agent_ro",
            "no",
            "pg_read_file",
        ),
        ("GRANT pg_read_all_data TO agent_ro", "REVOKE pg_read_all_data FROM agent_ro", "note", "pg_read_all_data"),
        ("ALTER ROLE agent_ro BYPASSRLS", "ALTER ROLE agent_ro NOBYPASSRLS", "note", "row level security"),
        ("ALTER ROLE agent_ro CREATEROLE", "ALTER ROLE agent_ro NOCREATEROLE", "note", "create roles"),
        ("ALTER ROLE agent_ro REPLICATION", "ALTER ROLE agent_ro NOREPLICATION", "no", "stream"),
        ("GRANT postgres TO agent_ro", "REVOKE postgres FROM agent_ro", "no", "is a superuser (through postgres)"),
    ],
)
async def test_a_power_is_found_while_the_role_has_it(  # noqa: PLR0913 -- the table's columns and two fixtures
    grant: str, revoke: str, status: str, words: str, *, cluster: Cluster, tidy: str
) -> None:
    cluster.run(grant.format(db=f'"{tidy}"'), tidy)
    try:
        results = await looked(cluster, tidy)
    finally:
        cluster.run(revoke, tidy)
    assert [result.text for result in results if result.status == status and words in result.text]


async def test_the_files_of_the_server_are_reached_by_membership(cluster: Cluster, tidy: str) -> None:
    assert [(result.status, result.remedy) for result in await looked(cluster, tidy, "agent_files")] == [
        ("no", f"REVOKE {name} FROM agent_files")
        for name in ("pg_execute_server_program", "pg_read_server_files", "pg_write_server_files")
    ]


def test_of_a_superuser_nothing_else_is_said() -> None:
    (result,) = judge(target(), [("superuser", "postgres"), ("temp", "Pay"), ("files", "pg_read_server_files")])
    assert result.text == "gateway_app is a superuser (through postgres)"


def test_names_in_a_remedy_are_quoted_where_they_must_be() -> None:
    (result,) = judge(target('odd"user'), [("temp", "Pay")])
    assert result.remedy == 'REVOKE TEMPORARY ON DATABASE "Pay" FROM PUBLIC, "odd""user"'
    assert (quoted("plain_1"), quoted("Not Plain")) == ("plain_1", '"Not Plain"')


def test_every_power_has_words_that_can_be_filled_in() -> None:
    for power in POWER:
        for result in judge(target(), [(power, "thing")]):
            assert "{" not in result.text + result.remedy
