"""Recordings of a gateway of the tests: whose they are, and what stands in them when they are opened."""

import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.core.cards import find_card_numbers
from gateway.evidence.recording.frames import Piece, What
from gateway.evidence.recording.keys import load_private, make_private, public_of
from gateway.evidence.recording.places import recording_path
from gateway.evidence.recording.reader import Playback
from gateway.evidence.view import open_views
from gateway.wire.postgres.frames import HEADER

CLOSED_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Keys:
    """A recipient's pair of keys, as files."""

    private: Path
    public: Path


def make_keys(folder: Path, name: str = "recording") -> Keys:
    """A new pair."""
    keys = Keys(folder / name, folder / f"{name}.pub")
    keys.private.write_bytes(make_private())
    keys.public.write_bytes(public_of(keys.private.read_bytes()))
    return keys


def leaves(data: Path, kind: str = "") -> list[dict[str, object]]:
    """The leaves of a log, in order; of one type."""
    found = [msgspec.json.decode(leaf) for view in reversed(list(open_views(data))) for _, leaf in view.upwards(0)]
    return [leaf for leaf in found if not kind or leaf["type"] == kind]


def sessions(data: Path, application: str) -> list[str]:
    """Ids of the sessions that an application of this name has opened."""
    return [
        str(leaf["sid"])
        for leaf in leaves(data, "session.opened")
        if isinstance(facts := leaf["data"], dict) and facts["application"] == application
    ]


def when_closed(data: Path, application: str, number: int = -1) -> str:
    """The session of an application, once it has been closed in the log; of several, the last."""
    deadline = time.monotonic() + CLOSED_SECONDS
    while time.monotonic() < deadline:
        found = sessions(data, application)
        over = {leaf["sid"] for leaf in leaves(data, "session.closed")}
        if found and found[number] in over:
            return found[number]
        time.sleep(0.05)
    raise AssertionError(f"no session of {application} was closed")


def played(data: Path, sid: str, keys: Keys) -> tuple[Playback, list[Piece]]:
    """Everything in a recording, and how reading it went."""
    playback = Playback(recording_path(data, sid), load_private(keys.private))
    return playback, list(playback.pieces())


def stream(pieces: list[Piece], what: What) -> bytes:
    """One direction."""
    return b"".join(piece.data for piece in pieces if piece.what is what)


def messages(data: bytes) -> list[tuple[bytes, bytes]]:
    """Type and content of each message."""
    found, at = [], 0
    while at < len(data):
        kind, length = HEADER.unpack_from(data, at)
        found.append((bytes((kind,)), data[at + 5 : at + 1 + length]))
        at += 1 + length
    return found


def cards_in(pieces: list[Piece]) -> list[bytes]:
    """Card numbers in what was kept, of each direction as a whole."""
    both = [stream(pieces, what) for what in What]
    return [data[start:end] for data in both for start, end in find_card_numbers(data)]
