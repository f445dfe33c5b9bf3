"""Rows on their way out: a protected column the plan did not expect is never shown, numbers are blanked by column."""

import asyncio
from types import MappingProxyType

import msgspec
import psycopg
import pytest

from gateway.core.errors import ProtocolError
from gateway.core.events import EventType
from gateway.core.site import Posture
from gateway.frontends.postgres.results import check_columns, exempt_columns
from gateway.session.exchange import Entry, Step, Wait
from gateway.session.ground import Ground
from gateway.session.registry import Prepared, Space
from gateway.session.ruling import Ruling
from gateway.session.task import Phase, Task
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import Frame
from tests.frontends.scripted import ServerModel, make_stage, play
from tests.frontends.world import World
from tests.session import fakes
from tests.support.rawpg import SYNC, TERMINATE, bind, execute, parse, query, rows

PAN = (777, 3)
CATALOG = msgspec.structs.replace(fakes.EMPTY, protected=MappingProxyType({PAN: ("pan",)}))


def described(*columns: server.Column) -> Frame:
    return Frame(b"T", server.row_description(columns))


def ruling(*, raw: bool = False) -> Ruling:
    usual = fakes.ruling()
    assert usual.plan is not None
    plan = msgspec.structs.replace(usual.plan, expected_raw=frozenset({PAN}) if raw else frozenset())
    return Ruling("d", usual.understood, usual.verdict, Ground(CATALOG, Posture()), plan=plan)


COLUMN = server.Column(name="x", table_oid=777, attnum=3, type_oid=25)


@pytest.mark.parametrize("wait", [Wait.QUERY, Wait.DESCRIBE, Wait.EXECUTE])
async def test_a_protected_base_column_the_plan_did_not_expect_ends_the_session(wait: Wait) -> None:
    entry = Entry(wait, about=Prepared(ruling()))
    task = Task(ruling(), Phase.QUERY, 0) if wait is Wait.QUERY else None
    with pytest.raises(ProtocolError, match=r"result\.unexpected_column"):
        check_columns(make_stage(ServerModel()).conversation, described(COLUMN), Step(entry, task))


async def test_a_column_policy_cleared_may_come_and_is_not_scanned() -> None:
    task = Task(ruling(raw=True), Phase.QUERY, 0)
    conversation = make_stage(ServerModel()).conversation
    check_columns(
        conversation, described(server.Column(name="y", type_oid=23, format=1), COLUMN), Step(Entry(Wait.QUERY), task)
    )
    assert task.shape is not None
    assert task.shape.exempt == {1}
    assert task.shape.columns() == ((23, 1), (25, 0))


async def test_a_description_that_was_checked_is_known_again_and_any_other_is_checked() -> None:
    conversation = make_stage(ServerModel()).conversation
    about = Prepared(ruling())
    harmless = described(server.Column(name="y", type_oid=23))
    for _ in range(2):
        check_columns(conversation, harmless, Step(Entry(Wait.DESCRIBE, about=about)))
    assert about.shape is not None
    assert about.shape.types == (23,)
    first = about.shape
    check_columns(conversation, harmless, Step(Entry(Wait.DESCRIBE, about=about)))
    assert about.shape is first
    with pytest.raises(ProtocolError, match=r"result\.unexpected_column"):
        check_columns(conversation, described(COLUMN), Step(Entry(Wait.DESCRIBE, about=about)))
    assert about.shape is first


async def test_another_statement_does_not_profit_from_a_description_that_was_checked() -> None:
    conversation = make_stage(ServerModel()).conversation
    cleared, other = Prepared(ruling(raw=True)), Prepared(ruling())
    check_columns(conversation, described(COLUMN), Step(Entry(Wait.DESCRIBE, about=cleared)))
    with pytest.raises(ProtocolError, match=r"result\.unexpected_column"):
        check_columns(conversation, described(COLUMN), Step(Entry(Wait.DESCRIBE, about=other)))


def test_a_column_that_names_no_table_is_scanned() -> None:
    assert exempt_columns(ruling(raw=True), (server.Column(name="x", type_oid=25),), frozenset({PAN})) == frozenset()


