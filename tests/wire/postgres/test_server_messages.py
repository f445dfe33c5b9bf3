"""Messages of a server: what is built is parsed as it was meant; what cannot be read is the server's fault."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ProtocolError
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.fields import message
from gateway.wire.postgres.frames import DataRun, Frame
from gateway.wire.postgres.server_messages import Column

NAME = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
OID = st.integers(0, 2**32 - 1)
INT16 = st.integers(-(2**15), 2**15 - 1)
COLUMNS = st.lists(
    st.builds(
        Column,
        name=NAME,
        table_oid=OID,
        attnum=INT16,
        type_oid=OID,
        type_size=INT16,
        type_modifier=st.integers(-(2**31), 2**31 - 1),
        format=st.sampled_from([0, 1]),
    ),
    max_size=5,
)
VALUES = st.lists(st.none() | st.binary(max_size=20), max_size=5)
PARSERS: list[Callable[[Frame], object]] = [
    server.parse_authentication,
    server.parse_parameter_status,
    server.parse_backend_key,
    server.parse_ready_for_query,
    server.parse_row_description,
    server.parse_parameter_description,
    server.parse_diagnostic,
    server.parse_command_complete,
    server.parse_copy_response,
    server.parse_notification,
]


def frame(raw: bytes) -> Frame:
    return Frame(raw[:1], raw)


@given(columns=COLUMNS)
def test_a_row_description_round_trips(columns: list[Column]) -> None:
    assert server.parse_row_description(frame(server.row_description(columns))) == tuple(columns)


@given(oids=st.lists(OID, max_size=5), form=st.sampled_from([0, 1]), kind=st.sampled_from([b"G", b"H"]))
def test_descriptions_of_parameters_and_copies_round_trip(oids: list[int], form: int, kind: bytes) -> None:
    assert server.parse_parameter_description(frame(server.parameter_description(oids))) == tuple(oids)
    copy = server.parse_copy_response(frame(server.copy_response(kind, form, [form, form])))
    assert copy == server.CopyFormat(kind, form, (form, form))


@given(name=NAME, value=NAME, pid=OID, key=st.binary(min_size=4, max_size=256))
def test_what_a_session_begins_with_round_trips(name: str, value: str, pid: int, key: bytes) -> None:
    assert server.parse_parameter_status(frame(server.parameter_status(name, value))) == (name, value)
    assert server.parse_backend_key(frame(server.backend_key_data(pid, key))) == server.BackendKey(pid, key)


def test_authentication_requests_are_told_apart() -> None:
    offered = server.parse_authentication(frame(server.authentication_sasl(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"])))
    assert (offered.code, offered.mechanisms) == (server.SASL, ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"))
    assert server.parse_authentication(frame(server.AUTHENTICATION_OK)).code == server.OK
    assert server.parse_authentication(frame(server.AUTHENTICATION_CLEARTEXT_PASSWORD)).code == server.CLEARTEXT


@pytest.mark.parametrize("status", [server.IDLE, server.IN_TRANSACTION, server.FAILED])
def test_the_transaction_status_round_trips(status: bytes) -> None:
    assert server.parse_ready_for_query(frame(server.ready_for_query(status))) == status


def test_an_unknown_transaction_status_is_refused() -> None:
    with pytest.raises(ProtocolError):
        server.parse_ready_for_query(frame(server.ready_for_query(b"X")))


@pytest.mark.parametrize(
    ("tag", "rows"),
    [("SELECT 3", 3), ("INSERT 0 5", 5), ("COPY 0", 0), ("BEGIN", None), ("CREATE TABLE", None), ("", None)],
)
def test_the_count_of_rows_is_the_last_word_of_the_tag(tag: str, rows: int | None) -> None:
    assert server.parse_command_complete(frame(server.command_complete(tag))) == server.Completion(tag, rows)


@given(text=st.text(max_size=20), position=st.integers(0, 99))
def test_an_error_can_always_be_said(text: str, position: int) -> None:
    raw = server.error_response(sqlstate="42501", message="no", detail=text, hint="ask", position=position)
    found = server.parse_diagnostic(frame(raw))
    assert (found.kind, found.severity, found.sqlstate, found.message) == (b"E", "ERROR", "42501", "no")
    assert found.fields.get("P") == (str(position) if position else None)
    assert found.fields["H"] == "ask"


def test_a_notice_has_no_sqlstate_of_an_error_by_default() -> None:
    found = server.parse_diagnostic(frame(server.notice_response(message="masked")))
    assert (found.kind, found.severity, found.sqlstate) == (b"N", "NOTICE", "00000")
    assert "D" not in found.fields


def test_a_diagnostic_can_be_built_again_from_its_fields() -> None:
    raw = server.error_response(sqlstate="23505", message="twice")
    assert server.diagnostic(b"E", server.parse_diagnostic(frame(raw)).fields) == raw


def test_servers_older_than_9_6_give_only_the_translated_severity() -> None:
    assert server.parse_diagnostic(frame(server.diagnostic(b"E", {"S": "FEHLER"}))).severity == "FEHLER"


@given(content=st.binary(max_size=80), parser=st.sampled_from(PARSERS), kind=st.sampled_from([b"R", b"T", b"E"]))
def test_arbitrary_content_never_raises_anything_but_a_protocol_error(
    content: bytes, parser: Callable[[Frame], object], kind: bytes
) -> None:
    with suppress(ProtocolError):
        parser(frame(message(kind, content)))


@given(rows=st.lists(VALUES, max_size=6))
def test_rows_give_their_values_and_where_they_lie(rows: list[list[bytes | None]]) -> None:
    run = DataRun(b"D", b"".join(map(server.data_row, rows)), len(rows))
    assert [server.data_row_values(payload) for payload in run.payloads()] == [tuple(row) for row in rows]
    found = [(column, run.raw[start:stop]) for column, start, stop in server.cells(run.raw)]
    assert found == [(column, value) for row in rows for column, value in enumerate(row) if value]


@given(content=st.binary(max_size=40))
def test_a_row_is_refused_by_both_readers_or_by_none(content: bytes) -> None:
    raw = message(b"D", content)
    try:
        values = server.data_row_values(memoryview(raw)[5:])
    except ProtocolError:
        with pytest.raises(ProtocolError):
            list(server.cells(raw))
    else:
        assert [raw[start:stop] for _, start, stop in server.cells(raw)] == [value for value in values if value]


def test_a_notification_is_read() -> None:
    found = server.parse_notification(frame(message(b"A", b"\0\0\0\7", b"channel\0", b"payload\0")))
    assert (found.pid, found.channel, found.payload) == (7, "channel", "payload")


def test_messages_without_content_are_five_bytes() -> None:
    fixed = [
        server.EMPTY_QUERY_RESPONSE,
        server.PARSE_COMPLETE,
        server.BIND_COMPLETE,
        server.CLOSE_COMPLETE,
        server.NO_DATA,
        server.PORTAL_SUSPENDED,
        server.COPY_DONE,
    ]
    assert [raw[:1] for raw in fixed] == [b"I", b"1", b"2", b"3", b"n", b"s", b"c"]
    assert {raw[1:] for raw in fixed} == {b"\0\0\0\4"}


def test_reprs_show_no_text_of_the_database() -> None:
    raw = server.error_response(sqlstate="23505", message="Key (pan)=(4111111111111111) exists")
    assert "4111" not in repr(server.parse_diagnostic(frame(raw)))
