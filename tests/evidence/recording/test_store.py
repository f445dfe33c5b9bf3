"""What is put on a tape is on the disk within its second, sealed in the log; and nothing is let go while it is not."""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.core.events import EventType
from gateway.evidence.merkle import leaf_hash, root_of
from gateway.evidence.recording import store as module
from gateway.evidence.recording.frames import What
from gateway.evidence.recording.places import key_path, recording_path
from gateway.evidence.recording.reader import Playback
from gateway.evidence.recording.store import PENDING_MAX
from tests.evidence.recording.world import Studio


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "SEGMENT_SECONDS", 0.05)
    return Studio(tmp_path)


async def until(holds: Callable[[], object]) -> None:
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


class Disk:
    """A disk that is full for as long as it is told to be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.refused = 0
        self._pwrite, self._write = os.pwrite, os.write
        monkeypatch.setattr(os, "pwrite", self.pwrite)
        monkeypatch.setattr(os, "write", self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._write(descriptor, data)

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        if self.full:
            self.refused += 1
            half = self._pwrite(descriptor, bytes(data)[: len(data) // 2], offset)
            if self.refused % 2:
                return half
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._pwrite(descriptor, data, offset)


async def test_a_session_is_read_back_as_it_was_put_down(studio: Studio) -> None:
    store = studio.open()
    sid, recording = studio.begin(store)
    recording.tape.begins(recording.now(), "d1", "select", "query")
    recording.tape.sent(recording.now(), b"Q" * 10, "d1")
    for number in range(8):
        recording.tape.received(recording.now(), bytes((number,)) * 100_000, "d1")
        recording.kept()
    facts = await recording.close()
    await store.close()
    playback = Playback(recording_path(studio.folder, sid), studio.reader)
    pieces = list(playback.pieces())
    received = b"".join(piece.data for piece in pieces if piece.what is What.RECEIVED)
    assert received == b"".join(bytes((number,)) * 100_000 for number in range(8))
    assert playback.trouble is None
    assert playback.totals is not None
    assert (playback.totals.sent, playback.totals.received) == (10, 800_000)
    assert playback.header.recipients == tuple(each.fingerprint for each in store.recipients)
    assert facts["content"] == "full"


async def test_every_segment_has_a_leaf_that_tells_where_it_stands(studio: Studio) -> None:
    store = studio.open()
    sid, recording = studio.begin(store)
    for number in range(6):
        recording.tape.begins(number, f"d{number}", "select", "query")
        recording.tape.received(number, os.urandom(100_000))
        recording.kept()
    facts = await recording.close()
    data = recording_path(studio.folder, sid).read_bytes()
    leaves = [event.data for event in studio.book.events]
    assert {event.type for event in studio.book.events} == {EventType.RECORDING_SEALED}
    assert [leaf["segment"] for leaf in leaves] == list(range(len(leaves)))
    at = leaves[0]["at"]
    assert isinstance(at, int)
    assert leaves[0]["front"] == hashlib.sha256(data[:at]).hexdigest()
    for leaf in leaves:
        start, size = leaf["at"], leaf["bytes"]
        assert isinstance(start, int)
        assert isinstance(size, int)
        assert (start, leaf["sha256"]) == (at, hashlib.sha256(data[start : start + size]).hexdigest())
        at = start + size
    assert at == len(data) == facts["bytes"]
    assert leaves[-1]["end"] is True
    assert leaves[0]["key"] == hashlib.sha256(key_path(recording_path(studio.folder, sid)).read_bytes()).hexdigest()
    hashes = [leaf_hash(bytes.fromhex(str(leaf["sha256"]))) for leaf in leaves]
    assert (facts["segments"], facts["root"]) == (len(leaves), root_of(hashes).hex())
    await store.close()


async def test_what_little_there_is_is_sealed_in_time(studio: Studio) -> None:
    store = studio.open()
    _, recording = studio.begin(store)
    recording.tape.received(0, b"little")
    recording.kept()
    await until(lambda: studio.book.events)
    assert recording.tape.pending == 0
    recording.tape.received(0, b"more")
    recording.kept()
    await until(lambda: len(studio.book.events) == 2)
    await recording.close()
    await store.close()


async def test_a_session_that_said_nothing_has_an_end(studio: Studio) -> None:
    store = studio.open()
    sid, recording = studio.begin(store)
    facts = await recording.close()
    playback = Playback(recording_path(studio.folder, sid), studio.reader)
    assert (list(playback.pieces()), playback.trouble, facts["segments"]) == ([], None, 1)
    await store.close()


async def test_a_full_disk_suspends_what_is_new_and_nothing_is_lost(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = studio.open()
    sid, recording = studio.begin(store)
    disk = Disk(monkeypatch)
    recording.tape.received(0, b"before")
    recording.kept()
    await until(lambda: studio.book.events)
    disk.full = True
    recording.tape.received(1, b"meanwhile")
    recording.kept()
    await until(lambda: studio.book.suspended)
    assert studio.book.suspended == ["recording ENOSPC"]
    with pytest.raises(Unavailable):
        studio.begin(store)
    disk.full = False
    await until(lambda: studio.book.resumed)
    await recording.close()
    playback = Playback(recording_path(studio.folder, sid), studio.reader)
    assert [piece.data for piece in playback.pieces()] == [b"before", b"meanwhile"]
    assert (playback.trouble, studio.book.resumed) == (None, 1)
    await store.close()


async def test_a_session_that_waits_for_the_disk_is_held_back(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    store = studio.open()
    _, recording = studio.begin(store)
    disk = Disk(monkeypatch)
    disk.full = True
    await asyncio.wait_for(recording.room(), 5)
    for _ in range(PENDING_MAX // 100_000 + 2):
        recording.tape.received(0, bytes(100_000))
        recording.kept()
    assert recording.is_full
    waiting = asyncio.ensure_future(recording.room())
    await until(lambda: studio.book.suspended)
    assert not waiting.done()
    disk.full = False
    await asyncio.wait_for(waiting, 10)
    await recording.close()
    await store.close()


async def test_a_session_that_ends_meanwhile_says_what_was_lost_and_nothing_is_let_through_until_all_is_well(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.2)
    store = studio.open()
    sid, recording = studio.begin(store)
    recording.tape.received(0, b"before")
    recording.kept()
    await until(lambda: studio.book.events)
    disk = Disk(monkeypatch)
    disk.full = True
    recording.tape.received(0, b"lost")
    facts = await recording.close()
    assert (facts["complete"], facts["segments"]) == (False, 1)
    assert facts["lost"] == 17 + len(b"lost")
    await asyncio.sleep(0.1)
    assert studio.book.resumed == 0
    with pytest.raises(Unavailable):
        studio.begin(store)
    disk.full = False
    await until(lambda: studio.book.resumed)
    studio.begin(store)
    playback = Playback(recording_path(studio.folder, sid), studio.reader)
    assert [piece.data for piece in playback.pieces()] == [b"before"]
    assert playback.totals is None
    await store.close()


async def test_while_the_log_takes_nothing_segments_wait_for_their_leaves(studio: Studio) -> None:
    store = studio.open()
    _, recording = studio.begin(store)
    studio.book.refuses = True
    recording.tape.received(0, b"one")
    recording.kept()
    await asyncio.sleep(0.2)
    recording.tape.received(0, b"two")
    recording.kept()
    assert studio.book.events == []
    studio.book.refuses = False
    facts = await recording.close()
    assert [event.data["segment"] for event in studio.book.events] == [0, 1, 2]
    assert facts["segments"] == 3
    await store.close()


@pytest.mark.parametrize("at_the_end", [False, True])
async def test_a_mistake_of_ours_is_no_silence(
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    at_the_end: bool,  # noqa: FBT001 -- a parameter
) -> None:
    store = studio.open()
    sid, recording = studio.begin(store)

    def seal(*_: object) -> bytes:
        raise RuntimeError

    monkeypatch.setattr(module._File, "seal", seal)  # noqa: SLF001 -- the mistake
    if not at_the_end:
        recording.tape.received(0, b"lost")
        recording.kept()
        await until(lambda: studio.book.suspended)
        assert store.is_failing
        recording.tape.received(0, b"more")
        recording.kept()
    facts = await asyncio.wait_for(recording.close(), 5)
    assert (facts["complete"], facts["segments"]) == (False, 0)
    assert not recording_path(studio.folder, sid).exists()
    await until(lambda: not store.is_failing)
    assert (studio.book.suspended, studio.book.resumed) == (
        (["recording RuntimeError"], 1) if not at_the_end else ([], 0)
    )
    await store.close()


async def test_what_waits_is_known(studio: Studio) -> None:
    store = studio.open()
    _, first = studio.begin(store)
    _, second = studio.begin(store)
    for recording in (first, second):
        recording.tape.received(0, b"x" * 100)
    assert (len(store.open), store.waiting) == (2, 2 * 117)
    await first.close()
    assert (len(store.open), store.waiting) == (1, 117)
    await second.close()
    assert (len(store.open), store.waiting) == (0, 0)
    await store.close()


async def test_files_are_for_their_owner_only(studio: Studio) -> None:
    store = studio.open()
    sid, recording = studio.begin(store)
    await recording.close()
    await store.close()
    path = recording_path(studio.folder, sid)
    assert [each.stat().st_mode & 0o777 for each in (path, key_path(path), path.parent)] == [0o600, 0o600, 0o700]
