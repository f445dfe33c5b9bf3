"""From a server that does what none should do: nothing of it reaches the client unchecked, and the session ends."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.core.events import EventType
from gateway.core.site import Posture
from gateway.frontends.postgres.conversation import EndSession
from gateway.frontends.postgres.relay import ensure_upstream
from gateway.session.exchange import Entry, Wait
from gateway.session.task import Phase
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.fields import message, text
from tests.frontends.postgres.test_conversation import kinds
from tests.frontends.scripted import ServerModel, Stage, make_stage, play
from tests.session import fakes
from tests.support.rawpg import SYNC, TERMINATE, bind, describe, execute, parse, query

OPEN = Posture(guarded=False)
ROW = server.data_row([b"4111111111111111"])
COLUMN = server.row_description([server.Column(name="n", type_oid=25)])
DONE, READY = server.command_complete("SELECT 1"), server.ready_for_query(b"I")


class Liar(ServerModel):
    """Answers every Query or Execute with what it was given."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer

    def _query(self, text: str) -> bytes:
        self.received.append(("Q", text))
        return self.answer

    def _execute(self, name: str, most: int) -> bytes:
        del name, most
        return self.answer


def shown(model: ServerModel, script: bytes, posture: Posture | None = None) -> tuple[bytes, Stage]:
    async def run() -> tuple[bytes, Stage]:
        stage = make_stage(model, posture=posture)
        model.see = lambda _kind, _text: None
        return await play(stage, [script + SYNC + TERMINATE]), stage

    return asyncio.run(run())


def reason(stage: Stage) -> object:
    return stage.log.of(EventType.SESSION_CLOSED)[0].data["reason"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (ROW + DONE + READY, "upstream.unexpected_message"),
        (message(b"W", b"\0\0\0"), "upstream.unexpected_message"),
        (message(b"V", b"\xff\xff\xff\xff"), "upstream.unexpected_message"),
        (message(b"R", b"\0\0\0\3"), "upstream.unexpected_message"),
        (server.PARSE_COMPLETE, "upstream.unexpected_message"),
        (READY, "upstream.unexpected_message"),
        (COLUMN + ROW + DONE + DONE + READY, "upstream.unexpected_message"),
        (b"?\0\0\0\4", "upstream.malformed"),
        (COLUMN + DONE + message(b"Z", b"X"), "upstream.malformed"),
        (message(b"T", b"\0\2"), "upstream.malformed"),
        (message(b"E", b"S"), "upstream.malformed"),
        (b"T\x7f\xff\xff\xff", "upstream.message_too_long"),
        (server.parameter_status("client_encoding", "LATIN1"), "upstream.unpinned"),
        (server.parameter_status("standard_conforming_strings", "off"), "upstream.unpinned"),
    ],
)
def test_a_message_that_cannot_come_there_ends_the_session_with_its_reason(answer: bytes, code: str) -> None:
    seen, stage = shown(Liar(answer), query("SELECT 1"))
    assert reason(stage) == code
    assert b"4111111111111111" not in seen
    last, _ = kinds(seen)[-1]
    assert last == "E"
    assert b"SFATAL" in seen
    assert b"C08006" in seen


def test_rows_that_were_not_described_are_not_shown_in_the_extended_protocol_either() -> None:
    class Silent(Liar):
        def _about(self, kind: str, target: str, name: str) -> bytes:
            del kind, target, name
            return b""

    seen, stage = shown(Silent(ROW + DONE), parse("SELECT 1") + bind() + execute())
    assert reason(stage) == "upstream.unexpected_message"
    assert b"4111111111111111" not in seen


def test_a_describe_of_our_own_is_sent_once_and_its_answer_is_not_shown() -> None:
    sent: list[bytes] = []

    class Listening(ServerModel):
        def receive(self, data: bytes) -> bytes:
            sent.append(data)
            return super().receive(data)

    script = parse("SELECT 1", "a") + bind(name="a") + execute() + SYNC
    seen, _ = shown(Listening(), script + bind(name="a") + execute() + bind(name="a") + describe() + execute())
    assert "".join(kind for kind, _ in kinds(seen)) == "12DCZ2DC2TDCZ"
    assert b"".join(sent).count(describe()) == 2  # ours, and the client's


def test_what_only_somebody_could_have_made_is_dropped_in_guarded_posture_and_passed_in_open() -> None:
    secret = server.parameter_status("my.secret", "4111111111111111")
    note = message(b"A", b"\0\0\0\1", text("channel"), text("4111111111111111"))
    known = server.parameter_status("TimeZone", "UTC")
    answer = secret + note + known + COLUMN + DONE + READY
    guarded, _ = shown(Liar(answer), query("SELECT 1"))
    opened, _ = shown(Liar(answer), query("SELECT 1"), OPEN)
    assert "".join(kind for kind, _ in kinds(guarded)) == "STCZZ"
    assert "".join(kind for kind, _ in kinds(opened)) == "SASTCZZ"


def test_a_fatal_error_ends_the_session_and_gives_the_statement_its_outcome() -> None:
    fatal = server.error_response(severity="FATAL", sqlstate="57P01", message="bye")
    seen, stage = shown(Liar(fatal), query("SELECT 1"))
    assert reason(stage) == "upstream.fatal"
    assert b"C57P01" in seen
    (finished,) = stage.log.of(EventType.STATEMENT_FINISHED)
    assert finished.data["error"] == "57P01"


def test_card_numbers_are_blanked_in_rows_of_guarded_posture_only() -> None:
    answer = COLUMN + ROW + DONE + READY
    guarded, stage = shown(Liar(answer), query("SELECT 1"))
    opened, _ = shown(Liar(answer), query("SELECT 1"), OPEN)
    assert server.data_row([b"*" * 16]) in guarded
    assert ROW in opened
    assert stage.log.of(EventType.STATEMENT_FINISHED)[0].data["blanked"] == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_answers_of_two_queries_in_one_flight_belong_to_their_own_statements(order: Sequence[int]) -> None:
    texts = ["SELECT 1", "SELECT 1/0"]
    _, stage = shown(ServerModel(), b"".join(query(texts[n]) for n in order))
    outcomes = [event.outcome for event in stage.log.of(EventType.STATEMENT_FINISHED)]
    assert outcomes == [["done", "failed"][n] for n in order]


def test_a_session_that_ends_while_a_schema_is_read_has_recorded_what_the_statement_did() -> None:
    async def run() -> list[str]:
        model = ServerModel()
        stage = make_stage(model)
        model.see = lambda _kind, _text: None

        async def endless() -> None:
            stage.conversation.leave(EndSession("test.over"))
            await asyncio.sleep(3600)

        stage.keeper.reload = endless  # type: ignore[method-assign]  # a reading that does not end
        stage.conversation.void_catalog()
        await ensure_upstream(stage.conversation)
        task = stage.conversation.task(fakes.ruling(), Phase.QUERY)
        stage.conversation.send(Entry(Wait.QUERY, (task,)), query("SELECT 1"))
        await play(stage, [])
        return [event.outcome for event in stage.log.of(EventType.STATEMENT_FINISHED)]

    assert asyncio.run(run()) == ["done"]
