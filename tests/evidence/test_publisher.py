"""Laying out: files first, then the head is noted, then the checkpoint is signed."""

import os
from pathlib import Path

import pytest

from gateway.evidence.cosign import open_cosigned
from gateway.evidence.head import HeadError, SignedHead
from gateway.evidence.note import Signer, open_checkpoint, split_note
from gateway.evidence.objects import Objects
from gateway.evidence.publisher import Publisher
from gateway.evidence.tree import Tree
from tests.evidence.witnesses import CosigningKey
from tests.evidence.world import Disk

SIGNER = Signer("log.test", bytes(32))


@pytest.fixture
def tree() -> Tree:
    tree = Tree()
    for number in range(5):
        tree.add(str(number).encode(), [b"body"])
    return tree


def publisher(folder: Path) -> Publisher:
    head = SignedHead(folder / "log-1.head")
    return Publisher(folder / "log", Objects(folder / "objects"), SIGNER, head)


def publish(tree: Tree, made: Publisher, droppable: list[Path] | None = None) -> None:
    publication = tree.publication()
    made.publish(publication, droppable or [])
    tree.published(publication)


def test_the_checkpoint_names_the_tree_whose_files_are_there(tmp_path: Path, tree: Tree) -> None:
    publish(tree, publisher(tmp_path))
    checkpoint = open_checkpoint((tmp_path / "log/checkpoint").read_bytes(), SIGNER.verifier)
    assert (checkpoint.size, checkpoint.root) == tree.head()
    assert (tmp_path / "log/tile/0/000.p/5").stat().st_size == 5 * 32
    assert (tmp_path / "log/tile/entries/000.p/5").exists()
    assert len(list((tmp_path / "objects").rglob("*"))) == 2


def test_nothing_is_signed_when_a_file_cannot_be_written(tmp_path: Path, tree: Tree) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/tile").write_bytes(b"in the way")
    made = publisher(tmp_path)
    with pytest.raises(OSError, match=r".*"):
        publish(tree, made)
    assert not (tmp_path / "log/checkpoint").exists()
    assert SignedHead(tmp_path / "log-1.head").last.size == 0


def test_nothing_is_signed_when_the_head_cannot_be_noted(tmp_path: Path, tree: Tree, disk: Disk) -> None:
    made = publisher(tmp_path)
    disk.sync_error = 5
    with pytest.raises(OSError, match="broken"):
        publish(tree, made)
    assert not (tmp_path / "log/checkpoint").exists()


def test_a_smaller_tree_is_never_signed(tmp_path: Path, tree: Tree) -> None:
    publish(tree, publisher(tmp_path))
    before = (tmp_path / "log/checkpoint").read_bytes()
    smaller = Tree()
    smaller.add(b"0", [])
    with pytest.raises(HeadError):
        publish(smaller, publisher(tmp_path))
    assert (tmp_path / "log/checkpoint").read_bytes() == before


def test_partial_tiles_go_when_their_tile_is_full(tmp_path: Path, tree: Tree) -> None:
    made = publisher(tmp_path)
    publish(tree, made)
    for number in range(5, 260):
        tree.add(str(number).encode(), [])
    publish(tree, made)
    assert (tmp_path / "log/tile/0/000").exists()
    assert not (tmp_path / "log/tile/0/000.p").exists()
    assert not (tmp_path / "log/tile/entries/000.p").exists()


def test_files_that_a_crash_left_empty_are_written_again_at_the_next_start(tmp_path: Path, tree: Tree) -> None:
    publication = tree.publication()
    publisher(tmp_path).publish(publication, [])
    files = [path for path in (tmp_path / "log/tile").rglob("*") if path.is_file()]
    files += [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    for path in files:
        path.write_bytes(b"")
    publisher(tmp_path).publish(publication, [])
    assert {path: path.read_bytes() for path in files} == before


def test_segments_are_removed_only_after_everything_was_synced(
    tmp_path: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = tmp_path / "old.wal"
    segment.touch()
    seen: list[bool] = []
    monkeypatch.setattr(os, "sync", lambda: seen.append(segment.exists()))
    publish(tree, publisher(tmp_path), [segment])
    assert (seen, segment.exists()) == ([True], False)


def test_cosignatures_are_added_to_the_checkpoint_they_are_for_and_stay_with_it(tmp_path: Path, tree: Tree) -> None:
    made, witness = publisher(tmp_path), CosigningKey()
    publish(tree, made)
    path = tmp_path / "log/checkpoint"
    text = split_note(path.read_bytes())[0]
    assert made.endorse(text, [witness.line(text, 1)])
    publish(tree, made)
    found = open_cosigned(path.read_bytes(), SIGNER.verifier, [witness.key])
    assert [each.witness for each in found.by] == [witness.key.name]


def test_cosignatures_that_come_too_late_are_not_added_to_the_next_checkpoint(tmp_path: Path, tree: Tree) -> None:
    made, witness = publisher(tmp_path), CosigningKey()
    publish(tree, made)
    path = tmp_path / "log/checkpoint"
    text = split_note(path.read_bytes())[0]
    tree.add(b"more", [])
    publish(tree, made)
    after = path.read_bytes()
    assert not made.endorse(text, [witness.line(text, 1)])
    assert path.read_bytes() == after


def test_nothing_is_added_where_no_checkpoint_of_ours_lies(tmp_path: Path, tree: Tree) -> None:
    made = publisher(tmp_path)
    assert not made.endorse("log.test\n", ["— w AAAAAAA="])
    publish(tree, made)
    path = tmp_path / "log/checkpoint"
    foreign = Signer("log.test", b"f" * 32).sign(split_note(path.read_bytes())[0])
    path.write_bytes(foreign)
    assert not made.endorse(split_note(foreign)[0], ["— w AAAAAAA="])
    publish(tree, made)
    assert open_checkpoint(path.read_bytes(), SIGNER.verifier).size == 5
