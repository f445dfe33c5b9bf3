"""The growing tree: at any time the files that are missing on disk, each once."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.ledger import Ledger
from gateway.evidence.merkle import EMPTY_ROOT, leaf_hash, root_of
from gateway.evidence.tiles import bundle_path, split_entries, tile_path, tiles_of
from gateway.evidence.tree import Tree, decode_start


@given(stops=st.lists(st.integers(0, 700), max_size=5))
def test_whenever_it_is_laid_out_the_files_are_those_of_the_tree(stops: list[int]) -> None:
    tree, files, size = Tree(), dict[str, bytes](), 700
    for number in range(size + 1):
        if number in stops or number == size:
            publication = tree.publication()
            files |= dict(publication.full) | dict(publication.partial)
            tree.published(publication)
        if number < size:
            assert tree.add(str(number).encode(), []) == leaf_hash(str(number).encode())
    assert {tile_path(tile) for tile in tiles_of(size)} <= files.keys()
    entries = [*split_entries(files[bundle_path(0)]), *split_entries(files[bundle_path(1)])]
    entries += split_entries(files[bundle_path(2, size - 512)])
    assert entries == [str(number).encode() for number in range(size)]
    assert tree.head() == (size, root_of([leaf_hash(entry) for entry in entries]))


def test_bodies_come_out_with_their_hashes_until_they_are_laid_out() -> None:
    tree = Tree()
    tree.add(b"leaf", [b"body"])
    publication = tree.publication()
    assert publication.bodies == [(hashlib.sha256(b"body").hexdigest(), b"body")]
    tree.add(b"next", [b"later"])
    tree.published(publication)
    assert [body for _, body in tree.publication().bodies] == [b"later"]


def test_an_empty_tree_has_the_empty_root() -> None:
    assert Tree().head() == (0, EMPTY_ROOT)


def test_a_tree_that_starts_from_a_segment_goes_on() -> None:
    whole = Tree()
    for number in range(512):
        whole.add(str(number).encode(), [])
    start = decode_start(whole.start(Ledger().state()))
    again = Tree(start.levels)
    assert (start.size, again.head()) == (512, whole.head())
    assert again.add(b"x", []) == whole.add(b"x", [])
    assert again.head() == whole.head()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b'{"size":1,"levels":[["AA=="]],"open":[{},[],1,true]}',
        b'{"size":256,"levels":[[]],"open":[{},[],1,true]}',
    ],
)
def test_what_is_no_start_of_a_segment_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="not the start"):
        decode_start(payload)
