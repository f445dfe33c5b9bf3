"""The verifier's own tree agrees with the log's, which it shares no code with; its proofs refuse what is another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence import merkle, tiles
from gateway.evidence.package.verifier.findings import Broken
from gateway.evidence.package.verifier.signed import Checkpoint
from gateway.evidence.package.verifier.tree import (
    consistent,
    included,
    leaf_hash,
    proof_of,
    root_of,
    split_entries,
    tile_name,
)
from gateway.evidence.proof import format_proof

LEAVES = [bytes([number % 251]) * (number % 7) for number in range(600)]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]


def node(level: int, index: int) -> bytes:
    return merkle.root_of(HASHES[index << level : (index + 1) << level])


def tree(size: int) -> Checkpoint:
    return Checkpoint("log", size, merkle.range_root(node, 0, size))


@given(size=st.integers(1, 600), at=st.integers(0, 599), other=st.integers(0, 599))
def test_inclusion_holds_for_the_leaf_in_its_place_and_for_nothing_else(size: int, at: int, other: int) -> None:
    at, other = at % size, other % size
    path = merkle.inclusion_proof(node, at, size)
    assert included(LEAVES[at], at, tree(size), path)
    assert not included(LEAVES[at] + b"x", at, tree(size), path)
    assert at == other or not included(LEAVES[at], other, tree(size), path)
    assert not path or not included(LEAVES[at], at, tree(size), path[:-1])
    assert not included(LEAVES[at], at, tree(size), [*path, bytes(32)])
    assert not included(LEAVES[at], at + size, tree(size), path)


@given(new=st.integers(1, 600), old=st.integers(1, 600))
def test_consistency_holds_for_a_beginning_and_for_nothing_else(new: int, old: int) -> None:
    old = min(old, new)
    path = merkle.consistency_proof(node, old, new)
    assert consistent(tree(old), tree(new), path)
    forged = tree(old)._replace(root=bytes(32))
    assert not consistent(forged, tree(new), path)
    assert not consistent(tree(old), tree(new)._replace(root=bytes(32)), path)
    assert old == new or not consistent(tree(new), tree(old), path)
    assert not path or not consistent(tree(old), tree(new), path[:-1])
    assert not consistent(tree(old), tree(new), [*path, bytes(32)])


@given(size=st.integers(0, 600))
def test_roots_are_those_of_the_log(size: int) -> None:
    assert root_of([leaf_hash(leaf) for leaf in LEAVES[:size]]) == merkle.root_of(HASHES[:size])


@given(number=st.integers(0, 2_000_000), width=st.integers(1, 256))
def test_tiles_are_called_as_the_log_calls_them(number: int, width: int) -> None:
    assert tile_name("1", number, width) == tiles.tile_path(tiles.Tile(1, number, width))
    assert tile_name("entries", number, width) == tiles.bundle_path(number, width)


def test_entries_are_split_or_refused() -> None:
    raw = tiles.join_entries([b"one", b"", b"three"])
    assert split_entries(raw, 3, "x") == [b"one", b"", b"three"]
    for wrong, width in ((raw, 2), (raw[:-1], 3), (raw + b"\0", 3)):
        with pytest.raises(Broken, match=r"entries\.unreadable"):
            split_entries(wrong, width, "x")


def test_a_proof_file_is_read_as_it_is_written() -> None:
    path = tuple(merkle.inclusion_proof(node, 5, 9))
    proof = proof_of(format_proof(b"leaf", 5, path, b"note\n"), "x")
    assert (proof.leaf, proof.at, tuple(proof.path), proof.note) == (b"leaf", 5, path, b"note\n")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"c2sp.org/tlog-proof@v1\n\nnote", b"\xff\n\n", b"c2sp.org/tlog-proof@v1\nextra AA==\nindex 01\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra AA=\nindex 1\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra AA==\nindex 1\nAA==\n\nnote",
        b"c2sp.org/tlog-proof@v1\nAA==\nindex 1\n\nnote",
    ],
)  # fmt: skip
def test_what_is_no_proof_file_is_refused(raw: bytes) -> None:
    with pytest.raises(Broken, match=r"proof\.invalid"):
        proof_of(raw, "x")
