"""First packets: each is what it says to its last byte, or refused with a code."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ProtocolError
from gateway.wire.postgres import startup
from gateway.wire.postgres.fields import Fields
from gateway.wire.postgres.startup import (
    CancelRequest,
    FirstPacket,
    GssEncRequest,
    SslRequest,
    StartupMessage,
    StartupReader,
)

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


def packet(code: int, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + code.to_bytes(4, "big") + body


def started(*pairs: bytes, minor: int = 0, end: bytes = b"\0") -> bytes:
    return packet(3 << 16 | minor, b"".join(part + b"\0" for part in pairs) + end)


def asked(raw: bytes) -> StartupMessage:
    found = startup.parse(raw)
    assert isinstance(found, StartupMessage)
    return found


def fed(data: bytes, size: int) -> tuple[FirstPacket | None, bytes]:
    reader = StartupReader()
    for at in range(0, len(data), size):
        found = reader.receive_data(data[at : at + size])
        if found is not None:
            return found, reader.rest() + data[at + size :]
    return None, reader.rest()


@given(parameters=st.dictionaries(TEXT.filter(lambda name: not name.startswith("_pq_.")), TEXT, max_size=6), user=TEXT)
def test_startup_parameters_round_trip(parameters: dict[str, str], user: str) -> None:
    parameters = {**parameters, "user": user, "replication": "off"}
    found = asked(startup.startup_message(parameters))
    assert found.parameters == parameters
    assert found.user == user
    assert found.database == parameters.get("database", user)


@given(size=st.integers(min_value=1, max_value=40), behind=st.binary(max_size=20))
def test_any_chunking_gives_the_packet_and_keeps_what_came_behind_it(size: int, behind: bytes) -> None:
    raw = startup.startup_message({"user": "agent", "database": "payments"})
    assert fed(raw + behind, size) == (startup.parse(raw), behind)


@given(data=st.binary(max_size=64))
def test_arbitrary_bytes_never_raise_anything_but_a_protocol_error(data: bytes) -> None:
    for raw in (data, packet(3 << 16, data), packet(1234 << 16 | 5678, data)):
        with suppress(ProtocolError):
            fed(raw, 7)


def test_requests_for_encryption_are_known() -> None:
    assert startup.parse(startup.SSL_REQUEST) == SslRequest()
    assert startup.parse(startup.GSSENC_REQUEST) == GssEncRequest()


@given(key=st.binary(min_size=4, max_size=256), pid=st.integers(0, 2**32 - 1))
def test_cancel_requests_carry_keys_of_4_to_256_bytes(key: bytes, pid: int) -> None:
    found = startup.parse(startup.cancel_request(pid, key))
    assert found == CancelRequest(pid, key)
    assert key.hex() not in repr(found)


@pytest.mark.parametrize("size", [0, 3, 257])
def test_cancel_keys_of_other_lengths_are_refused(size: int) -> None:
    with pytest.raises(ProtocolError):
        startup.parse(startup.cancel_request(1, bytes(size)))


@pytest.mark.parametrize("length", [0, 7, 10_001, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_from_its_four_bytes(length: int) -> None:
    with pytest.raises(ProtocolError, match=r"wire\.malformed"):
        StartupReader().receive_data(length.to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (packet(2 << 16, b"user\0x\0\0"), "wire.version"),
        (packet(4 << 16, b"user\0x\0\0"), "wire.version"),
        (started(b"database", b"payments"), "wire.user_missing"),
        (started(b"user", b""), "wire.user_missing"),
        (started(b"user", b"a", b"user", b"b"), "wire.malformed"),
        (started(b"user", b"a", end=b""), "wire.malformed"),
        (started(b"user", b"a", end=b"\0garbage"), "wire.malformed"),
        (started(b"user", b"a", end=b"\0\0"), "wire.malformed"),
        (started(b"user", b"\xff"), "wire.encoding"),
        (started(b"user", b"a", b"replication", b"database"), "wire.replication"),
        (started(b"user", b"a", b"replication", b"true"), "wire.replication"),
        (started(b"user", b"a", b"replication", b"1"), "wire.replication"),
        (startup.SSL_REQUEST[:3] + b"\x09" + startup.SSL_REQUEST[4:] + b"x", "wire.malformed"),
    ],
)
def test_what_a_server_might_read_otherwise_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        startup.parse(raw)
    assert refused.value.code == code


def test_the_database_is_the_user_when_none_is_named() -> None:
    assert asked(started(b"user", b"agent", b"database", b"")).database == "agent"


@pytest.mark.parametrize(("minor", "agreed", "negotiate"), [(0, 0, False), (2, 2, False), (9999, 2, True)])
def test_newer_minor_versions_are_negotiated_down(minor: int, agreed: int, *, negotiate: bool) -> None:
    found = asked(started(b"user", b"agent", minor=minor))
    assert found.agreed_minor == agreed
    assert found.needs_negotiation is negotiate


def test_protocol_options_are_taken_out_and_answered_as_unknown() -> None:
    found = asked(started(b"user", b"agent", b"_pq_.grease", b"1"))
    assert found.parameters == {"user": "agent"}
    assert found.needs_negotiation
    fields = Fields(startup.negotiate_protocol_version(found))
    assert (fields.uint32(), fields.uint32(), fields.string()) == (3 << 16, 1, "_pq_.grease")
    fields.end()


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ("", ()),
        ("-c querywarden.purpose=refund", (("querywarden.purpose", "refund"),)),
        ("-cgeqo=off --work-mem=4MB", (("geqo", "off"), ("work_mem", "4MB"))),
        (r"  -c  querywarden.reason=two\ words\\x ", (("querywarden.reason", "two words\\x"),)),
    ],
)
def test_options_are_read_as_the_server_splits_them(options: str, settings: tuple[tuple[str, str], ...]) -> None:
    assert startup.parse_options(options) == settings


@pytest.mark.parametrize("options", ["-d 5", "-c", "-c geqo", "--=x", "geqo=off", "-W 10", "\\"])
def test_other_options_are_refused(options: str) -> None:
    with pytest.raises(ProtocolError, match=r"wire\.options"):
        startup.parse_options(options)


def test_reprs_show_no_parameter() -> None:
    assert "4111" not in repr(asked(started(b"user", b"4111111111111111")))
