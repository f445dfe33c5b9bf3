"""Leaves of the write-ahead log, and where it is damaged."""

from pathlib import Path

from gateway.evidence.frames import MAGIC, Kind, pack_frame
from gateway.evidence.wal_leaves import Damage, WalLeaves


def segment(folder: Path, first: int, leaves: list[bytes], behind: bytes = b"") -> Path:
    path = folder / f"{first:020d}.wal"
    frames = [pack_frame(Kind.START, first, b"{}")]
    frames += [pack_frame(Kind.LEAF, number, leaf) for number, leaf in enumerate(leaves, first)]
    path.write_bytes(MAGIC + b"".join(frames) + behind)
    return path


def test_leaves_of_all_segments_have_their_numbers(tmp_path: Path) -> None:
    segment(tmp_path, 0, [b"a", b"b"])
    segment(tmp_path, 256, [b"c"])
    assert WalLeaves.read(tmp_path) == ({0: b"a", 1: b"b", 256: b"c"}, (), True)


def test_what_cannot_be_read_is_told_with_the_leaves_in_front(tmp_path: Path) -> None:
    path = segment(tmp_path, 256, [b"a", b"b"], behind=b"torn")
    assert WalLeaves.read(tmp_path).damage == (Damage(path.name, 4, 258),)
    path.write_bytes(b"nothing")
    assert WalLeaves.read(tmp_path) == ({}, (Damage(path.name, 7, 256),), True)


def test_no_folder_has_no_leaves(tmp_path: Path) -> None:
    assert WalLeaves.read(tmp_path / "none") == ({}, (), False)


def test_frames_count_as_long_as_they_stand_in_order(tmp_path: Path) -> None:
    path = tmp_path / f"{0:020d}.wal"
    kinds = [(Kind.START, 0), (Kind.BODY, 0), (Kind.LEAF, 0), (Kind.LEAF, 2), (Kind.LEAF, 1)]
    frames = [pack_frame(kind, number, b"x") for kind, number in kinds]
    path.write_bytes(MAGIC + b"".join(frames))
    assert WalLeaves.read(tmp_path) == ({0: b"x"}, (Damage(path.name, sum(map(len, frames[3:])), 1),), True)
    path.write_bytes(MAGIC + b"".join(frames[1:]))
    assert WalLeaves.read(tmp_path).leaves == {}
