"""Packets around what was said: both streams come out again, every checksum is right, comments name decisions."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.audit.replaying.pcapng import CLIENT, PAYLOAD_MAX, PORT, SERVER, Capture
from gateway.evidence.recording.frames import FrameError, Piece, What
from tests.cli.audit.replaying.world import received, sent, session

DIDS = ("d1", "d2", "d3", "d4")
STARTED = 1_795_601_717_123_456_789


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each block; both lengths agree."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        assert size % 4 == 0
        assert data[at + size - 4 : at + size] == struct.pack("<I", size)
        yield kind, data[at + 8 : at + size - 4]
        at += size


def packets(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Time, packet and options."""
    found = []
    for kind, body in blocks(data):
        if kind == 6:
            _, high, low, captured, size = struct.unpack_from("<IIIII", body)
            assert captured == size
            found.append((high << 32 | low, body[20 : 20 + size], body[20 + size + -size % 4 :]))
    return found


def checked(packet: bytes) -> tuple[bytes, int, int, int, bytes]:
    """Source, its port, sequence number, flags and payload of a packet whose checksums are right."""
    assert summed(packet[:20]) == 0xFFFF
    assert struct.unpack_from(">H", packet, 2) == (len(packet),)
    segment = packet[20:]
    assert summed(packet[12:20] + struct.pack(">HH", 6, len(segment)) + segment) == 0xFFFF
    source, _, sequence, _, offset, flags = struct.unpack_from(">HHIIBB", segment)
    return packet[12:16], source, sequence, flags, segment[(offset >> 4) * 4 :]


def summed(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def streams(data: bytes) -> dict[bytes, bytes]:
    """What each end said, put together by sequence numbers."""
    said: dict[bytes, bytes] = {}
    due: dict[bytes, int] = {}
    for _, packet, _ in packets(data):
        source, port, sequence, flags, payload = checked(packet)
        assert (port == PORT) is (source == SERVER.packed)
        assert sequence == due.get(source, sequence)
        said[source] = said.get(source, b"") + payload
        due[source] = sequence + len(payload) + bool(flags & 3)
    return said


def capture(pieces: list[Piece], client: str = "") -> bytes:
    return b"".join(Capture.of(STARTED, client).blocks(pieces))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3 * PAYLOAD_MAX)), max_size=5))
def test_both_streams_come_out_again(said: list[tuple[bool, int]]) -> None:
    pieces = [(sent if by else received)(0, bytes((n + 1,)) * size) for n, (by, size) in enumerate(said)]
    both = streams(capture(pieces))
    for what, address in ((What.SENT, CLIENT), (What.RECEIVED, SERVER)):
        assert both[address.packed] == b"".join(piece.data for piece in pieces if piece.what is what)


def test_packets_of_a_statement_name_its_decision_and_have_its_time() -> None:
    data = capture([piece._replace(t_ns=7_000 + piece.t_ns) for piece in session(DIDS)])
    named = [(time, options) for time, _, options in packets(data) if b"decision d1" in options]
    assert len(named) == 2
    assert {time for time, _ in named} == {STARTED + 7_001}
    code, size = struct.unpack_from("<HH", named[0][1])
    assert (code, size) == (1, len(b"decision d1"))


@pytest.mark.parametrize(("given_ip", "used"), [("10.1.2.3", "10.1.2.3"), ("::1", str(CLIENT)), ("", str(CLIENT))])
def test_the_agents_address_is_used_when_it_is_one(given_ip: str, used: str) -> None:
    assert str(Capture.of(0, given_ip).client.address) == used


def test_a_note_that_is_none_is_an_error() -> None:
    with pytest.raises(FrameError):
        capture([Piece(What.NOTE, 0, 0, b"?")])
