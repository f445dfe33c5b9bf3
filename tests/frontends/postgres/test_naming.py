"""application_name, set and read every way there is, brings what the server itself would bring; there it names us."""
# ruff: noqa: E501 -- a table of scripts

import asyncio
import ssl
from collections.abc import Mapping, Sequence

import asyncpg  # type: ignore[import-untyped]  # it has none
import psycopg
import pytest

from gateway.core.blanking import clean_words
from gateway.core.disguised import find_any
from tests.frontends.world import World
from tests.support.card_forms import TEXTS
from tests.support.postgres import password_of
from tests.support.rawpg import SYNC, Message, RawClient, bind, describe, error, execute, parse, query, rows

CARD = "4111111111111111"
SHOW = "SHOW application_name"


def run(sql: str) -> bytes:
    return parse(sql) + bind() + describe() + execute()


SCRIPTS: Mapping[str, Sequence[bytes]] = {
    "set and shown": [query("SET application_name = 'tool'"), query(SHOW), query("RESET application_name"), query(SHOW)],
    "extended": [run("SET application_name TO 'tool'") + SYNC, run(SHOW) + SYNC, parse(SHOW, "s") + describe("S", "s") + SYNC],
    "read in expressions": [query("SET application_name = 'tool'"), query("SELECT current_setting('application_name'), upper(current_setting('application_name')) AS u")],
    "set_config": [query("SELECT set_config('application_name', 'tool', false)"), query("SELECT set_config('application_name', 'here', true), 1"), query(SHOW)],
    "a transaction rolled back": [query("BEGIN"), query("SET application_name = 'a'"), query("SAVEPOINT s"), query("SET application_name = 'b'"), query("ROLLBACK TO s"), query(SHOW), query("ROLLBACK"), query(SHOW)],
    "a transaction that fails": [query("BEGIN"), query("SET application_name = 'a'"), query("SELECT 1/0"), query("COMMIT"), query(SHOW)],
    "an error behind a savepoint": [query("BEGIN"), query("SET application_name = 'a'"), query("SAVEPOINT s"), query("SET application_name = 'b'"), query("SELECT 1/0"), query("ROLLBACK TO s"), query("COMMIT"), query(SHOW)],
    "local": [query("BEGIN"), query("SET LOCAL application_name = 'a'"), query(SHOW), query("SET application_name = 'b'"), query("SET LOCAL application_name = 'c'"), query("COMMIT"), query(SHOW)],
    "released": [query("BEGIN"), query("SAVEPOINT s"), query("SET application_name = 'a'"), query("RELEASE s"), query("COMMIT"), query(SHOW)],
    "several in one message": [query("SET application_name = 'a'; SELECT 1; SET application_name = 'b'"), query("SET application_name = 'c'; SELECT 1/0"), query(SHOW), query("BEGIN; SET application_name = 'd'; COMMIT; SET application_name = 'e'; SELECT 1/0"), query(SHOW)],
    "in a pipeline": [run("SET application_name = 'a'") + run(SHOW) + SYNC, run("SET application_name = 'b'") + run("SELECT 1/0") + run("SET application_name = 'c'") + SYNC, query(SHOW)],
    "everything reset": [query("SET application_name = 'a'"), query("DISCARD ALL"), query(SHOW), query("SET application_name = 'a'"), query("RESET ALL"), query(SHOW)],
    "long and in other letters": [query(f"SET application_name = '{'é' * 40}'"), query(SHOW), query("SET application_name = 'tab\there'"), query(SHOW)],
    "to default and empty": [query("SET application_name = ''"), query(SHOW), query("SET application_name TO DEFAULT"), query(SHOW), query("SET application_name = 5"), query(SHOW)],
    "prepared": [query("PREPARE p AS SELECT current_setting('application_name')"), query("SET application_name = 'a'"), query("EXECUTE p"), query("DEALLOCATE p")],
    "a missing setting": [query("SHOW application_nam"), query("SELECT current_setting('application_nam')")],
}  # fmt: skip


def play(client: RawClient, script: Sequence[bytes]) -> list[tuple[str, object]]:
    seen: list[Message] = []
    for step in (*script, query("SELECT 'the end'")):
        seen += client.ask(step)
    return [(m.kind, {f: m.fields.get(f) for f in "SCM"} if m.kind in "EN" else m.body) for m in seen]


def without_cut(seen: list[tuple[str, object]]) -> list[tuple[str, object]]:
    """The server gives a notice when it cuts a name; sent is the cut one."""
    return [m for m in seen if not (m[0] == "N" and isinstance(m[1], dict) and m[1]["C"] == "42622")]


