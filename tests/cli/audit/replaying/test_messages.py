"""Messages in plain data; rows by the columns and formats that hold for them."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.audit.replaying.messages import RECEIVED, SENT, Reading
from gateway.cli.audit.replaying.stream import Said, events
from gateway.wire.postgres import client_messages as client
from gateway.wire.postgres import server_messages as server
from tests.cli.audit.replaying.world import BINARY_ROW, COLUMNS, HOSTILE, session

DIDS = ("d1", "d2", "d3", "d4")


def of(sent: bool, raw: bytes) -> Said:  # noqa: FBT001 -- whose
    return Said(0, sent, 0, raw[:1], raw)


def test_a_session_reads_as_it_went() -> None:
    reading = Reading()
    read = [reading.read(event) for event in events(session(DIDS)) if isinstance(event, Said)]
    texts = [facts["text"] for facts in read if "text" in facts]
    assert texts == [f"SELECT id\nFROM t -- {HOSTILE}", "SELECT $1::int, $2", "COPY t FROM STDIN", "DROP TABLE t"]
    assert [facts["values"] for facts in read if "values" in facts] == [["1", HOSTILE], ["2", None], ["7", "seven"]]
    assert [facts["parameters"] for facts in read if "parameters" in facts] == [["7", None]]
    assert [facts["tag"] for facts in read if "tag" in facts] == ["SELECT 2", "SELECT 1", "COPY 1"]
    (error,) = [facts for facts in read if facts["type"] == "ErrorResponse"]
    assert (error["sqlstate"], error["message"], error["hint"]) == ("42501", "no", "ask")


def test_after_an_error_the_formats_of_what_was_skipped_do_not_count() -> None:
    reading = Reading()
    for raw in (client.bind("", "", [], [], [1]), client.execute(""), client.SYNC, client.query("SELECT 1")):
        reading.read(of(True, raw))  # noqa: FBT003 -- sent
    error = server.error_response(sqlstate="42P01", message="no")
    answers = (error, server.ready_for_query(b"I"), server.row_description(COLUMNS))
    for raw in answers:
        reading.read(of(False, raw))  # noqa: FBT003 -- received
    assert reading.row(of(False, server.data_row([b"7", b"x"]))) == ["7", "x"]  # noqa: FBT003 -- as above


def test_a_described_statement_is_read_by_the_formats_its_bind_asked_for() -> None:
    reading = Reading()
    reading.read(of(False, server.row_description(COLUMNS)))  # noqa: FBT003 -- received
    for formats, row, shown in (([0], [b"7", b"x"], ["7", "x"]), ([1, 0], [b"\0\0\0\x08", b"y"], ["8", "y"])):
        reading.read(of(True, client.bind("", "", [], [], formats)))  # noqa: FBT003 -- sent
        reading.read(of(False, server.BIND_COMPLETE))  # noqa: FBT003 -- received
        assert reading.row(of(False, server.data_row(row))) == shown  # noqa: FBT003 -- received


@given(st.sampled_from([*SENT, *RECEIVED, b"?"]), st.binary(max_size=40), st.booleans())
def test_no_message_is_an_error(kind: bytes, payload: bytes, sent: bool) -> None:  # noqa: FBT001 -- drawn
    raw = kind + (len(payload) + 4).to_bytes(4, "big") + payload
    assert "type" in Reading().read(of(sent, raw))


def test_a_row_of_binary_values_needs_its_columns() -> None:
    assert Reading().row(of(False, BINARY_ROW)) == ["\0\0\0\x07", "seven"]  # noqa: FBT003 -- received
