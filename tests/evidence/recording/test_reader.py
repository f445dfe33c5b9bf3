"""A recording is read to its end or to what is wrong with it, which has a name; what stands before that is read."""

import struct
from itertools import accumulate
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.recording.format import CLEAR, END, RecordingError, Sealer, nonce
from gateway.evidence.recording.frames import Piece
from gateway.evidence.recording.places import key_path
from gateway.evidence.recording.reader import Playback
from tests.evidence.recording.world import KEY, OTHER, PIECES, SID, lay, private, segments

READER = private()
FRONT, PARTS = segments()
WHOLE = [*PIECES, *PIECES[1:], *PIECES[1:]]


def played(folder: Path, parts: list[bytes]) -> tuple[list[Piece], str]:
    playback = Playback(lay(folder, parts, READER), READER)
    pieces = list(playback.pieces())
    return pieces, playback.trouble.name if playback.trouble else ""


def test_a_whole_recording_is_read_to_its_end(tmp_path: Path) -> None:
    assert played(tmp_path, [FRONT, *PARTS]) == (WHOLE, "")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@given(cut=st.integers(0, len(b"".join(PARTS)) - 1))
def test_wherever_a_crash_cut_it_everything_before_the_torn_segment_is_read(shelf: Path, cut: int) -> None:
    ends = [0, *accumulate(map(len, PARTS))]
    whole = sum(end <= cut for end in ends) - 1
    pieces, name = played(shelf, [FRONT, b"".join(PARTS)[:cut]])
    assert pieces == WHOLE[: (0, 3, 5, 7)[whole]]
    assert name == ("" if cut in ends else "recording.torn")


ATTACKS: dict[str, tuple[list[bytes], str, int]] = {
    "two segments in the other order": ([PARTS[1], PARTS[0], *PARTS[2:]], "recording.reordered", 0),
    "a segment left out": ([PARTS[0], *PARTS[2:]], "recording.reordered", 3),
    "a segment twice": ([PARTS[0], PARTS[0], *PARTS[1:]], "recording.reordered", 3),
    "a segment of another session": ([PARTS[0], segments(OTHER)[1][1], *PARTS[2:]], "recording.changed", 3),
    "a segment of another key": ([segments(key=bytes(32))[1][0], *PARTS[1:]], "recording.changed", 0),
    "something behind the end": ([*PARTS, b"x"], "recording.trailing", 7),
    "the end in the middle": ([PARTS[0], PARTS[3], *PARTS[1:3]], "recording.reordered", 3),
    "a length that lies": (
        [PARTS[0], struct.pack(">IBIIII", 1, 0, 0, 0, 1 << 31, 100) + PARTS[1][21:], *PARTS[2:]],
        "recording.length",
        3,
    ),
    "a length that is short": (
        [PARTS[0], struct.pack(">IBIIII", 1, 0, 0, 0, 9, len(PARTS[1]) - CLEAR.size - 1) + PARTS[1][21:]],
        "recording.changed",
        3,
    ),
    "zeros": ([PARTS[0], bytes(100)], "recording.length", 3),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_has_its_name(tmp_path: Path, attack: str) -> None:
    parts, name, before = ATTACKS[attack]
    assert played(tmp_path, [FRONT, *parts]) == (WHOLE[:before], name)


def test_a_bomb_sealed_with_the_right_key_is_not_unpacked(tmp_path: Path) -> None:
    bomb = zstandard.compress(bytes(1 << 28))
    sealer = Sealer(KEY, SID, FRONT)
    clear = CLEAR.pack(0, 0, 0, 0, 100, len(bomb) + 16)
    sealed = sealer._cipher.encrypt(nonce(0), bomb, SID.encode() + clear + sealer._tag)  # noqa: SLF001 -- the attacker
    assert played(tmp_path, [FRONT, clear + sealed]) == ([], "recording.bomb")


@pytest.mark.parametrize("plain", [b"\x01", b"\x09" + bytes(16), struct.pack(">BQII", 1, 0, 0, 1 << 31)])
def test_frames_that_do_not_add_up_are_named(tmp_path: Path, plain: bytes) -> None:
    assert played(tmp_path, [FRONT, Sealer(KEY, SID, FRONT).seal(plain)]) == ([], "recording.frames")


def test_an_end_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert played(tmp_path, [FRONT, Sealer(KEY, SID, FRONT).seal(b"{}", kind=END)]) == ([], "recording.frames")


def name_of(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        Playback(path, READER)
    return caught.value.name


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    path = lay(tmp_path, [FRONT, *PARTS], private())
    assert name_of(path) == "recording.wrong_key"
    key_path(path).write_bytes(b"no key file")
    assert name_of(path) == "recording.key_changed"
    key_path(path).unlink()
    assert name_of(path) == "recording.no_key"
    for cut in (0, 5, len(FRONT) - 1):
        path.write_bytes(FRONT[:cut])
        assert name_of(path) == "recording.header"
    other, _ = segments(OTHER)
    assert name_of(lay(tmp_path, [other, *PARTS], READER)) == "recording.swapped"


def test_reading_can_begin_at_the_segment_of_a_statement(tmp_path: Path) -> None:
    sealer = Sealer(KEY, SID, FRONT)
    parts = [sealer.seal(b"", first=first, statements=count) for first, count in ((1, 2), (0, 0), (3, 1))]
    playback = Playback(lay(tmp_path, [FRONT, *parts], READER), READER)
    assert [playback.segment_of(number) for number in (1, 2, 3, 4)] == [0, 0, 2, 0]
    whole = Playback(lay(tmp_path, [FRONT, *PARTS], READER), READER)
    assert list(whole.pieces(2)) == list(PIECES[1:])
    assert (whole.trouble, whole.totals is not None) == (None, True)
    assert "KEY" not in repr(whole)