def test_the_session_ends_before_the_first_row_of_such_a_column() -> None:
    class Leak(ServerModel):
        def _query(self, text: str) -> bytes:
            del text
            done = server.command_complete("SELECT 1") + server.ready_for_query(b"I")
            return server.row_description([COLUMN]) + server.data_row([b"4111111111111111"]) + done

    async def run() -> bytes:
        stage = make_stage(Leak())
        ground = Ground(CATALOG, Posture())

        async def standing() -> Ground:
            return ground

        stage.keeper.ground = standing  # type: ignore[method-assign]  # a catalog with a protected column
        shown = await play(stage, [query("SELECT 1") + SYNC + TERMINATE])
        assert stage.log.of(EventType.SESSION_CLOSED)[0].data["reason"] == "result.unexpected_column"
        return shown

    shown = asyncio.run(run())
    assert b"4111111111111111" not in shown
    assert b"C42501" in shown


def test_numbers_in_unlabelled_columns_are_blanked_so_that_clients_can_still_read_them(world: World) -> None:
    with world.connect() as connection:
        for binary in (False, True):
            row = connection.execute(
                "SELECT '4111111111111111'::text, '{\"n\": 4111111111111111}'::jsonb, 42::int8", binary=binary
            ).fetchone()
            assert row == ("*" * 16, {"n": 9999999999999999}, 42)
    finished = [event.data.get("blanked") for event in world.log.of(EventType.STATEMENT_FINISHED)]
    assert [count for count in finished if count] == [2, 2]


def test_copied_data_is_scanned_too(world: World) -> None:
    statement = "COPY (SELECT '4111111111111111'::text, 7) TO STDOUT"
    with world.connect() as connection, connection.cursor().copy(statement) as copy:
        assert [bytes(part) for part in copy] == [b"*" * 16 + b"\t7\n"]


def test_a_cleared_column_comes_as_it_is_by_every_way_and_through_cursors(world: World) -> None:
    world.policy.clear = ("pan",)
    sql = "SELECT pan FROM cards WHERE id = 1"
    with world.connect() as connection:
        for binary in (False, True):
            assert connection.execute(sql, binary=binary).fetchone() == ("4111111111111111",)
        connection.execute(f"PREPARE q AS {sql}")
        assert connection.execute("EXECUTE q").fetchone() == ("4111111111111111",)
        for protocol in ("simple", "extended"):
            with (
                connection.transaction(),
                connection.cursor(name=f"c {protocol}", binary=protocol != "simple") as cursor,
            ):
                cursor.execute(sql)
                assert cursor.fetchall() == [("4111111111111111",)]
    assert not [event for event in world.log.events if event.data.get("blanked")]


def test_a_fetch_may_show_what_its_own_cursor_was_cleared_for_and_not_another(world: World) -> None:
    """The second cursor is made behind the frontend's back, as if masking at the source had failed for it."""
    world.policy.clear = ("pan",)
    with world.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege) as ended:  # noqa: PT012 -- there
        connection.execute("BEGIN")
        connection.execute("DECLARE cleared CURSOR FOR SELECT pan FROM cards")
        world.policy.clear = ()
        connection.execute("DECLARE other CURSOR FOR SELECT pan FROM cards")
        assert connection.execute("FETCH 1 FROM other").fetchone() == ("************1111",)
        assert connection.execute("FETCH 1 FROM cleared").fetchone() == ("4111111111111111",)
        (conversation,) = world.reception.running.values()
        names = conversation.registry.confirmed[Space.PORTAL]
        names["cleared"] = names["other"]
        connection.execute("FETCH 1 FROM cleared")
    assert "4444" not in str(ended.value)
    assert world.closed(world.sid()).data["reason"] == "result.unexpected_column"


def test_a_prepared_fetch_is_described_anew_for_each_cursor_of_its_name(world: World) -> None:
    world.policy.clear = ("pan",)
    fetch = bind(portal="", name="f") + execute() + SYNC
    with world.raw() as client:
        client.ask(query("BEGIN; DECLARE c CURSOR FOR SELECT pan FROM cards WHERE id = 1"))
        assert rows(client.ask(parse("FETCH 1 FROM c", "f") + fetch)) == [[b"4111111111111111"]]
        client.ask(query("CLOSE c; DECLARE c CURSOR FOR SELECT '4111111111111111'::text"))
        assert rows(client.ask(fetch)) == [[b"*" * 16]]