@pytest.mark.parametrize("connection", ["payments", "scratch"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_name_behaves_as_it_does_without_us(world: World, connection: str, script: str) -> None:
    with world.raw(connection) as through, world.raw_direct(connection) as direct:
        assert play(through, SCRIPTS[script]) == without_cut(play(direct, SCRIPTS[script]))


@pytest.mark.parametrize("connection", ["payments", "scratch"])
def test_on_the_server_the_session_keeps_its_own_name(world: World, connection: str) -> None:
    with world.raw(connection, application_name="tool") as client:
        assert rows(client.ask(query(SHOW))) == [[b"tool"]]
        for text in (
            "SET application_name = 'x'",
            "SELECT set_config('application_name', 'y', false)",
            "DISCARD ALL",
            "RESET ALL",
        ):
            assert not error(client.ask(query(text)))
            with world.direct() as direct:
                named = direct.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [f"qw/{world.sid()}"]
                )
                assert named.fetchall() == [(1,)]
        assert rows(client.ask(query(SHOW))) == [[b"tool"]]


def test_policy_sees_the_name_an_agent_has_set(world: World) -> None:
    with world.raw(application_name="psql") as client:
        for text in (
            "SET application_name = 'billing'",
            "BEGIN",
            "SET LOCAL application_name = 'other'",
            "SELECT 1",
            "ROLLBACK",
            "SELECT 2",
        ):
            client.ask(query(text))
    assert [asked.context.application for asked in world.policy.asked] == [
        "psql",
        "billing",
        "billing",
        "other",
        "other",
        "billing",
    ]


def test_a_card_number_in_a_name_reaches_no_log(world: World) -> None:
    with world.raw(application_name=f"card {CARD}") as client:
        assert rows(client.ask(query(SHOW))) == [[b"card ****************"]]
        for text in (
            f"SET application_name = '{CARD}'",
            f"SELECT set_config('application_name', '{CARD[:4]}-{CARD[4:8]}-{CARD[8:12]}-{CARD[12:]}', false)",
        ):
            client.ask(query(text))
            assert b"****" in (rows(client.ask(query(SHOW)))[0][0] or b"")
    assert CARD not in repr([event.data for event in world.log.events])
    lines = [
        line
        for line in world.cluster.log.read_text(errors="replace").splitlines()
        if f"@{world.databases['payments']} " in line and "application" in line
    ]
    assert len(lines) > 3
    assert CARD not in "".join(lines)
    assert "4111-1111" not in "".join(lines)


def test_code_of_the_database_that_renames_the_session_ends_it(world: World) -> None:
    """Its lines in the server's log could no longer be told from those of somebody who went round us."""
    world.cluster.run(
        "CREATE OR REPLACE FUNCTION renames() RETURNS void LANGUAGE sql AS $$SELECT set_config('application_name', 'x', false)$$",
        world.databases["payments"],
    )
    world.until(lambda: _knows(world))
    with world.raw() as client:
        client.send(query("SELECT renames()"))
        assert error(client.read_to("E"))["M"].endswith("moved: application_name")


def _knows(world: World) -> bool:
    async def reload() -> bool:
        await world.house.keepers["payments"].reload()
        return True

    return world.do(reload())


async def _asyncpg(**where: object) -> list[object]:
    connection = await asyncpg.connect(**where, server_settings={"application_name": "tool"})
    try:
        seen = [
            connection.get_settings().application_name,
            await connection.fetchval("SELECT current_setting('application_name')"),
        ]
        await connection.execute("SET application_name = 'other'")
        seen += [connection.get_settings().application_name, await connection.fetchval(SHOW)]
        async with connection.transaction():
            await connection.execute("SET LOCAL application_name = 'inner'")
            seen.append(connection.get_settings().application_name)
        seen.append(connection.get_settings().application_name)
        await connection.reset()
        return [*seen, connection.get_settings().application_name]
    finally:
        await connection.close()


def test_asyncpg_sees_what_it_sees_without_us(world: World) -> None:
    through = ssl.create_default_context(cafile=str(world.tls.ca))
    direct = ssl.create_default_context(cafile=str(world.cluster.tls.ca))
    ours = _asyncpg(
        host="127.0.0.1", port=world.port, user="agent", password=world.token(), database="payments", ssl=through
    )
    theirs = _asyncpg(
        host="127.0.0.1",
        port=world.cluster.port,
        user="agent_rw",
        password=password_of("agent_rw"),
        database=world.databases["payments"],
        ssl=direct,
    )
    expected = ["tool", "tool", "other", "other", "inner", "other", "tool"]
    assert asyncio.run(ours) == asyncio.run(theirs) == expected


def test_psycopg_sees_what_it_sees_without_us(world: World) -> None:
    def seen(connection: psycopg.Connection) -> list[object]:
        found: list[object] = [connection.info.parameter_status("application_name")]
        connection.execute("SET application_name = 'other'")
        with connection.transaction():
            connection.execute("SET LOCAL application_name = 'inner'")
            found.append(connection.info.parameter_status("application_name"))
        found += connection.execute("SELECT current_setting('application_name'), %s", ["x"]).fetchall()
        return [*found, connection.info.parameter_status("application_name")]

    with world.connect(application_name="tool") as ours:
        through = seen(ours)
    with psycopg.connect(
        world.cluster.conninfo(world.databases["payments"], "agent_rw"), application_name="tool", autocommit=True
    ) as theirs:
        assert through == seen(theirs) == ["tool", "inner", ("other", "x"), "other"]


def test_in_another_form_it_reaches_neither_policy_nor_what_the_agent_is_told(world: World) -> None:
    with world.raw() as client:
        for form in ("base64, second alignment", "one percent sign", "hexadecimal"):
            written = TEXTS[form](CARD)
            answer = client.ask(query(f"SET application_name = '{written}'"))
            client.ask(query("SELECT 1"))
            assert world.policy.asked[-1].context.application == clean_words(written)[:63] != written
            assert not any(find_any(message.body) for message in answer)
