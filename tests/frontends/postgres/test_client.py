"""What clients send, as bytes: broken, unknown, oversize and misplaced messages, COPY, and leaving."""

import socket
import struct
from collections.abc import Callable

import pytest

from gateway.core.events import EventType
from tests.frontends.world import World
from tests.support import rawpg
from tests.support.rawpg import FLUSH, SYNC, TERMINATE, RawClient, bind, execute, kinds, message, parse, query, status

COPY_IN = "COPY notes(body) FROM STDIN"
DATA, DONE, FAIL = message("d", b"a row\n"), message("c"), message("f", b"changed my mind\0")


def refused(world: World) -> list[object]:
    return [event.data["code"] for event in world.log.of(EventType.MESSAGE_REFUSED)]


@pytest.mark.parametrize(
    ("broken", "code", "sqlstate"),
    [
        (message("Q", b"SELECT '\xff'\0"), "wire.encoding", "22021"),
        (message("Q", b"SELECT 'a\0b'\0"), "wire.malformed", "08P01"),
        (message("Q", b"SELECT 1"), "wire.malformed", "08P01"),
        (message("F", struct.pack(">IHHHH", 1598, 0, 0, 0, 0)), "wire.function_call", "42501"),
        (message("F", b"\0"), "wire.malformed", "08P01"),
    ],
)
def test_a_broken_simple_message_is_an_error_and_the_session_goes_on(
    world: World, broken: bytes, code: str, sqlstate: str
) -> None:
    with world.raw() as client:
        for _ in range(2):  # at rest without a server connection, and in a transaction
            seen = client.ask(broken)
            assert kinds(seen) == "EZ"
            assert rawpg.error(seen)["C"] == sqlstate
            client.ask(query("BEGIN"))
        assert status(client.ask(broken)) == "E"
        assert status(client.ask(query("ROLLBACK"))) == "I"
    assert refused(world) == [code] * 3


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (message("P", b"\0SELECT '\xff'\0\0\0"), "wire.encoding"),
        (message("P", b"\0SELECT 1\0"), "wire.malformed"),
        (message("P", b"\0SELECT 1\0\0\2\0\0\0\1"), "wire.malformed"),
        (message("B", b"\0\0\0\0\xff\xff"), "wire.malformed"),
        (message("B", b"\0\0\0\0\0\1\x7f\xff\xff\xff\0\0"), "wire.malformed"),
        (message("E", b"\0"), "wire.malformed"),
        (message("D", b"X\0"), "wire.malformed"),
        (message("C", b"S"), "wire.malformed"),
        (parse("SELECT 1; SELECT 2"), "statement.multiple"),
    ],
)
def test_a_broken_extended_message_is_skipped_to_sync(world: World, broken: bytes, code: str) -> None:
    with world.raw() as client:
        assert kinds(client.ask(broken + parse("SELECT 1") + bind() + SYNC)) == "EZ"
        client.ask(query("BEGIN"))
        seen = client.ask(broken + parse("SELECT 1") + bind() + SYNC)
        assert (kinds(seen), status(seen)) == ("EZ", "E")
        assert status(client.ask(query("ROLLBACK"))) == "I"
    assert refused(world) == [code] * 2


@pytest.mark.parametrize(
    ("bytes_", "code"),
    [
        (b"y\0\0\0\4", "wire.unknown_message"),
        (b"Q\0\0\0\3", "wire.malformed"),
        (b"Q\x7f\xff\xff\xff", "wire.message_too_long"),
        (b"Q\xff\xff\xff\xff", "wire.message_too_long"),
        (b"S\0\0\0\5\0", "wire.message_too_long"),
        (message("p", b"again\0"), "wire.unknown_message"),
        (message("W", b""), "wire.unknown_message"),
        (b"D" + struct.pack(">I", 1 << 20), "wire.message_too_long"),
    ],
)
def test_a_frame_that_lies_or_is_unknown_ends_the_session(world: World, bytes_: bytes, code: str) -> None:
    with world.raw() as client:
        sid = world.sid()
        client.ask(query("SELECT 1"))
        client.send(bytes_)
        seen = client.read_to_end()
        assert [m.kind for m in seen] == ["E"]
        assert seen[0].fields["S"] == "FATAL"
        assert seen[0].fields["C"] == "08P01"
        assert world.closed(sid).data["reason"] == code
    assert refused(world) == [code]


def test_copy_in_by_the_simple_protocol(world: World) -> None:
    with world.raw() as client:
        client.send(query(COPY_IN) + DATA + DATA + DONE)  # without waiting to be asked
        assert kinds(client.read_to("Z")) == "GCZ"
        client.send(query(COPY_IN))
        client.read_to("G")
        client.send(SYNC + DATA + FLUSH + SYNC + DATA + DONE)  # a Flush or a Sync is ignored in COPY
        assert kinds(client.read_to("Z")) == "CZ"
        client.send(query(COPY_IN))
        client.read_to("G")
        client.send(SYNC + DATA + FAIL)
        seen = client.read_to("Z")
        assert rawpg.error(seen)["C"] == "57014"
        assert kinds(client.ask(DATA + DONE + query("SELECT 1"))) == "TDCZ"  # COPY data outside COPY too


