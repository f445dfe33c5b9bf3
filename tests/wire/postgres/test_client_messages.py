"""Messages of a client: what is built is parsed as it was meant, and everything else is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ProtocolError
from gateway.wire.postgres import client_messages as wire
from gateway.wire.postgres.fields import message
from gateway.wire.postgres.frames import Frame

KINDS = b"QPBDECHScfFXp"
NAME = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
OIDS = st.lists(st.integers(0, 2**32 - 1), max_size=5)
VALUES = st.lists(st.none() | st.binary(max_size=20), max_size=6)
PAN = "4111111111111111"


def parsed(raw: bytes) -> wire.Message:
    return wire.parse(Frame(raw[:1], raw))


@given(sql=NAME)
def test_a_query_round_trips_with_its_bytes(sql: str) -> None:
    raw = wire.query(sql)
    assert parsed(raw) == wire.Query(raw, sql)


@given(name=NAME, sql=NAME, types=OIDS)
def test_a_parse_round_trips(name: str, sql: str, types: list[int]) -> None:
    raw = wire.parse_message(name, sql, types)
    assert parsed(raw) == wire.Parse(raw, name, sql, tuple(types))


@given(portal=NAME, statement=NAME, values=VALUES, form=st.sampled_from([[], [0], [1]]), results=st.lists(st.just(1)))
def test_a_bind_round_trips(
    portal: str, statement: str, values: list[bytes | None], form: list[int], results: list[int]
) -> None:
    raw = wire.bind(portal, statement, values, form, results)
    assert parsed(raw) == wire.Bind(raw, portal, statement, tuple(form), tuple(values), tuple(results))


@given(target=st.sampled_from([b"S", b"P"]), name=NAME, rows=st.integers(-(2**31), 2**31 - 1))
def test_the_small_messages_round_trip(target: bytes, name: str, rows: int) -> None:
    raw = wire.describe(target, name)
    assert parsed(raw) == wire.Describe(raw, target, name)
    raw = wire.close(target, name)
    assert parsed(raw) == wire.Close(raw, target, name)
    raw = wire.execute(name, rows)
    assert parsed(raw) == wire.Execute(raw, name, rows)
    raw = wire.copy_fail(name)
    assert parsed(raw) == wire.CopyFail(raw, name)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (wire.FLUSH, wire.Flush),
        (wire.SYNC, wire.Sync),
        (wire.COPY_DONE, wire.CopyDone),
        (wire.TERMINATE, wire.Terminate),
    ],
)
def test_messages_without_content_are_known_by_their_type(raw: bytes, kind: type[wire.Message]) -> None:
    assert isinstance(parsed(raw), kind)


@given(kind=st.sampled_from(KINDS), content=st.binary(max_size=80))
def test_arbitrary_content_never_raises_anything_but_a_protocol_error(kind: int, content: bytes) -> None:
    with suppress(ProtocolError):
        parsed(message(bytes((kind,)), content))


@given(
    raw=st.sampled_from(
        [
            wire.query("SELECT 1"),
            wire.parse_message("s", "SELECT $1", [23]),
            wire.bind("p", "s", [b"1", None], [1], [0]),
            wire.describe(b"S", "s"),
            wire.execute("p", 5),
            wire.close(b"P", "p"),
            wire.copy_fail("why"),
        ]
    ),
    behind=st.binary(min_size=1, max_size=5),
)
def test_a_message_cut_short_or_with_bytes_behind_it_is_refused(raw: bytes, behind: bytes) -> None:
    for changed in [raw + behind, *(raw[:cut] for cut in range(5, len(raw)))]:
        with pytest.raises(ProtocolError):
            parsed(changed)


def test_text_that_is_not_utf8_is_refused_with_its_own_code() -> None:
    with pytest.raises(ProtocolError, match=r"wire\.encoding"):
        parsed(message(b"Q", b"SELECT '\xff'\0"))


def test_a_nul_inside_a_query_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"wire\.malformed"):
        parsed(message(b"Q", b"SELECT 1\0; DROP TABLE t\0"))


@pytest.mark.parametrize("formats", [[0, 1], [2], [0xFFFF]])
def test_formats_that_fit_no_parameter_are_refused(formats: list[int]) -> None:
    count = len(formats).to_bytes(2, "big") + b"".join(f.to_bytes(2, "big") for f in formats)
    with pytest.raises(ProtocolError):
        parsed(message(b"B", b"\0\0", count, b"\0\1\0\0\0\1x", b"\0\0"))


def test_a_target_that_is_neither_statement_nor_portal_is_refused() -> None:
    with pytest.raises(ProtocolError):
        parsed(wire.describe(b"X", "s"))


def test_a_function_call_is_read_no_further_than_its_function() -> None:
    raw = message(b"F", (2**32 - 1).to_bytes(4, "big"), b"whatever")
    assert parsed(raw) == wire.FunctionCall(raw, 2**32 - 1)


def test_credentials_are_read_as_what_was_asked_for() -> None:
    given_password = parsed(wire.password("tok.en"))
    initial = parsed(wire.sasl_initial_response("SCRAM-SHA-256", b"n,,n=,r=x"))
    response = parsed(wire.sasl_response(b"c=biws"))
    assert isinstance(given_password, wire.Credentials)
    assert isinstance(initial, wire.Credentials)
    assert isinstance(response, wire.Credentials)
    assert wire.password_of(given_password) == "tok.en"
    assert wire.sasl_initial(initial) == ("SCRAM-SHA-256", b"n,,n=,r=x")
    assert wire.sasl_data(response) == b"c=biws"


@pytest.mark.parametrize("content", [b"", b"no end", b"two\0words\0", b"\xff\0"])
def test_a_password_message_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(ProtocolError):
        wire.password_of(wire.Credentials(message(b"p", content)))


def test_copy_data_is_built_as_the_reader_expects_it() -> None:
    assert wire.copy_data(b"1\tx\n") == message(b"d", b"1\tx\n")


def test_an_unknown_type_has_no_meaning() -> None:
    with pytest.raises(ProtocolError):
        parsed(message(b"!", b""))


def test_reprs_show_neither_text_nor_values_nor_credentials() -> None:
    messages = [
        parsed(wire.query(f"SELECT '{PAN}'")),
        parsed(wire.parse_message("", f"SELECT '{PAN}'")),
        parsed(wire.bind("", "", [PAN.encode()])),
        parsed(wire.password(PAN)),
    ]
    assert PAN not in repr(messages) + str(messages)
