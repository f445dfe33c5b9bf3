"""A recording made as the gateway makes it, in memory or in a folder, for those who attack it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.core.errors import Unavailable
from gateway.core.events import Event
from gateway.core.ids import new_id
from gateway.evidence.recording.format import END, Header, Sealer, encode_header
from gateway.evidence.recording.frames import Piece, What, pack
from gateway.evidence.recording.keys import Recipient, fingerprint, wrap
from gateway.evidence.recording.places import key_path, recording_path
from gateway.evidence.recording.store import Recording, Recordings
from tests.evidence.world import TickClock

KEY = bytes(range(32))
SID = "01a21233-d8f2-7879-9856-5eb399868a2e"
OTHER = "01a21233-d8f2-7879-9856-5eb399868a2f"
PIECES = (
    Piece(What.NOTE, 1, 1, b'{"is":"statement","did":"d1","act":"select"}'),
    Piece(What.SENT, 2, 1, b"Q\0\0\0\x0dSELECT 1\0"),
    Piece(What.RECEIVED, 3, 1, b"D" * 500),
)


def private() -> X25519PrivateKey:
    return X25519PrivateKey.generate()


def recipient(key: X25519PrivateKey) -> Recipient:
    return Recipient(fingerprint(key.public_key()), key.public_key())


def header(sid: str = SID) -> Header:
    return Header(v=1, sid=sid, connection="payments", protocol="postgres", content="full", started="1000")


def segments(sid: str = SID, key: bytes = KEY, count: int = 3) -> tuple[bytes, list[bytes]]:
    """A header, and `count` segments of frames with the end behind them."""
    front = encode_header(header(sid))
    sealer = Sealer(key, sid, front)
    made = [sealer.seal(pack(PIECES), first=1, statements=1)] + [
        sealer.seal(pack(PIECES[1:])) for _ in range(count - 1)
    ]
    return front, [*made, sealer.seal(b'{"statements":1,"frames":7,"sent":42,"received":1500}', kind=END)]


def lay(folder: Path, parts: Sequence[bytes], reader: X25519PrivateKey, sid: str = SID, key: bytes = KEY) -> Path:
    """Such a recording in its place, with its key."""
    path = recording_path(folder, sid)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(parts))
    key_path(path).write_bytes(wrap(key, sid, (recipient(reader),)))
    return path


@dataclass
class Book:
    """A stand-in for the recorder: what was appended, and whether it is suspended."""

    events: list[Event] = field(default_factory=list)
    suspended: list[str] = field(default_factory=list)
    resumed: int = 0
    refuses: bool = False

    async def append(self, event: Event) -> object:
        if self.refuses:
            raise Unavailable("evidence.unavailable")
        self.events.append(event)
        return None

    def suspend(self, cause: str) -> None:
        self.suspended.append(cause)

    def resume(self) -> None:
        self.resumed += 1


@dataclass
class Studio:
    """A store with its book, in a folder."""

    folder: Path
    reader: X25519PrivateKey = field(default_factory=private)
    book: Book = field(default_factory=Book)
    clock: TickClock = field(default_factory=TickClock)

    def open(self) -> Recordings:
        return Recordings(self.folder, (recipient(self.reader),), self.book, self.clock)

    def begin(self, store: Recordings) -> tuple[str, Recording]:
        sid = new_id(self.clock)
        return sid, store.begin(sid, "payments", "postgres")