def test_copy_in_by_the_extended_protocol(world: World) -> None:
    with world.raw() as client:
        client.send(parse(COPY_IN) + bind() + execute() + SYNC)
        client.read_to("G")
        client.send(DATA * 3 + DONE + SYNC)
        assert kinds(client.read_to("Z")) == "CZ"
        client.send(parse(COPY_IN) + bind() + execute() + SYNC)
        client.read_to("G")
        client.send(DATA + FAIL + SYNC)
        assert kinds(client.read_to("Z")) == "EZ"
        assert kinds(client.ask(query("SELECT 1"))) == "TDCZ"


@pytest.mark.parametrize("end", [DONE + SYNC, FAIL + SYNC, SYNC])
def test_copy_in_that_fails_in_the_middle_is_skipped_to_sync(world: World, end: bytes) -> None:
    with world.raw() as client:
        client.send(parse("COPY orders(id) FROM STDIN") + bind() + execute() + SYNC)
        client.read_to("G")
        client.send(message("d", b"no number\n"))
        assert client.read_to("E")[-1].fields["C"] == "22P02"
        client.send(message("d", b"1\n") + end)
        assert kinds(client.read_to("Z")) == "Z"
        assert kinds(client.ask(query("SELECT 1"))) == "TDCZ"


def test_a_statement_during_copy_ends_the_session(world: World) -> None:
    with world.raw() as client:
        sid = world.sid()
        client.send(query(COPY_IN))
        client.read_to("G")
        client.send(query("SELECT 1"))
        assert client.read_to_end()[-1].fields["C"] == "08P01"
        assert world.closed(sid).data["reason"] == "wire.unexpected_message"


def _vanish(client: RawClient) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def _leave_in_mid_message(client: RawClient) -> None:
    client.send(query("SELECT 1")[:-3])
    client.close()


def _leave_a_long_statement(client: RawClient) -> None:
    client.send(query("SELECT count(*) FROM generate_series(1, 2000000000)"))
    client.close()


def _leave_a_copy(client: RawClient) -> None:
    client.send(query(COPY_IN) + DATA)
    client.close()


def _leave_a_flood_of_rows(client: RawClient) -> None:
    client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)"))
    _vanish(client)


@pytest.mark.parametrize(
    "leave",
    [RawClient.close, _vanish, _leave_in_mid_message, _leave_a_long_statement, _leave_a_copy, _leave_a_flood_of_rows],
)
def test_a_client_that_is_gone_takes_its_statement_with_it(world: World, leave: Callable[[RawClient], None]) -> None:
    with world.raw() as client:
        sid = world.sid()
        client.ask(query("SELECT 1"))
        leave(client)
        assert world.closed(sid).data["reason"] == "client.gone"
    world.until(lambda: not _activity(world, sid))


def test_a_client_that_says_good_bye_has_gone_in_order(world: World) -> None:
    with world.raw() as client:
        sid = world.sid()
        client.ask(query("SELECT 1"))
        client.send(TERMINATE)
        assert client.read_to_end() == []
        closed = world.closed(sid)
    assert closed.data == {"reason": "client.terminated", "statements": 1, "denied": 0}
    world.until(lambda: not _activity(world, sid))


def _activity(world: World, sid: str) -> list[tuple[object, ...]]:
    with world.cluster.connect() as connection:
        sql = "SELECT pid, state FROM pg_stat_activity WHERE application_name = %s"
        return connection.execute(sql, [f"qw/{sid}"]).fetchall()


def test_statements_in_one_flight_with_the_password_are_answered(world: World) -> None:
    with RawClient(world.port) as client:
        client.start_tls(world.tls.ca)
        client.send(rawpg.startup({"user": "agent", "database": "payments"}))
        client.read_to("R")
        client.send(message("p", rawpg.text(world.token())) + query("SELECT 1") + query("SELECT 2"))
        assert kinds(client.read_to("Z")).endswith("KZ")
        assert kinds(client.read_to("Z") + client.read_to("Z")) == "TDCZTDCZ"


def test_a_client_that_sends_thousands_of_messages_at_once_leaves_others_their_turn(world: World) -> None:
    count = 10_000
    flight = parse("SELECT 1", "s") + (bind(name="s") + execute()) * count + SYNC
    with world.raw() as busy, world.raw() as other:
        other.ask(query("SELECT 1"))
        busy.send(flight)
        world.until(lambda: len(world.log.of(EventType.STATEMENT_DECIDED)) > 100)
        assert kinds(other.ask(query("SELECT 1"))) == "TDCZ"
        before = len(world.log.of(EventType.STATEMENT_DECIDED))
        assert kinds(busy.read_to("Z")) == "1" + "2DC" * count + "Z"
        assert before < count
