"""A recording as a capture of packets: pcapng with IPv4 and TCP made up around what was said, for Wireshark and tshark.

The database's end is port 5432, so that the dissector for PostgreSQL is chosen. A packet that belongs to a statement
has its decision id as comment. Times are those of the recording, in nanoseconds.
(pcapng: draft-ietf-opsawg-pcapng, §4; IPv4: RFC 791; TCP: RFC 9293; raw IP: LINKTYPE 101)
"""

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.evidence.recording.frames import Piece, What, decode_note

LINKTYPE_RAW: Final = 101
SERVER: Final = ipaddress.IPv4Address("192.0.2.1")
CLIENT: Final = ipaddress.IPv4Address("192.0.2.2")
"""of the block for documentation (RFC 5737), when the agent's own address is not known or no IPv4"""
PORT: Final = 5432
CLIENT_PORT: Final = 49152
PAYLOAD_MAX: Final = 32 * 1024
_SYN, _ACK, _PSH, _FIN = 0x02, 0x10, 0x08, 0x01
_MASK: Final = 0xFFFFFFFF
_OPT_COMMENT, _OPT_NAME, _OPT_RESOLUTION, _OPT_APPLICATION = 1, 2, 9, 4


@dataclass(slots=True)
class _End:
    """One end of the connection."""

    address: ipaddress.IPv4Address
    port: int
    next: int
    """sequence number"""


@dataclass(slots=True)
class Capture:
    """Writes one session. `started_ns` is since the epoch."""

    started_ns: int
    client: _End
    server: _End
    number: int = 0

    @classmethod
    def of(cls, started_ns: int, client_ip: str) -> "Capture":
        """Of a session whose agent came from there."""
        try:
            address = ipaddress.IPv4Address(client_ip)
        except ValueError:
            address = CLIENT
        return cls(started_ns, _End(address, CLIENT_PORT, 1000), _End(SERVER, PORT, 2000))

    def blocks(self, pieces: Iterable[Piece]) -> Iterator[bytes]:
        """The file, block by block. Raises FrameError for a note that is none."""
        yield _section()
        yield _interface()
        yield from self._hands(0)
        decisions: dict[int, str] = {}
        last = 0
        for piece in pieces:
            last = piece.t_ns
            if piece.what is What.NOTE:
                note = decode_note(piece.data)
                if note.is_ == "statement":
                    decisions[piece.statement] = note.did
                continue
            near, far = (self.client, self.server) if piece.what is What.SENT else (self.server, self.client)
            did = decisions.get(piece.statement, "")
            for at in range(0, len(piece.data), PAYLOAD_MAX):
                payload = piece.data[at : at + PAYLOAD_MAX]
                yield self._packet(piece.t_ns, near, far, _PSH | _ACK, payload, f"decision {did}" if did else "")
        yield self._packet(last, self.client, self.server, _FIN | _ACK)
        yield self._packet(last, self.server, self.client, _FIN | _ACK)
        yield self._packet(last, self.client, self.server, _ACK)

    def _hands(self, t_ns: int) -> Iterator[bytes]:
        yield self._packet(t_ns, self.client, self.server, _SYN)
        yield self._packet(t_ns, self.server, self.client, _SYN | _ACK)
        yield self._packet(t_ns, self.client, self.server, _ACK)

    def _packet(  # noqa: PLR0913, PLR0917 -- the fields a packet has
        self, t_ns: int, near: _End, far: _End, flags: int, payload: bytes = b"", comment: str = ""
    ) -> bytes:
        acknowledged = far.next if flags & _ACK else 0
        segment = _tcp(near, far, acknowledged, flags, payload)
        near.next = (near.next + len(payload) + bool(flags & (_SYN | _FIN))) & _MASK
        self.number += 1
        return _enhanced(self.started_ns + t_ns, _ip(near, far, self.number, segment), comment)


def _tcp(near: _End, far: _End, acknowledged: int, flags: int, payload: bytes) -> bytes:
    header = struct.pack(">HHIIBBHHH", near.port, far.port, near.next, acknowledged, 5 << 4, flags, 65535, 0, 0)
    pseudo = near.address.packed + far.address.packed + struct.pack(">HH", 6, len(header) + len(payload))
    return header[:16] + struct.pack(">H", _checksum(pseudo + header + payload)) + header[18:] + payload


def _ip(near: _End, far: _End, number: int, segment: bytes) -> bytes:
    addresses = near.address.packed + far.address.packed
    front = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), number & 0xFFFF, 0x4000, 64, 6, 0)
    return front[:10] + struct.pack(">H", _checksum(front + addresses)) + addresses + segment


def _checksum(data: bytes) -> int:
    """The one's complement sum of RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


_END_OF_OPTIONS: Final = struct.pack("<HH", 0, 0)


def _section() -> bytes:
    application = _option(_OPT_APPLICATION, b"querywarden")
    return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + application + _END_OF_OPTIONS)


def _interface() -> bytes:
    options = _option(_OPT_NAME, b"recording") + _option(_OPT_RESOLUTION, bytes((9,))) + _END_OF_OPTIONS
    return _block(1, struct.pack("<HHI", LINKTYPE_RAW, 0, 0) + options)


def _enhanced(time_ns: int, packet: bytes, comment: str) -> bytes:
    options = _option(_OPT_COMMENT, comment.encode()) + _END_OF_OPTIONS if comment else b""
    head = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & _MASK, len(packet), len(packet))
    return _block(6, head + _padded(packet) + options)
