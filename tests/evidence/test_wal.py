"""The write-ahead log: what is written is there, half a frame is not, and what was not synced can be written again."""

import errno
from pathlib import Path

import pytest

from gateway.evidence.frames import Kind
from gateway.evidence.tiles import WIDTH
from gateway.evidence.wal import SEGMENT_BYTES, SEGMENT_LEAVES, Wal, first_leaf, read_segment, segments
from tests.evidence.world import Disk


def new_wal(folder: Path) -> Wal:
    return Wal(folder, lambda: b"start")


def leaf(wal: Wal, number: int, payload: bytes = b"leaf") -> None:
    wal.write(number, [(Kind.LEAF, payload)])


def leaves(folder: Path) -> list[tuple[int, bytes]]:
    frames = [frame for path in segments(folder) for frame in read_segment(path)[1]]
    return [(frame.number, frame.payload) for frame in frames if frame.kind is Kind.LEAF]


def sync(wal: Wal) -> None:
    job = wal.begin_sync()
    job.run()
    wal.end_sync(job)


def test_leaves_with_their_bodies_stand_behind_the_start(tmp_path: Path) -> None:
    wal = new_wal(tmp_path)
    wal.write(0, [(Kind.BODY, b"in"), (Kind.LEAF, b"one")])
    leaf(wal, 1, b"two")
    (path,) = segments(tmp_path)
    found = [(frame.kind, frame.number, frame.payload) for frame in read_segment(path)[1]]
    assert found == [
        (Kind.START, 0, b"start"), (Kind.BODY, 0, b"in"), (Kind.LEAF, 0, b"one"), (Kind.LEAF, 1, b"two"),
    ]  # fmt: skip


def test_a_segment_begins_at_a_multiple_of_256_leaves_when_the_last_is_long_enough(tmp_path: Path) -> None:
    wal = new_wal(tmp_path)
    for number in range(SEGMENT_LEAVES + 2 * WIDTH):
        leaf(wal, number, b"")
    assert [first_leaf(path) for path in segments(tmp_path)] == [0, SEGMENT_LEAVES]
    assert [number for number, _ in leaves(tmp_path)] == list(range(SEGMENT_LEAVES + 2 * WIDTH))


def test_a_segment_also_ends_when_it_has_many_bytes(tmp_path: Path) -> None:
    wal = new_wal(tmp_path)
    wal.write(0, [(Kind.BODY, bytes(SEGMENT_BYTES)), (Kind.LEAF, b"")])
    for number in range(1, WIDTH + 1):
        leaf(wal, number)
    assert [first_leaf(path) for path in segments(tmp_path)] == [0, WIDTH]


def test_a_write_that_fails_leaves_nothing_of_its_frames(tmp_path: Path, disk: Disk) -> None:
    wal = new_wal(tmp_path)
    leaf(wal, 0)
    before = segments(tmp_path)[0].read_bytes()
    for room in range(30):
        disk.room = room
        with pytest.raises(OSError, match="full"):
            leaf(wal, 1, b"x" * 40)
        assert segments(tmp_path)[0].read_bytes() == before
    disk.room = None
    leaf(wal, 1, b"again")
    assert leaves(tmp_path) == [(0, b"leaf"), (1, b"again")]


def test_a_segment_that_cannot_be_begun_is_not_there(tmp_path: Path, disk: Disk) -> None:
    wal = new_wal(tmp_path)
    disk.room = 10
    with pytest.raises(OSError, match="full"):
        leaf(wal, 0)
    assert segments(tmp_path) == []
    disk.room = None
    leaf(wal, 0)
    assert leaves(tmp_path) == [(0, b"leaf")]


def test_what_was_not_synced_is_written_again_in_its_place(tmp_path: Path) -> None:
    wal = new_wal(tmp_path)
    leaf(wal, 0, b"synced")
    sync(wal)
    leaf(wal, 1, b"lost by the kernel")
    path = segments(tmp_path)[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-20] + bytes(20))
    assert leaves(tmp_path) == [(0, b"synced")]
    wal.rewrite()
    assert path.read_bytes() == whole


def test_what_was_synced_is_not_kept_in_memory(tmp_path: Path) -> None:
    wal = new_wal(tmp_path)
    leaf(wal, 0)
    job = wal.begin_sync()
    leaf(wal, 1)
    job.run()
    wal.end_sync(job)
    assert wal.begin_sync().frames == 1


def test_a_sync_covers_the_segment_before_and_the_name_of_the_new_one(tmp_path: Path) -> None:
    wal = new_wal(tmp_path)
    leaf(wal, 0)
    assert wal.begin_sync().folder == tmp_path
    sync(wal)
    assert wal.begin_sync().folder is None
    for number in range(1, SEGMENT_LEAVES + 1):
        leaf(wal, number, b"")
    job = wal.begin_sync()
    assert (len(job.descriptors), job.folder) == (2, tmp_path)
    job.run()
    wal.end_sync(job)
    assert len(wal.begin_sync().descriptors) == 1
    wal.close()


def test_a_failing_sync_says_so(tmp_path: Path, disk: Disk) -> None:
    wal = new_wal(tmp_path)
    leaf(wal, 0)
    disk.sync_error = errno.EIO
    with pytest.raises(OSError, match="broken"):
        wal.begin_sync().run()


def test_a_segment_is_gone_on_with_behind_its_last_good_leaf(tmp_path: Path) -> None:
    wal = new_wal(tmp_path)
    leaf(wal, 0)
    wal.close()
    path = segments(tmp_path)[0]
    good = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"torn")
    wal = new_wal(tmp_path)
    wal.resume(path, good)
    leaf(wal, 1, b"next")
    assert leaves(tmp_path) == [(0, b"leaf"), (1, b"next")]


def test_only_segments_whose_leaves_stand_in_tiles_are_dropped(tmp_path: Path) -> None:
    for first in (0, 512, 1024):
        (tmp_path / f"{first:020d}.wal").touch()
    wal = new_wal(tmp_path)
    named = {size: [first_leaf(path) for path in wal.drop_before(size)] for size in (511, 512, 1023, 1024, 5000)}
    assert named == {511: [], 512: [0], 1023: [0], 1024: [0, 512], 5000: [0, 512]}


def test_a_file_that_does_not_begin_as_a_segment_has_no_frames(tmp_path: Path) -> None:
    path = tmp_path / f"{0:020d}.wal"
    path.write_bytes(b"something else")
    assert list(read_segment(path)[1]) == []
